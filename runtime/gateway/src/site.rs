//! A revision as the front door sees it.
//!
//! **Absent on purpose:** whom paths lead to. `sites.rs` has the table.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::HeaderValue;
use rookery_bundle::{Bundle, Entry};
use rookery_hub::ReadyQueue;
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_supervisor::Revision;

use crate::members::Members;
use crate::proxy::Rules;
use crate::static_files::{BaseInjection, FileCache, SpaFallback, StaticFiles, StaticOptions};
use crate::trial::{Moves, Trial};
use crate::ws;

/// One revision at the front door.
pub(crate) struct Site {
    pub revision: Arc<Revision>,
    /// As each answer tells it.
    pub version: HeaderValue,
    pub files: Option<StaticFiles>,
    /// Its proxy rules, which come first.
    pub rules: Option<Rules>,
    /// The sessions that it serves.
    pub members: Members,
    /// How it does with those that came from an earlier revision.
    pub trial: Trial,
    /// Counts for all sites.
    pub moves: Arc<Moves>,
    /// Those of them that wait for a worker; made with the first session.
    ready: OnceLock<Arc<ReadyQueue>>,
    /// Raised when it leaves the table.
    gone: Shutdown,
}

impl Site {
    /// Of a revision that just came into the table.
    pub fn new(revision: Arc<Revision>, cache: &Arc<FileCache>, moves: &Arc<Moves>) -> Self {
        Site {
            version: version(&revision.bundle),
            files: files(&revision.bundle, cache),
            rules: (revision.rules.as_ref())
                .map(|rules| Rules::new(&revision.bundle.label(), rules)),
            revision,
            members: Members::default(),
            trial: Trial::default(),
            moves: Arc::clone(moves),
            ready: OnceLock::new(),
            gone: Shutdown::new(),
        }
    }

    /// Waits until it has been out of the table for so long.
    pub async fn gone_for(&self, grace: Duration) {
        self.gone.requested().await;
        tokio::time::sleep(grace).await;
    }

    /// Where its sessions wait for a worker. `None` when it holds no sessions.
    pub fn ready(self: &Arc<Self>, tasks: &Tasks) -> Option<&Arc<ReadyQueue>> {
        let pool = self.revision.pool.as_ref()?;
        if !pool.serves_sessions() {
            return None;
        }
        Some(self.ready.get_or_init(|| {
            let ready = ReadyQueue::new();
            ws::deliver(tasks, self, &ready, pool);
            ready
        }))
    }

    /// Where its sessions wait, if it ever had one.
    pub fn ready_if_any(&self) -> Option<&Arc<ReadyQueue>> {
        self.ready.get()
    }

    /// The same; one that nobody serves where there was none, so that none comes later. To be closed.
    pub fn ready_or_closed(&self) -> &Arc<ReadyQueue> {
        self.ready.get_or_init(ReadyQueue::new)
    }

    /// It left the table: nobody new comes here.
    pub fn leave_table(&self) {
        self.members.turn_away();
        self.gone.request();
    }
}

/// A version's text is printable; what is not is left out rather than guessed.
fn version(bundle: &Bundle) -> HeaderValue {
    HeaderValue::try_from(bundle.version.to_string()).unwrap_or(HeaderValue::from_static("unknown"))
}

fn files(bundle: &Bundle, cache: &Arc<FileCache>) -> Option<StaticFiles> {
    let root: PathBuf = bundle.static_root()?.to_owned();
    let index = match &bundle.entry {
        Entry::Static { index, .. } => index
            .as_ref()
            .and_then(|index| index.strip_prefix(&root).ok()?.to_str())
            .map(str::to_owned),
        _ => Some("index.html".to_owned()),
    };
    let manifest = &bundle.manifest;
    let spa_fallback = match (&bundle.entry, manifest.spa_fallback) {
        // A worker behind the files has its own answer to paths that are no file.
        (Entry::Static { .. }, true) => SpaFallback::On,
        _ => SpaFallback::Off,
    };
    let options = StaticOptions {
        index,
        spa_fallback,
        inject_base: if manifest.inject_base {
            BaseInjection::On
        } else {
            BaseInjection::Off
        },
        headers: manifest.headers.clone(),
        private: private(bundle),
    };
    Some(StaticFiles::new(root, options, Arc::clone(cache)))
}

/// The worker's own code, when it lies among the files.
fn private(bundle: &Bundle) -> Vec<PathBuf> {
    match &bundle.entry {
        Entry::Component { path } | Entry::Script { path } => vec![path.clone()],
        Entry::Static { .. } | Entry::Command { .. } | Entry::Rules => Vec::new(),
    }
}
