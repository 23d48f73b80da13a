//! All numbers of the server at one moment, and what they were before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_telemetry::{FaultGroup, PoolSnapshot, StatsSnapshot};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::history::{History, Point};
use crate::recent::Windows;
use crate::revision::RevisionSnapshot;
use crate::source::Source;

/// Takes the server's numbers, and knows what they were.
pub(crate) struct Survey {
    source: Arc<dyn Source>,
    windows: Mutex<Windows>,
    pub(crate) history: Arc<History>,
}

/// What `/_/stats` and `/_/sse` show: Buntime's two fields, then ours.
#[derive(Serialize)]
pub(crate) struct Stats {
    #[serde(flatten)]
    snapshot: StatsSnapshot,
    /// The last whole second.
    recent: Value,
    revisions: Vec<RevisionSnapshot>,
    hub: Value,
    proxies: Value,
    faults: Vec<FaultGroup>,
    rollouts: Value,
}

/// What the dashboard is told at a tick.
#[derive(Serialize)]
pub(crate) struct Tick<'a> {
    /// When, in milliseconds since 1970.
    now: u64,
    pool: PoolSnapshot,
    /// As a row of the history.
    point: Option<Point>,
    hub: Value,
    proxies: Value,
    faults: Vec<FaultGroup>,
    /// Whether `revisions` are all, or those that changed since the tick before.
    whole: bool,
    revisions: Vec<&'a RevisionSnapshot>,
    /// Those of the tick before that are no more.
    gone: Vec<u64>,
}

impl Survey {
    /// At `source`, with a history from now on.
    pub(crate) fn new(source: Arc<dyn Source>, tasks: &Tasks, shutdown: Shutdown) -> Arc<Survey> {
        let history = Arc::new(History::default());
        history.keep(Arc::clone(&source), tasks, shutdown);
        Arc::new(Survey {
            source,
            windows: Mutex::default(),
            history,
        })
    }

    pub(crate) fn source(&self) -> &dyn Source {
        self.source.as_ref()
    }

    /// All there is.
    pub(crate) fn stats(&self) -> Stats {
        let source = self.source();
        Stats {
            snapshot: StatsSnapshot {
                pool: source.pool().snapshot(source.surroundings()),
                workers: source.workers(),
            },
            recent: self.history.newest_named(),
            revisions: self.revisions(),
            hub: source.hub(),
            proxies: source.proxies(),
            faults: source.log().faults(),
            rollouts: source.rollouts(),
        }
    }

    /// Every revision, with what it did lately.
    pub(crate) fn revisions(&self) -> Vec<RevisionSnapshot> {
        let lines = self.source.revisions();
        let recent = self.windows.lock().of(&lines, Instant::now());
        let lines = lines.iter().zip(recent);
        let now = unix_ms();
        lines
            .map(|(line, recent)| line.snapshot_at(now, recent))
            .collect()
    }

    /// A tick that tells of every revision.
    pub(crate) fn whole<'a>(&self, revisions: &'a [RevisionSnapshot]) -> Tick<'a> {
        Tick {
            whole: true,
            revisions: revisions.iter().collect(),
            ..self.tick()
        }
    }

    /// A tick that tells of what changed since `before`.
    pub(crate) fn changes<'a>(
        &self,
        before: &[RevisionSnapshot],
        revisions: &'a [RevisionSnapshot],
    ) -> Tick<'a> {
        let mut known: HashMap<u64, &RevisionSnapshot> =
            before.iter().map(|line| (line.id(), line)).collect();
        let changed = revisions
            .iter()
            .filter(|line| known.remove(&line.id()) != Some(*line));
        let revisions = changed.collect();
        let mut gone: Vec<u64> = known.into_keys().collect();
        gone.sort_unstable();
        Tick {
            whole: false,
            revisions,
            gone,
            ..self.tick()
        }
    }

    fn tick<'a>(&self) -> Tick<'a> {
        let source = self.source();
        Tick {
            now: unix_ms(),
            pool: source.pool().snapshot(source.surroundings()),
            point: self.history.newest(),
            hub: source.hub(),
            proxies: source.proxies(),
            faults: source.log().faults(),
            whole: true,
            revisions: Vec::new(),
            gone: Vec::new(),
        }
    }
}

/// Now, in milliseconds since 1970; a clock that stands before it shows 0.
pub(crate) fn unix_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
