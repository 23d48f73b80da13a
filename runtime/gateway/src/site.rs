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
use rookery_hub::{ReadyQueue, Session, close};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_routing::{Fallback, Table};
use rookery_supervisor::{Revision, RevisionId, Supervisor};

use crate::members::Members;
use crate::proxy::{RuleSnapshot, Rules};
use crate::static_files::{BaseInjection, FileCache, SpaFallback, StaticFiles, StaticOptions};
use crate::ws::{self, Asked, Berth};

/// One revision at the front door.
pub(crate) struct Site {
    pub revision: Arc<Revision>,
    pub files: Option<StaticFiles>,
    /// Its proxy rules, which come first.
    pub rules: Option<Rules>,
    /// The sessions that it serves.
    pub members: Members,
    /// Those of them that wait for a worker; made with the first session.
    ready: OnceLock<Arc<ReadyQueue>>,
    /// Raised when it leaves the table.
    gone: Shutdown,
}

impl Site {
    fn new(revision: Arc<Revision>, cache: &Arc<FileCache>) -> Self {
        Site {
            files: files(&revision.bundle, cache),
            rules: (revision.rules.as_ref())
                .map(|rules| Rules::new(&revision.bundle.label(), rules)),
            revision,
            members: Members::default(),
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
    pub fn ready(&self, tasks: &Tasks) -> Option<&Arc<ReadyQueue>> {
        let pool = self.revision.pool.as_ref()?;
        if !pool.serves_sessions() {
            return None;
        }
        Some(self.ready.get_or_init(|| {
            let ready = ReadyQueue::new();
            ws::deliver(tasks, &ready, pool);
            ready
        }))
    }

    /// Where its sessions wait, if it ever had one.
    pub fn ready_if_any(&self) -> Option<&Arc<ReadyQueue>> {
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
    fallback: Fallback,
    tasks: Tasks,
}

impl Sites {
    pub fn new(supervisor: &Supervisor, fallback: Fallback, tasks: &Tasks) -> Arc<Sites> {
        let sites = Sites {
            table: ArcSwap::default(),
            cache: Arc::new(FileCache::default()),
            fallback,
            tasks: tasks.clone(),
        };
        sites.refresh(supervisor);
        Arc::new(sites)
    }

    /// The table as it is now.
    pub fn table(&self) -> arc_swap::Guard<Arc<Table<Arc<Site>>>> {
        self.table.load()
    }

    /// What was counted of proxy rules: of those in the table that were asked.
    pub fn rules(&self) -> Vec<RuleSnapshot> {
        let table = self.table.load();
        let rules = table.iter().filter_map(|(_, _, site)| site.rules.as_ref());
        let mut snapshots: Vec<RuleSnapshot> = rules.flat_map(Rules::snapshot).collect();
        snapshots.sort_by(|a, b| (&a.revision, a.index).cmp(&(&b.revision, b.index)));
        snapshots
    }

    /// How many sessions each revision in the table holds, where it holds any.
    pub fn sessions(&self) -> HashMap<RevisionId, usize> {
        let table = self.table.load();
        let counted = table
            .iter()
            .map(|(_, _, site)| (site.revision.id, site.members.count()));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    /// Follows the supervisor's table until the shutdown. Sessions move with it to where their path leads now; those of
    /// a site that leaves the table and has no successor are closed.
    pub async fn follow(
        self: Arc<Self>,
        supervisor: Arc<Supervisor>,
        shutdown: Shutdown,
        grace: Duration,
    ) {
        let mut changed = supervisor.changed();
        loop {
            // Looked at before waiting, so that a change between making the table and listening is not missed.
            let left = self.refresh(&supervisor);
            self.move_sessions(&left);
            for site in left {
                site.gone.request();
                self.tasks
                    .spawn("retire sessions", ws::retire(site, close::RESTART, grace));
            }
            tokio::select! {
                () = shutdown.requested() => break,
                gone = changed.changed() => if gone.is_err() { break },
            }
        }
        for (_, _, site) in self.table.load().iter() {
            let retired = ws::retire(Arc::clone(site), close::GOING_AWAY, grace);
            self.tasks.spawn("retire sessions", retired);
        }
    }

    /// Puts a new session into the site that it was sent to or, when the table changed meanwhile, where it belongs now.
    /// `None` when there is no such place any more.
    pub fn admit(
        &self,
        site: &Arc<Site>,
        session: &Arc<Session>,
        asked: Asked,
    ) -> Option<Arc<Berth>> {
        let berth = Berth::new(session, asked);
        let entered = berth.enter(site);
        // Looked at after entering: a table that came before is seen here, one that comes after finds a member.
        let table = self.table.load_full();
        let successor = self.successor(&table, site, &berth);
        match (entered, successor) {
            (true, None) => {}
            (true, Some(successor)) => berth.move_to(successor, successor.ready(&self.tasks)?),
            (false, None) => return None,
            (false, Some(successor)) => {
                let ready = successor.ready(&self.tasks)?;
                if !berth.enter(successor) {
                    return None;
                }
                session.move_to(ready, &site.revision.bundle.version.to_string());
            }
        }
        Some(berth)
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
            left.remove(&revision.id)
                .unwrap_or_else(|| Arc::new(Site::new(Arc::clone(revision), &self.cache)))
        });
        self.table.store(Arc::new(table));
        left.into_values().collect()
    }

    /// Moves every session whose path leads elsewhere now.
    fn move_sessions(&self, left: &[Arc<Site>]) {
        let table = self.table.load_full();
        let staying = table.iter().map(|(_, _, site)| site);
        for site in left.iter().chain(staying) {
            for berth in site.members.all() {
                if let Some(successor) = self.successor(&table, site, &berth) {
                    let Some(ready) = successor.ready(&self.tasks) else {
                        continue;
                    };
                    berth.move_to(successor, ready);
                }
            }
        }
    }

    /// Where a session belongs, if that is not where it is: what its path leads to, if that shares its data. A version
    /// that was asked for and is gone has no successor, since a fallback is not what was asked for.
    fn successor<'t>(
        &self,
        table: &'t Table<Arc<Site>>,
        site: &Arc<Site>,
        berth: &Berth,
    ) -> Option<&'t Arc<Site>> {
        let resolved = table.resolve(berth.app(), berth.selector(), self.fallback)?;
        let successor = resolved.value;
        let moves = resolved.exact
            && !Arc::ptr_eq(successor, site)
            && successor.revision.bundle.namespace() == site.revision.bundle.namespace();
        moves.then_some(successor)
    }
}
