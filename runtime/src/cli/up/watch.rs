//! Rebuilds a bundle when its source changes.
//!
//! Only sources are watched: what a build writes (`target/`, `app.wasm`) would make it build for ever.
//!
//! **Invariant:** one build at a time; what changes meanwhile is built next.
//! **Absent on purpose:** putting a new component into service. It lands in the bundle's folder, where the supervisor's
//! catalog sees it as it would see any other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use crate::cli::build::{End, Outcome, build};
use crate::cli::discover::{Found, discover};
use crate::progress::Progress;

/// How long it has to be quiet before a build begins: an editor saves in several steps, a checkout writes many files.
const DEBOUNCE: Duration = Duration::from_millis(100);
/// How often the apps folder is searched for bundles that are new.
const SEARCH_EVERY: Duration = Duration::from_secs(1);

/// How many changes may wait for a build to end. When there are more, everything counts as changed.
const SIGNALS_MAX: usize = 1_024;

/// Folders in a package whose files are its source.
const SOURCE_DIRS: [&str; 2] = ["src", "wit"];
/// Files beside them that are source too.
const SOURCE_FILES: [&str; 3] = ["Cargo.toml", "build.rs", "worker.config.json"];

/// Ends the watch when it is dropped. A build that runs is not waited for, and not cut short: whatever it puts in place
/// is whole.
pub struct Watching(Teller);

/// Tells the watch. It never waits: the watch itself waits for the one who tells, when it has a folder watched.
#[derive(Clone)]
struct Teller {
    signals: SyncSender<Signal>,
    state: Arc<State>,
}

/// What is said without a place in the queue.
#[derive(Default)]
struct State {
    /// Something changed, and nobody knows what.
    missed: AtomicBool,
    over: AtomicBool,
}

enum Signal {
    Changed(Vec<PathBuf>),
    Stop,
}

struct Watch {
    apps_dir: PathBuf,
    signals: Receiver<Signal>,
    state: Arc<State>,
    progress: Progress,
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    /// What each bundle is made of, by the bundle's folder.
    sources: BTreeMap<PathBuf, Vec<PathBuf>>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.state.over.store(true, Ordering::Relaxed);
        // One that is gone already needs no telling, and one that has much to hear looks by itself.
        let _ = self.0.signals.try_send(Signal::Stop);
    }
}

impl Teller {
    fn new() -> (Teller, Receiver<Signal>) {
        let (signals, heard) = sync_channel(SIGNALS_MAX);
        let state = Arc::default();
        (Teller { signals, state }, heard)
    }

    fn changed(&self, paths: Vec<PathBuf>) {
        let told = self.signals.try_send(Signal::Changed(paths));
        if let Err(TrySendError::Full(_)) = told {
            self.state.missed.store(true, Ordering::Relaxed);
        }
    }
}

/// Watches the sources of what was built, and the apps folder for what is new.
pub fn start(apps_dir: PathBuf, built: Vec<Outcome>) -> Watching {
    let (teller, signals) = Teller::new();
    let events = teller.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if let Ok(event) = event
            && !event.kind.is_access()
        {
            events.changed(event.paths);
        }
    });
    match watcher {
        Err(error) => {
            tracing::warn!(%error, "changes of sources are not seen; restart `up` to build them")
        }
        Ok(watcher) => {
            let mut watch = Watch {
                apps_dir,
                signals,
                state: Arc::clone(&teller.state),
                progress: Progress::lines(),
                watcher,
                watched: BTreeSet::new(),
                sources: BTreeMap::new(),
            };
            watch.learn(built);
            thread::spawn(move || watch.run());
        }
    }
    Watching(teller)
}

impl Watch {
    fn run(mut self) {
        while let Some(changed) = self.wait() {
            // A folder that cannot be listed just now is looked at again in a second.
            let found = discover(std::slice::from_ref(&self.apps_dir)).unwrap_or_default();
            let stale: Vec<Found> = found
                .into_iter()
                .filter(|bundle| self.is_stale(bundle, &changed))
                .collect();
            if !stale.is_empty() {
                let outcomes = build(&stale, &self.progress);
                self.say_what_goes_on(&outcomes);
                self.learn(outcomes);
            }
        }
    }

    /// What changed, after it has become quiet; nothing when it was time to search. None at the end.
    fn wait(&self) -> Option<Vec<PathBuf>> {
        let mut changed = Vec::new();
        let mut patience = SEARCH_EVERY;
        loop {
            let signal = self.signals.recv_timeout(patience);
            if self.state.over.load(Ordering::Relaxed) {
                return None;
            }
            match signal {
                Ok(Signal::Changed(paths)) => changed.extend(paths),
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => break,
            }
            patience = DEBOUNCE;
        }
        if self.state.missed.swap(false, Ordering::Relaxed) {
            let packages = self.sources.values().flatten();
            changed.extend(packages.map(|package| package.join(SOURCE_FILES[0])));
        }
        Some(changed)
    }

    fn is_stale(&self, bundle: &Found, changed: &[PathBuf]) -> bool {
        match self.sources.get(&bundle.dir) {
            Some(sources) => changed
                .iter()
                .any(|path| sources.iter().any(|package| is_source(package, path))),
            None => bundle.dir.join("Cargo.toml").is_file(),
        }
    }

    /// After an error, what people want to know first is whether they broke what runs.
    fn say_what_goes_on(&self, outcomes: &[Outcome]) {
        let failed = outcomes
            .iter()
            .filter(|outcome| matches!(outcome.end, End::Failed(_)));
        for outcome in failed.filter(|outcome| self.sources.contains_key(&outcome.dir)) {
            self.progress.remark(&format!(
                "{} goes on as it was before the change",
                outcome.label
            ));
        }
    }

    /// Remembers what bundles are made of, and watches it.
    fn learn(&mut self, built: Vec<Outcome>) {
        for outcome in built {
            for package in &outcome.sources {
                self.watch(package, RecursiveMode::NonRecursive);
                for inner in SOURCE_DIRS {
                    self.watch(&package.join(inner), RecursiveMode::Recursive);
                }
            }
            self.sources.insert(outcome.dir, outcome.sources);
        }
    }

    fn watch(&mut self, dir: &Path, mode: RecursiveMode) {
        if self.watched.contains(dir) || !dir.is_dir() {
            return;
        }
        match self.watcher.watch(dir, mode) {
            Ok(()) => drop(self.watched.insert(dir.to_owned())),
            Err(error) => tracing::warn!(%error, dir = %dir.display(), "changes here are not seen"),
        }
    }
}

/// Whether a change of `path` makes stale what is built from the package.
fn is_source(package: &Path, path: &Path) -> bool {
    let Ok(inside) = path.strip_prefix(package) else {
        return false;
    };
    let first = inside.components().next().map(|part| part.as_os_str());
    let is_file = SOURCE_FILES.iter().any(|file| inside == Path::new(file));
    is_file || first.is_some_and(|first| SOURCE_DIRS.iter().any(|dir| first == *dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sources_make_a_bundle_stale() {
        let package = Path::new("/apps/chat/1.0.0");
        for source in [
            "src/lib.rs",
            "src/room/join.rs",
            "wit/app.wit",
            "Cargo.toml",
            "build.rs",
            "worker.config.json",
        ] {
            assert!(is_source(package, &package.join(source)), "{source}");
        }
        for other in [
            "app.wasm",
            ".app.wasm.12.tmp",
            "target/debug/src/x.rs",
            "public/index.html",
            "Cargo.lock",
            "",
        ] {
            assert!(!is_source(package, &package.join(other)), "{other}");
        }
        assert!(!is_source(
            package,
            Path::new("/apps/chat/1.1.0/src/lib.rs")
        ));
    }

    #[test]
    fn when_too_much_changes_everything_has_changed() {
        let (teller, signals) = Teller::new();
        let package = PathBuf::from("/apps/chat/1.0.0");
        let watch = Watch {
            apps_dir: PathBuf::new(),
            signals,
            state: Arc::clone(&teller.state),
            progress: Progress::quiet(),
            watcher: notify::recommended_watcher(|_| {}).expect("the system watches"),
            watched: BTreeSet::new(),
            sources: BTreeMap::from([(package.clone(), vec![package.clone()])]),
        };
        let changes = |watch: &Watch| {
            let changed = watch.wait().expect("it is not over");
            changed.iter().any(|path| is_source(&package, path))
        };
        for change in 0..=SIGNALS_MAX {
            assert!(!teller.state.missed.load(Ordering::Relaxed), "{change}");
            teller.changed(vec![PathBuf::from("/elsewhere")]);
        }
        assert!(changes(&watch));
        teller.changed(vec![PathBuf::from("/elsewhere")]);
        assert!(!changes(&watch), "it was looked at");
        // The end is heard, however much is told.
        for _ in 0..=SIGNALS_MAX {
            teller.changed(Vec::new());
        }
        drop(Watching(teller));
        assert!(watch.wait().is_none());
    }
}
