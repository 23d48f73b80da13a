//! A revision as the front door sees it, and the table of all of them.
//!
//! **Invariant:** a site is made once per revision and kept while the revision is in the supervisor's table, so its
//! file index and its sessions outlive every change around it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use http::{HeaderName, HeaderValue};
use rookery_bundle::{Bundle, Entry};
use rookery_hub::ReadyQueue;
use rookery_lifecycle::Shutdown;
use rookery_routing::Table;
use rookery_supervisor::{Revision, RevisionId, Supervisor};

use crate::static_files::{BaseInjection, FileCache, SpaFallback, StaticFiles, StaticOptions};

/// One revision at the front door.
pub(crate) struct Site {
    pub revision: Arc<Revision>,
    pub files: Option<StaticFiles>,
    /// The sessions that wait for a worker; made with the first session.
    ready: OnceLock<Arc<ReadyQueue>>,
}

impl Site {
    fn new(revision: Arc<Revision>, cache: &Arc<FileCache>) -> Self {
        Site {
            files: files(&revision.bundle, cache),
            revision,
            ready: OnceLock::new(),
        }
    }

    /// The queue of the revision's sessions; `start` is called once, with the new queue.
    pub fn ready(&self, start: impl FnOnce(&Arc<ReadyQueue>)) -> Arc<ReadyQueue> {
        let mut made = false;
        let ready = self.ready.get_or_init(|| {
            made = true;
            ReadyQueue::new()
        });
        if made {
            start(ready);
        }
        Arc::clone(ready)
    }
}

fn files(bundle: &Bundle, cache: &Arc<FileCache>) -> Option<StaticFiles> {
    let root: PathBuf = bundle.static_root()?.to_owned();
    let index = match &bundle.entry {
        Entry::Static { index, .. } => index
            .strip_prefix(&root)
            .ok()
            .and_then(|index| index.to_str())
            .map(str::to_owned),
        _ => Some("index.html".to_owned()),
    };
    let manifest = &bundle.manifest;
    let headers = manifest.headers.iter().filter_map(|(name, value)| {
        Some((
            HeaderName::from_bytes(name.as_bytes()).ok()?,
            HeaderValue::from_str(value).ok()?,
        ))
    });
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
        headers: headers.collect(),
    };
    Some(StaticFiles::new(root, options, Arc::clone(cache)))
}

/// The table of all sites, replaced whole when the supervisor's changes.
pub(crate) struct Sites {
    table: ArcSwap<Table<Arc<Site>>>,
    cache: Arc<FileCache>,
}

impl Sites {
    pub fn new(supervisor: &Supervisor) -> Arc<Sites> {
        let cache = Arc::new(FileCache::default());
        let table = furnish(supervisor, &Table::default(), &cache);
        Arc::new(Sites {
            table: ArcSwap::from_pointee(table),
            cache,
        })
    }

    /// The table as it is now.
    pub fn table(&self) -> arc_swap::Guard<Arc<Table<Arc<Site>>>> {
        self.table.load()
    }

    /// Follows the supervisor's table until the shutdown.
    pub async fn follow(self: Arc<Self>, supervisor: Arc<Supervisor>, shutdown: Shutdown) {
        let mut changed = supervisor.changed();
        loop {
            // Looked at before waiting, so that a change between making the table and listening is not missed.
            let table = furnish(&supervisor, &self.table.load(), &self.cache);
            self.table.store(Arc::new(table));
            tokio::select! {
                () = shutdown.requested() => return,
                gone = changed.changed() => if gone.is_err() { return },
            }
        }
    }
}

/// The supervisor's table with a site for each revision: the old one where there is one.
fn furnish(
    supervisor: &Supervisor,
    old: &Table<Arc<Site>>,
    cache: &Arc<FileCache>,
) -> Table<Arc<Site>> {
    let kept: HashMap<RevisionId, &Arc<Site>> =
        old.values().map(|site| (site.revision.id, site)).collect();
    supervisor.table().map(|revision| match kept.get(&revision.id) {
        Some(site) => Arc::clone(site),
        None => Arc::new(Site::new(Arc::clone(revision), cache)),
    })
}
