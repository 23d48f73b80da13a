//! What the other parts of the server hold of the supervisor.
//!
//! **Invariant:** reading the table takes no lock and never waits: it is on the way of every request.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::stream::FuturesUnordered;
use parking_lot::Mutex;
use rookery_bundle::AppName;
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_routing::{Fallback, Selector, Table};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

use crate::apply::{Kinds, MakePool, Work};
use crate::catalog::{Look, Report, Severity, looks};
use crate::config::SupervisorConfig;
use crate::deployments::{Deployments, Failures};
use crate::event::{Change, EVENTS_MAX, Event};
use crate::refused::Refused;
use crate::revision::{Revision, State};
use crate::rolling::{COMMANDS_MAX, Command};
use crate::rollout::ledger::Ledger;
use crate::rollout::{self, RolloutError, RolloutStatus};
use crate::roster::{Record, Roster};
use crate::run;
use crate::tags::Tags;

/// Serves what the apps directories hold, until the shutdown.
pub struct Supervisor {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
}

/// What the loop writes and others read.
pub(crate) struct Shared {
    pub(crate) table: ArcSwap<Table<Arc<Revision>>>,
    pub(crate) refused: ArcSwap<Table<Refused>>,
    pub(crate) generation: watch::Sender<u64>,
    pub(crate) ready: watch::Sender<bool>,
    // Held for the time of a step, never across an await.
    pub(crate) roster: Mutex<Roster>,
    pub(crate) reports: Mutex<Vec<Report>>,
    pub(crate) failures: Mutex<Failures>,
    pub(crate) rollouts: Mutex<BTreeMap<String, RolloutStatus>>,
    events: broadcast::Sender<Event>,
    wake: Arc<Notify>,
}

impl Supervisor {
    /// Starts looking at the apps directories, and deploys what it finds. Returns at once; see
    /// [`settled`](Supervisor::settled).
    pub fn start(
        config: SupervisorConfig,
        kinds: Kinds,
        make_pool: MakePool,
        tasks: &Tasks,
        shutdown: &Shutdown,
    ) -> Arc<Supervisor> {
        let shared = Arc::new(Shared::new());
        let wake = Arc::clone(&shared.wake);
        let looks = looks::spawn(&config, wake, tasks, shutdown.clone());
        Supervisor::following(looks, shared, config, kinds, make_pool, tasks, shutdown)
    }

    /// Serves what these looks found.
    pub(crate) fn following(
        looks: mpsc::Receiver<Look>,
        shared: Arc<Shared>,
        config: SupervisorConfig,
        kinds: Kinds,
        make_pool: MakePool,
        tasks: &Tasks,
        shutdown: &Shutdown,
    ) -> Arc<Supervisor> {
        let (commands, received) = mpsc::channel(COMMANDS_MAX);
        let home = config.apps_dirs.first().cloned();
        let work = Work {
            ledger: Ledger::new(home),
            config,
            kinds,
            make_pool,
            tasks: tasks.clone(),
            shutdown: shutdown.clone(),
            shared: Arc::clone(&shared),
            found: BTreeMap::new(),
            under_way: FuturesUnordered::new(),
            preparing: 0,
            tags: Tags::new(),
            published: (Vec::new(), Tags::new(), Vec::new()),
        };
        tasks.spawn("supervisor", run::run(work, looks, received));
        Arc::new(Supervisor { shared, commands })
    }

    /// Which revision serves each version of each app, now.
    pub fn table(&self) -> Arc<Table<Arc<Revision>>> {
        self.shared.table.load_full()
    }

    /// The table, for one lookup: cheaper than [`table`](Supervisor::table), and not to be held across an await.
    pub fn peek(&self) -> arc_swap::Guard<Arc<Table<Arc<Revision>>>> {
        self.shared.table.load()
    }

    /// Why what a path asks for does not serve, for one that was not found in the table. `None` when nothing that the
    /// path could mean was ever put there.
    pub fn refused(&self, app: &str, asked: &Selector, fallback: Fallback) -> Option<Refused> {
        let refused = self.shared.refused.load();
        let resolved = refused.resolve(app, asked, fallback)?;
        Some(resolved.value.clone())
    }

    /// The table's generation; it changes with every table, after it.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.shared.generation.subscribe()
    }

    /// Every revision that serves or finishes what it began, the oldest first.
    pub fn revisions(&self) -> Vec<Arc<Revision>> {
        let roster = self.shared.roster.lock();
        let has_work = |state: &State| matches!(state, State::Live | State::Draining);
        let busy = roster.records().filter(|record| has_work(&record.state));
        busy.filter_map(|record| record.revision.clone()).collect()
    }

    /// Everything an operator wants to know.
    pub fn deployments(&self) -> Deployments {
        Deployments::of(&self.shared)
    }

    /// Whether all that was found at the start is live or refused. Never false again after that.
    pub fn ready(&self) -> bool {
        *self.shared.ready.borrow()
    }

    /// Waits until [`ready`](Supervisor::ready).
    pub async fn settled(&self) {
        // The sender lives as long as `self`.
        let _ = self.shared.ready.subscribe().wait_for(|ready| *ready).await;
    }

    /// What happens from now on. At most [`EVENTS_MAX`] wait for a listener.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.shared.events.subscribe()
    }

    /// Changes how an app's requests are spread. In force, and on the disk, when this returns what it is now.
    ///
    /// # Errors
    /// Why it is not; of [`NotWritten`](RolloutError::NotWritten) it is in force all the same.
    pub async fn roll(
        &self,
        app: &AppName,
        change: rollout::Change,
    ) -> Result<RolloutStatus, RolloutError> {
        let (reply, answer) = oneshot::channel();
        let command = Command {
            app: app.clone(),
            change,
            reply,
        };
        let sent = self.commands.send(command).await;
        sent.map_err(|_| RolloutError::Stopped)?;
        answer.await.map_err(|_| RolloutError::Stopped)?
    }

    /// The rollouts, by app; those that have none are not in it.
    pub fn rollouts(&self) -> BTreeMap<String, RolloutStatus> {
        self.shared.rollouts.lock().clone()
    }

    /// Looks at the disk soon, for one who has just changed something there.
    pub fn rescan(&self) {
        self.shared.look_soon();
    }
}

impl Shared {
    pub(crate) fn new() -> Shared {
        Shared {
            table: ArcSwap::from_pointee(Table::default()),
            refused: ArcSwap::from_pointee(Table::default()),
            generation: watch::Sender::new(0),
            ready: watch::Sender::new(false),
            roster: Mutex::default(),
            reports: Mutex::default(),
            failures: Mutex::default(),
            rollouts: Mutex::default(),
            events: broadcast::Sender::new(EVENTS_MAX),
            wake: Arc::default(),
        }
    }

    /// Brings the next look at the disk forward.
    pub(crate) fn look_soon(&self) {
        self.wake.notify_one();
    }

    /// How many folders are not served as they are.
    pub(crate) fn broken(&self) -> usize {
        let reports = self.reports.lock();
        let broken = reports
            .iter()
            .filter(|report| report.severity == Severity::Broken);
        broken.count()
    }

    /// Tells of a revision's change of state, to the listeners and in the log.
    pub(crate) fn tell(&self, record: &Record, change: Change) {
        log(record, &change);
        self.send(Event::Revision {
            id: record.id,
            label: Arc::clone(&record.label),
            change,
        });
    }

    pub(crate) fn send(&self, event: Event) {
        // The error says that nobody listens.
        let _ = self.events.send(event);
    }
}

fn log(record: &Record, change: &Change) {
    let (revision, id) = (&record.label, record.id.0);
    match change {
        Change::Staged | Change::Warming => {
            tracing::debug!(%revision, id, "{}", record.state.name());
        }
        Change::Live { after } => {
            let after_ms = after.as_millis();
            tracing::info!(%revision, id, after_ms, "live");
            for warning in &record.bundle.warnings {
                tracing::warn!(%revision, id, warning, "live, with a warning");
            }
        }
        Change::Refused { reason } if record.restart.failures() <= 1 => {
            tracing::warn!(%revision, id, %reason, "refused");
        }
        Change::Refused { reason } => {
            let failures = record.restart.failures();
            tracing::debug!(%revision, id, failures, %reason, "refused again");
        }
        Change::Draining | Change::Retired => {
            tracing::info!(%revision, id, "{}", record.state.name());
        }
    }
}
