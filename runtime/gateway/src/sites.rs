//! The table of all sites, and what a change of it means for their sessions.
//!
//! **Invariant:** a site is made once per revision and kept while the revision is in the supervisor's table, so its
//! file index and its sessions outlive every change around it. One that left the table is kept while sessions need it.
//! **Invariant:** a session begins in a site that is in the table, or in none.
//! **Absent on purpose:** how a session moves (`ws/berth.rs`) and when it goes back (`trial.rs`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rookery_hub::{ReadyQueue, Session, close};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_routing::{Fallback, Selector, Table};
use rookery_supervisor::{RevisionId, Supervisor};
use tokio::time::Instant;

use crate::config::GatewayConfig;
use crate::proxy::{RuleSnapshot, Rules};
use crate::site::Site;
use crate::static_files::FileCache;
use crate::trial::{Judged, Moves};
use crate::ws::{self, Asked, Berth};

/// How long sessions that have nowhere to go are left alone: a deploy may take the old version away a moment before the
/// new one serves, as the renaming of a folder does.
const LINGER: Duration = Duration::from_secs(3);

/// All sites; the table is replaced whole when the supervisor's changes.
pub(crate) struct Sites {
    table: ArcSwap<Table<Arc<Site>>>,
    /// Those that left the table and still have sessions, or may get some back.
    kept: Mutex<Vec<Arc<Site>>>,
    cache: Arc<FileCache>,
    moves: Arc<Moves>,
    rules: SessionRules,
    tasks: Tasks,
}

/// What the operator says about sessions whose revisions change.
struct SessionRules {
    fallback: Fallback,
    grace: Duration,
    keep: Duration,
    trial: Duration,
}

/// Where a session belongs.
enum Way<'t> {
    /// To another site, whose guest takes sessions.
    On(&'t Arc<Site>, &'t Arc<ReadyQueue>),
    /// Where it is, for as long as that is kept.
    Stay,
    /// Nowhere, when the site where it is leaves.
    End,
}

impl Sites {
    pub fn new(supervisor: &Supervisor, config: &GatewayConfig, tasks: &Tasks) -> Arc<Sites> {
        let sites = Sites {
            table: ArcSwap::default(),
            kept: Mutex::default(),
            cache: Arc::new(FileCache::default()),
            moves: Arc::default(),
            rules: SessionRules {
                fallback: config.fallback,
                grace: config.drain_grace,
                keep: config.session_keep,
                trial: config.session_trial,
            },
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

    /// How many sessions each revision holds, where it holds any: of those in the table and of those that are kept.
    pub fn sessions(&self) -> HashMap<RevisionId, usize> {
        let sites = self.all();
        let counted = sites
            .iter()
            .map(|site| (site.revision.id, site.members.count()));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    /// How many sessions changed their revision.
    pub fn moves(&self) -> &Arc<Moves> {
        &self.moves
    }

    /// Follows the supervisor's table until the shutdown. Sessions move with it to where their path leads now; those of
    /// a site that leaves the table and has no successor are closed, or kept for a while.
    pub async fn follow(self: Arc<Self>, supervisor: Arc<Supervisor>, shutdown: Shutdown) {
        let mut changed = supervisor.changed();
        loop {
            // Looked at before waiting, so that a change between making the table and listening is not missed.
            let left = self.refresh(&supervisor);
            self.kept.lock().extend(left.iter().cloned());
            self.move_sessions();
            self.end_trials();
            for site in left {
                site.leave_table();
                let retired = Arc::clone(&self).retire(site, shutdown.clone());
                self.tasks.spawn("retire sessions", retired);
            }
            tokio::select! {
                () = shutdown.requested() => break,
                gone = changed.changed() => if gone.is_err() { break },
            }
        }
        for (_, _, site) in self.table.load().iter() {
            let (site, grace) = (Arc::clone(site), self.rules.grace);
            self.tasks.spawn("retire sessions", async move {
                ws::retire(&site, close::GOING_AWAY, grace).await;
            });
        }
    }

    /// Where a session that is about to begin is served, and waits. `None` when nothing that it asked for takes sessions.
    pub fn place(&self, asked: &Asked) -> Option<(Arc<Site>, Arc<ReadyQueue>)> {
        let table = self.table.load();
        let lot = || asked.lot;
        let resolved = table.resolve_for(&asked.app, &asked.selector, self.rules.fallback, lot)?;
        let ready = resolved.value.ready(&self.tasks)?;
        Some((Arc::clone(resolved.value), Arc::clone(ready)))
    }

    /// Puts a session that no guest has heard of into this [`place`](Sites::place). `None` when that left the table
    /// meanwhile: there is another one, or none.
    pub fn admit(
        &self,
        site: &Arc<Site>,
        session: &Arc<Session>,
        asked: Asked,
    ) -> Option<Arc<Berth>> {
        let berth = Berth::new(session, asked);
        if !berth.arrive(site) {
            return None;
        }
        // Looked at after entering: a table that came before is seen here, one that comes after finds a member.
        let table = self.table.load_full();
        match self.way(&table, site, &berth) {
            Way::Stay => {}
            Way::On(next, ready) => berth.move_to(next, ready, self.rules.trial),
            Way::End => {
                let mut all = table.iter();
                let is_there = all.any(|(_, _, one)| Arc::ptr_eq(one, site));
                if !is_there && berth.withdraw(site) {
                    return None;
                }
            }
        }
        self.give_home(&table, &berth);
        Some(berth)
    }

    /// Those in the table, and those that are kept.
    fn all(&self) -> Vec<Arc<Site>> {
        let table = self.table.load();
        let staying = table.iter().map(|(_, _, site)| Arc::clone(site));
        let mut all: Vec<_> = staying.collect();
        all.extend(self.kept.lock().iter().cloned());
        all
    }

    /// Takes over the supervisor's table, with a site for each revision: the old one where there is one. Gives the
    /// sites that are no longer in it.
    fn refresh(&self, supervisor: &Supervisor) -> Vec<Arc<Site>> {
        let old = self.table.load_full();
        let mut left: HashMap<RevisionId, Arc<Site>> = old
            .iter()
            .map(|(_, _, site)| (site.revision.id, Arc::clone(site)))
            .collect();
        let table = supervisor.table().map(|revision| {
            left.remove(&revision.id).unwrap_or_else(|| {
                Arc::new(Site::new(Arc::clone(revision), &self.cache, &self.moves))
            })
        });
        for site in tried(&table) {
            site.trial.set_judged(Judged::Yes);
        }
        self.table.store(Arc::new(table));
        left.into_values().collect()
    }

    /// What is not tried out any more has moved its sessions away, or passed.
    fn end_trials(&self) {
        let table = self.table.load();
        for site in self.all() {
            if !is_tried(&table, site.revision.bundle.name.as_str(), &site) {
                site.trial.set_judged(Judged::No);
            }
        }
    }

    /// Says where a session goes back to that was opened on a version that is tried out: where it would be without it.
    fn give_home(&self, table: &Table<Arc<Site>>, berth: &Berth) {
        let (app, asked) = (berth.app(), berth.selector());
        let Some(site) = berth.site().filter(|site| is_tried(table, app, site)) else {
            return;
        };
        let home = table.resolve_without_tried(app, asked, berth.lot());
        let Some(home) = home.map(|home| home.value) else {
            return;
        };
        let namespace = |site: &Site| site.revision.bundle.namespace();
        // Somebody has to wait there for who comes back.
        if !Arc::ptr_eq(home, &site)
            && namespace(home) == namespace(&site)
            && home.ready(&self.tasks).is_some()
        {
            berth.give_home(&site, home);
        }
    }

    /// Moves every session whose path leads elsewhere now.
    fn move_sessions(&self) {
        let table = self.table.load_full();
        for site in self.all() {
            for berth in site.members.all() {
                if let Way::On(next, ready) = self.way(&table, &site, &berth) {
                    berth.move_to(next, ready, self.rules.trial);
                }
                self.give_home(&table, &berth);
            }
        }
    }

    /// The end of a site that left the table, when nobody needs it any more.
    async fn retire(self: Arc<Self>, site: Arc<Site>, shutdown: Shutdown) {
        let why = tokio::select! {
            biased;
            () = shutdown.requested() => close::GOING_AWAY,
            () = self.outlive(&site) => close::RESTART,
        };
        ws::retire(&site, why, self.rules.grace).await;
        self.kept.lock().retain(|kept| !Arc::ptr_eq(kept, &site));
    }

    /// Who has nowhere to go, and no reason to wait for a place, is closed soon; who asked for exactly this version, or
    /// would have to go where others came back from, is kept for a while.
    async fn outlive(&self, site: &Arc<Site>) {
        let now = Instant::now();
        ws::linger(site, now + LINGER.min(self.rules.keep)).await;
        let table = self.table.load_full();
        for berth in site.members.all() {
            if let Way::End = self.way(&table, site, &berth) {
                berth.close_at(site, close::RESTART);
            }
        }
        drop(table);
        ws::outlive(site, now + self.rules.keep).await;
    }

    /// Where a session belongs: where its path leads, if that shares its data. A version that was asked for and is gone
    /// has no successor, since a fallback is not what was asked for.
    fn way<'t>(&self, table: &'t Table<Arc<Site>>, site: &Arc<Site>, berth: &Berth) -> Way<'t> {
        let (app, asked, fallback) = (berth.app(), berth.selector(), self.rules.fallback);
        let at = &site.revision.bundle.version;
        let resolved = table.resolve_session(app, asked, fallback, berth.lot(), at);
        let Some(resolved) = resolved.filter(|resolved| resolved.exact) else {
            return match berth.selector() {
                Selector::Version(_) => Way::Stay,
                Selector::None | Selector::Range(_) | Selector::Tag(_) => Way::End,
            };
        };
        let next = resolved.value;
        if Arc::ptr_eq(next, site) {
            return Way::Stay;
        }
        if next.revision.bundle.namespace() != site.revision.bundle.namespace() {
            return Way::End;
        }
        match next.ready(&self.tasks) {
            None => Way::End,
            Some(_) if next.trial.has_failed() => Way::Stay,
            Some(_) if berth.has_left(next) && is_tried(table, app, next) => Way::Stay,
            Some(ready) => Way::On(next, ready),
        }
    }
}

/// Whether a rollout tries this version of the app out.
fn is_tried(table: &Table<Arc<Site>>, app: &str, site: &Arc<Site>) -> bool {
    let tried = table.tried(app);
    tried.is_some_and(|(_, tried)| Arc::ptr_eq(tried, site))
}

/// The sites of versions that rollouts try out.
fn tried(table: &Table<Arc<Site>>) -> impl Iterator<Item = &Arc<Site>> {
    let apps = table.apps();
    apps.filter_map(|app| Some(table.tried(app)?.1))
}

#[cfg(test)]
mod tests;
