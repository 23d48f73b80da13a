//! Tells that something moved in the folders that a look listed.
//!
//! Each folder is watched by itself, not recursively: what lies deeper than a bundle's own folder, such as its pages or
//! its `node_modules`, is not the catalog's business and would eat the system's watches.
//!
//! **Invariant:** nothing is believed because of an event: it only brings the next look forward. A lost one costs a
//! rescan interval.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use notify::event::{AccessKind, AccessMode};
use notify::{Config, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// The folders that are watched.
pub struct Watch {
    watcher: Option<RecommendedWatcher>,
    watched: HashMap<PathBuf, Identity>,
    has_failed: bool,
}

/// How changes come to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// By events, for all folders.
    Events,
    /// By events from now on; some folders were not watched yet when they were listed.
    EventsFromNow,
    /// Only by looking.
    Looks,
}

/// Tells a folder from a later one of the same name; the kernel reuses inodes at once.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    created: Option<SystemTime>,
}

impl Watch {
    /// Watches nothing, ever.
    pub fn off() -> Watch {
        Watch {
            watcher: None,
            watched: HashMap::new(),
            has_failed: false,
        }
    }

    /// Watches nothing yet; `wake` is notified of what moves.
    pub fn new(wake: Arc<Notify>) -> Watch {
        Watch::telling(move |event: notify::Result<notify::Event>| {
            // An error is an overflow or a limit: events were lost, which is one more reason to look.
            if event.map_or(true, |event| is_change(event.kind)) {
                wake.notify_one();
            }
        })
    }

    fn telling(on_event: impl notify::EventHandler) -> Watch {
        let config = Config::default().with_follow_symlinks(false);
        let mut watch = Watch::off();
        match RecommendedWatcher::new(on_event, config) {
            Ok(watcher) => watch.watcher = Some(watcher),
            Err(error) => watch.failed(&error),
        }
        watch
    }

    /// Makes the watched folders those that were listed. Blocks for some microseconds per new folder.
    pub fn align(&mut self, listed: &[PathBuf]) -> Coverage {
        let Some(mut watcher) = self.watcher.take() else {
            return Coverage::Looks;
        };
        let mut before = std::mem::take(&mut self.watched);
        let (mut failure, mut coverage) = (None, Coverage::Events);
        for dir in listed {
            // Two links may lead to one folder.
            if self.watched.contains_key(dir) {
                continue;
            }
            let Some(identity) = Identity::of(dir) else {
                continue;
            };
            let known = before.remove(dir);
            if known.is_some_and(|known| known != identity) {
                // The error says that the old folder's watch went away with it.
                let _ = watcher.unwatch(dir);
            }
            if known != Some(identity) {
                coverage = Coverage::EventsFromNow;
                if let Err(error) = watcher.watch(dir, RecursiveMode::NonRecursive) {
                    failure = Some(error);
                    continue;
                }
            }
            self.watched.insert(dir.clone(), identity);
        }
        for gone in before.into_keys() {
            let _ = watcher.unwatch(&gone);
        }
        self.watcher = Some(watcher);
        match failure {
            None => coverage,
            Some(error) => {
                self.failed(&error);
                Coverage::Looks
            }
        }
    }

    fn failed(&mut self, error: &notify::Error) {
        if !self.has_failed {
            self.has_failed = true;
            tracing::warn!(%error, "cannot watch every folder of the apps directory: looking at it often instead");
        }
    }
}

impl Identity {
    fn of(dir: &Path) -> Option<Identity> {
        let metadata = fs::metadata(dir).ok()?;
        Some(Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
            created: metadata.created().ok(),
        })
    }
}

/// Reading is none: every look would bring about the next one, and every static file that is served another.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_file_that_is_written_in_a_watched_folder_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let wake = Arc::new(Notify::new());
        let mut watch = Watch::new(Arc::clone(&wake));
        let listed = [dir.path().to_owned()];
        assert_eq!(watch.align(&listed), Coverage::EventsFromNow);
        assert_eq!(watch.align(&listed), Coverage::Events);
        fs::write(dir.path().join("index.html"), "one").unwrap();
        let told = tokio::time::timeout(PATIENCE, wake.notified()).await;
        assert!(told.is_ok());
    }

    #[test]
    fn a_folder_that_is_replaced_is_watched_again() {
        let dir = tempfile::tempdir().unwrap();
        let app = dir.path().join("app");
        let (sender, events) = mpsc::channel();
        let mut watch = Watch::telling(sender);
        for turn in 0..3 {
            fs::create_dir(&app).unwrap();
            let listed = [app.clone(), app.clone()];
            assert_eq!(watch.align(&listed), Coverage::EventsFromNow);
            let file = app.join(format!("{turn}.html"));
            fs::write(&file, "one").unwrap();
            let is_of_file = |event: notify::Event| event.paths.contains(&file);
            while !is_of_file(events.recv_timeout(PATIENCE).unwrap().unwrap()) {}
            fs::remove_dir_all(&app).unwrap();
        }
    }

    #[test]
    fn a_folder_that_is_not_listed_any_more_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = Watch::new(Arc::default());
        watch.align(&[dir.path().to_owned(), dir.path().join("gone")]);
        assert_eq!(watch.watched.len(), 1);
        watch.align(&[]);
        assert!(watch.watched.is_empty());
    }

    #[test]
    fn without_a_watcher_there_are_only_looks() {
        assert_eq!(Watch::off().align(&[]), Coverage::Looks);
    }

    #[test]
    fn reading_is_no_change() {
        let read = EventKind::Access(AccessKind::Open(AccessMode::Any));
        assert!(!is_change(read));
        let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
        assert!(is_change(written));
        assert!(is_change(EventKind::Other), "an overflow asks for a look");
    }
}
