//! Does what the plan says: stages, prepares, publishes, drains.
//!
//! **Invariant:** the table is changed before a replaced revision drains, and after its successor can take requests.
//! **Invariant:** at most `preparing_max` preparations run, each with a deadline. A panic in one is a refusal.
//! **Absent on purpose:** deciding (`plan.rs`) and waiting (`run.rs`): nothing here is async but the spawned tasks.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::FuturesUnordered;
use rookery_bundle::{AppName, Bundle, Kind};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{Pool, Prepare, Spawn};
use rookery_proxy_rules::RuleSet;
use semver::Version;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::catalog::{Found, Look, Report, Severity};
use crate::config::SupervisorConfig;
use crate::event::{Change, Event};
use crate::handle::Shared;
use crate::plan::{Action, Key, Wanted, plan};
use crate::revision::{Refusal, Revision, RevisionId, State, Step, Until};
use crate::rollout::InForce;
use crate::rollout::Writing;
use crate::rollout::disk::Unwritten;
use crate::rollout::ledger::Ledger;
use crate::tags::Tags;
use crate::{refused, rules, table, tags};

/// What turns a bundle of each kind into workers. A kind that is missing is refused.
pub type Kinds = HashMap<Kind, Arc<dyn Prepare>>;

/// Why a bundle of a kind is refused that nobody gave a [`Prepare`] for.
const NO_SUCH_KIND: &str = "is of a kind that this server was not set up to run";

/// Makes the pool of a revision that was prepared.
pub type MakePool = Arc<dyn Fn(&Arc<Bundle>, Arc<dyn Spawn>) -> Arc<Pool> + Send + Sync>;

/// What the loop works with.
pub(crate) struct Work {
    pub(crate) config: SupervisorConfig,
    pub(crate) kinds: Kinds,
    pub(crate) make_pool: MakePool,
    pub(crate) tasks: Tasks,
    pub(crate) shutdown: Shutdown,
    pub(crate) shared: Arc<Shared>,
    /// What is on disk.
    pub(crate) found: BTreeMap<Key, Found>,
    /// One future for each task that was spawned and has an end to tell.
    pub(crate) under_way: FuturesUnordered<Pin<Box<dyn Future<Output = Ended> + Send>>>,
    pub(crate) preparing: usize,
    /// What tags lead to on disk.
    pub(crate) tags: Tags,
    /// How requests are spread.
    pub(crate) ledger: Ledger,
    /// What the table was built of.
    pub(crate) published: (Vec<RevisionId>, Tags, Vec<InForce>),
}

/// How a task ended.
pub(crate) enum Ended {
    Preparing {
        id: RevisionId,
        result: Result<Prepared, Refusal>,
    },
    Draining {
        id: RevisionId,
        in_time: bool,
    },
    Writing {
        writing: Writing,
        outcome: Result<(), Unwritten>,
    },
}

/// What a bundle became on its way to being live.
#[derive(Default)]
pub(crate) struct Prepared {
    pool: Option<Arc<Pool>>,
    rules: Option<Arc<RuleSet>>,
}

impl Work {
    /// Takes note of what is on disk.
    pub(crate) fn take_look(&mut self, mut look: Look) {
        self.take_files(&mut look);
        (self.found, self.tags) = (look.found, look.tags);
        let mut known = self.shared.reports.lock();
        for report in look.reports.iter().filter(|report| !known.contains(report)) {
            self.tell_report(report);
        }
        *known = look.reports;
    }

    /// Takes note of how a task ended.
    pub(crate) fn take_end(&mut self, ended: Ended) {
        match ended {
            Ended::Preparing { id, result } => {
                self.preparing -= 1;
                match result {
                    Ok(prepared) => self.ready(id, prepared),
                    Err(refusal) => self.refuse(id, refusal),
                }
            }
            Ended::Draining { id, in_time } => {
                self.shared.failures.lock().drains += u64::from(!in_time);
                self.step(id, Step::Drained);
            }
            Ended::Writing { writing, outcome } => self.take_written(writing, outcome),
        }
    }

    /// Puts those in the queue again whose back-off is over.
    pub(crate) fn retry_due(&mut self) {
        let due = self.shared.roster.lock().take_due(Instant::now());
        for id in due {
            self.step(id, Step::Retry);
        }
    }

    /// Brings what runs closer to what is on disk, as far as it goes without waiting.
    pub(crate) fn reconcile(&mut self) {
        let mut replaced = Vec::new();
        loop {
            // What needs no preparation is live at once, and then its predecessor can go.
            self.carry_out(&mut replaced);
            if !self.prepare_next() {
                break;
            }
        }
        self.publish();
        for id in replaced {
            self.drain(id);
        }
        let retired = self.shared.roster.lock().take_retired();
        drop(retired);
    }

    fn carry_out(&mut self, replaced: &mut Vec<RevisionId>) {
        let wanted = self.found.iter();
        let wanted = wanted
            .map(|(key, found)| (key.clone(), Wanted::of(found)))
            .collect();
        let actions = plan(&wanted, self.shared.roster.lock().standing());
        for action in actions {
            match action {
                Action::Stage(key) => {
                    let found = &self.found[&key];
                    let cancel = self.shutdown.child();
                    let mut roster = self.shared.roster.lock();
                    let staged = roster.stage(key, found, cancel);
                    self.shared.tell(staged, Change::Staged);
                }
                Action::Withdraw(id) => {
                    if self.step(id, Step::Withdraw) == Some(State::Draining) {
                        replaced.push(id);
                    }
                }
            }
        }
    }

    /// Begins with those whose turn it is. True when one of them became live by that.
    fn prepare_next(&mut self) -> bool {
        let mut has_new = false;
        while self.preparing < self.config.preparing_max.max(1) {
            let next = self.shared.roster.lock().next_staged();
            let Some(id) = next else { break };
            self.step(id, Step::Begin);
            let roster = self.shared.roster.lock();
            let Some(record) = roster.get(id) else {
                continue;
            };
            let (bundle, cancel) = (Arc::clone(&record.bundle), record.cancel.clone());
            drop(roster);
            let prepare = match bundle.kind() {
                Kind::Static if bundle.manifest.proxy.is_empty() => {
                    self.ready(id, Prepared::default());
                    has_new = true;
                    continue;
                }
                Kind::Static => None,
                kind => match self.kinds.get(&kind) {
                    Some(prepare) => Some(Arc::clone(prepare)),
                    None => {
                        self.refuse(id, refusal(NO_SUCH_KIND, Until::Changed));
                        continue;
                    }
                },
            };
            self.prepare(id, bundle, prepare, cancel);
        }
        has_new
    }

    fn prepare(
        &mut self,
        id: RevisionId,
        bundle: Arc<Bundle>,
        prepare: Option<Arc<dyn Prepare>>,
        cancel: Shutdown,
    ) {
        let (sender, receiver) = oneshot::channel();
        let make_pool = Arc::clone(&self.make_pool);
        let deadline = self.config.prepare_deadline;
        let variables = Arc::clone(&self.config.variables);
        self.tasks.spawn("prepare", async move {
            let prepared = timeout(deadline, async {
                let rules = rules::compile(&bundle, &variables).await?;
                let pool = match prepare {
                    Some(prepare) => Some(pool_of(&bundle, &*prepare, &make_pool).await?),
                    None => None,
                };
                Ok(Prepared { pool, rules })
            });
            let result = tokio::select! {
                biased;
                () = cancel.requested() => return,
                result = prepared => result.unwrap_or_else(|_elapsed| {
                    let reason = format!("was not ready within {deadline:?}");
                    Err(refusal(&reason, Until::Retried))
                }),
            };
            let _ = sender.send(result);
        });
        self.preparing += 1;
        self.under_way.push(Box::pin(async move {
            // Nobody sees the reason of one that was cancelled: it is withdrawn.
            let result = receiver.await;
            let panicked = || refusal("the preparation panicked", Until::Retried);
            let result = result.unwrap_or_else(|_| Err(panicked()));
            Ended::Preparing { id, result }
        }));
    }

    fn drain(&mut self, id: RevisionId) {
        let roster = self.shared.roster.lock();
        let revision = roster.get(id).and_then(|record| record.revision.clone());
        drop(roster);
        let Some(pool) = revision.and_then(|revision| revision.pool.clone()) else {
            self.step(id, Step::Drained);
            return;
        };
        let (sender, receiver) = oneshot::channel();
        let (keep, grace) = (self.config.keep, self.config.grace);
        self.tasks.spawn("drain revision", async move {
            pool.keep(keep).await;
            let in_time = pool.drain(grace).await;
            if !in_time {
                let label = pool.label();
                tracing::warn!(
                    revision = label,
                    ?grace,
                    "still had invocations after the grace"
                );
            }
            let _ = sender.send(in_time);
        });
        self.under_way.push(Box::pin(async move {
            let in_time = receiver.await.unwrap_or(false);
            Ended::Draining { id, in_time }
        }));
    }

    fn ready(&mut self, id: RevisionId, prepared: Prepared) {
        let Prepared { pool, rules } = prepared;
        let mut roster = self.shared.roster.lock();
        let Some(record) = roster.step(id, Step::Ready) else {
            return;
        };
        let bundle = Arc::clone(&record.bundle);
        if let Some(pool) = &pool {
            // The first request is not to wait for the sweep that would start them.
            pool.keep_warm();
        }
        record.revision = Some(Arc::new(Revision {
            id,
            bundle,
            pool,
            rules,
            tally: Arc::default(),
        }));
        let after = record.staged.elapsed();
        self.shared.tell(record, Change::Live { after });
    }

    fn refuse(&mut self, id: RevisionId, refusal: Refusal) {
        let (reason, until) = (Arc::clone(&refusal.reason), refusal.until);
        let refused = refusal.clone();
        let mut roster = self.shared.roster.lock();
        let Some(record) = roster.step(id, Step::Refuse(refusal)) else {
            return;
        };
        record.restart.failed(Instant::now(), until);
        record.refused = Some(refused);
        self.shared.failures.lock().preparations += 1;
        self.shared.tell(record, Change::Refused { reason });
    }

    /// Takes a step that carries nothing, and tells of it.
    fn step(&mut self, id: RevisionId, step: Step) -> Option<State> {
        let mut roster = self.shared.roster.lock();
        let record = roster.step(id, step)?;
        let state = record.state.clone();
        let change = match state {
            State::Staged => Change::Staged,
            State::Warming => Change::Warming,
            State::Draining => Change::Draining,
            State::Retired => Change::Retired,
            State::Live | State::Refused(_) => return Some(state),
        };
        if state == State::Retired {
            record.cancel.request();
        }
        self.shared.tell(record, change);
        Some(state)
    }

    /// Shows the world what is live and what is refused, if that is not what it sees already.
    fn publish(&mut self) {
        let roster = self.shared.roster.lock();
        let reports = self.shared.reports.lock();
        let wanted = self.ledger.tags_over(&self.tags);
        let refused = refused::build(&reports, roster.records(), &wanted);
        drop(reports);
        self.shared.refused.store(Arc::new(refused));
        let live: Vec<RevisionId> = roster.live().map(|revision| revision.id).collect();
        let keys: HashSet<(&AppName, &Version)> = roster
            .live()
            .map(|revision| (&revision.bundle.name, &revision.bundle.version))
            .collect();
        let serves = |app: &AppName, version: &Version| keys.contains(&(app, version));
        let tags = tags::served(&wanted, &self.published.1, serves);
        let published = (live, tags, self.ledger.in_force());
        if self.published == published {
            return;
        }
        let (_, tags, rolled) = &published;
        let table = table::build(roster.live(), tags, rolled, self.config.prerelease);
        self.published = published;
        self.shared.table.store(Arc::new(table));
        self.shared
            .generation
            .send_modify(|generation| *generation += 1);
    }

    fn tell_report(&self, report: &Report) {
        let (folder, reason) = (report.folder.as_str(), report.reason.as_str());
        match report.severity {
            Severity::Broken => tracing::warn!(folder, reason, "not served as it is on disk"),
            Severity::Warning => tracing::warn!(folder, reason, "served, with a warning"),
        }
        self.shared.send(Event::Reported {
            folder: folder.into(),
            reason: reason.into(),
        });
    }
}

async fn pool_of(
    bundle: &Arc<Bundle>,
    prepare: &dyn Prepare,
    make_pool: &MakePool,
) -> Result<Arc<Pool>, Refusal> {
    match prepare.prepare(Arc::clone(bundle)).await {
        Ok(spawn) => Ok(make_pool(bundle, spawn)),
        Err(error) => Err(Refusal {
            lacks: error.lacks.as_deref().map(Arc::from),
            ..refusal(&error.reason, Until::Retried)
        }),
    }
}

fn refusal(reason: &str, until: Until) -> Refusal {
    Refusal {
        reason: reason.into(),
        lacks: None,
        until,
    }
}
