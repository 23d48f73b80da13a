//! What an operator sets.

use std::path::PathBuf;
use std::time::Duration;

use rookery_bundle::{BrokenManifest, Expect};

use crate::rules::Variables;

/// Where the bundles are, and how they are handled.
#[derive(Clone, Debug)]
pub struct SupervisorConfig {
    /// The apps directories. When two have the same version of an app, the earlier one's is served.
    pub apps_dirs: Vec<PathBuf>,
    /// Bundles that are served from where they lie, and what their places say about them.
    pub bundles: Vec<(PathBuf, Expect)>,
    /// How changes on disk are noticed.
    pub watching: Watching,
    /// The pause between two looks at the disk when events tell of changes. 2 s: a look at 1,000 bundles takes
    /// milliseconds, and it is needed only when an event was lost.
    pub rescan: Duration,
    /// The pause when nothing tells of changes. 500 ms, so that a change is live within a second.
    pub poll: Duration,
    /// How many bundles are prepared at once; at least one. One for each CPU.
    pub preparing_max: usize,
    /// How long a bundle may take to be prepared. 120 s.
    pub prepare_deadline: Duration,
    /// How long a replaced revision may take to finish what it began. 30 s.
    pub grace: Duration,
    /// How long before that grace a replaced revision is kept at most for sessions that stay with it. 340 s.
    pub keep: Duration,
    /// Whether an unpinned path may get a prerelease though there is a stable version.
    pub prerelease: Prerelease,
    /// What becomes of a manifest that is not even JSON. It refuses its bundle.
    pub broken_manifest: BrokenManifest,
    /// What `${NAME}` in proxy rules may be, as far as a manifest is granted the name. Nothing.
    pub variables: Variables,
}

/// How changes on disk are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watching {
    /// By the system's file events, with looks behind them.
    Events,
    /// By looks alone: for network file systems, which have no events.
    Looks,
}

/// Which version an app's unpinned path gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prerelease {
    /// A prerelease only where there is nothing else.
    Last,
    /// The highest version, whatever it is.
    Equal,
}

impl SupervisorConfig {
    /// The defaults, for these apps directories.
    pub fn new(apps_dirs: Vec<PathBuf>) -> SupervisorConfig {
        let cpus = std::thread::available_parallelism();
        SupervisorConfig {
            apps_dirs,
            bundles: Vec::new(),
            watching: Watching::Events,
            rescan: Duration::from_secs(2),
            poll: Duration::from_millis(500),
            preparing_max: cpus.map_or(1, usize::from),
            prepare_deadline: Duration::from_secs(120),
            grace: Duration::from_secs(30),
            keep: Duration::from_secs(340),
            prerelease: Prerelease::Last,
            broken_manifest: BrokenManifest::Refused,
            variables: Variables::default(),
        }
    }
}
