//! A revision as the front door sees it, and the table of all of them.
//!
//! **Invariant:** a site is made once per revision and kept while the revision is in the supervisor's table, so its
//! file index and its sessions outlive every change around it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use rookery_bundle::{Bundle, Entry};
use rookery_hub::ReadyQueue;
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_routing::Table;
use rookery_supervisor::{Revision, RevisionId, Supervisor};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::static_files::{BaseInjection, FileCache, SpaFallback, StaticFiles, StaticOptions};
use crate::ws;

/// One revision at the front door.
pub(crate) struct Site {
    pub revision: Arc<Revision>,
    pub files: Option<StaticFiles>,
    /// Requested when the revision is taken out of use or the server goes down.
    pub retired: Shutdown,
    /// The sessions that are attached.
    pub attached: TaskTracker,
    /// The sessions that wait for a worker; made with the first session.
    ready: OnceLock<Arc<ReadyQueue>>,
}

/// A session's place in a site.
pub(crate) struct SessionPlace {
    pub ready: Arc<ReadyQueue>,
    /// Dropped when the session is detached.
    pub stay: TaskTrackerToken,
}

impl Site {
    fn new(revision: Arc<Revision>, cache: &Arc<FileCache>, shutdown: &Shutdown) -> Self {
        Site {
            files: files(&revision.bundle, cache),
            revision,
            retired: shutdown.child(),
            attached: TaskTracker::new(),
            ready: OnceLock::new(),
        }
    }

    /// A place for a session, unless the site is retired. `start` is called once, with the new queue.
    pub fn sessions(&self, start: impl FnOnce(&Arc<ReadyQueue>)) -> Option<SessionPlace> {
        let stay = self.attached.token();
        // The token first: whoever closes the site after this line waits for it.
        if self.attached.is_closed() {
            return None;
        }
        let mut made = false;
        let ready = self.ready.get_or_init(|| {
            made = true;
            ReadyQueue::new()
        });
        if made {
            start(ready);
        }
        Some(SessionPlace {
            ready: Arc::clone(ready),
            stay,
        })
    }

    /// Takes no more sessions. The queue of those that are there, if there ever were any.
    pub fn close_to_sessions(&self) -> Option<&Arc<ReadyQueue>> {
        self.attached.close();
        self.ready.get()
    }
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

/// The table of all sites, replaced whole when the supervisor's changes.
pub(crate) struct Sites {
    table: ArcSwap<Table<Arc<Site>>>,
    cache: Arc<FileCache>,
    shutdown: Shutdown,
}

impl Sites {
    pub fn new(supervisor: &Supervisor, shutdown: &Shutdown) -> Arc<Sites> {
        let sites = Sites {
            table: ArcSwap::default(),
            cache: Arc::new(FileCache::default()),
            shutdown: shutdown.clone(),
        };
        sites.refresh(supervisor);
        Arc::new(sites)
    }

    /// The table as it is now.
    pub fn table(&self) -> arc_swap::Guard<Arc<Table<Arc<Site>>>> {
        self.table.load()
    }

    /// Follows the supervisor's table until the shutdown, and retires the sites that leave it.
    pub async fn follow(
        self: Arc<Self>,
        supervisor: Arc<Supervisor>,
        tasks: Tasks,
        grace: Duration,
    ) {
        let mut changed = supervisor.changed();
        loop {
            // Looked at before waiting, so that a change between making the table and listening is not missed.
            for site in self.refresh(&supervisor) {
                tasks.spawn("retire sessions", ws::retire(site, grace));
            }
            tokio::select! {
                () = self.shutdown.requested() => break,
                gone = changed.changed() => if gone.is_err() { break },
            }
        }
        for (_, _, site) in self.table.load().iter() {
            tasks.spawn("retire sessions", ws::retire(Arc::clone(site), grace));
        }
    }

    /// Takes over the supervisor's table, with a site for each revision: the old one where there is one. Gives the
    /// sites that are no longer needed.
    fn refresh(&self, supervisor: &Supervisor) -> Vec<Arc<Site>> {
        let old = self.table.load_full();
        let mut left: HashMap<RevisionId, Arc<Site>> = old
            .iter()
            .map(|(_, _, site)| (site.revision.id, Arc::clone(site)))
            .collect();
        let table = supervisor.table().map(|revision| {
            left.remove(&revision.id).unwrap_or_else(|| {
                Arc::new(Site::new(Arc::clone(revision), &self.cache, &self.shutdown))
            })
        });
        self.table.store(Arc::new(table));
        left.into_values().collect()
    }
}
