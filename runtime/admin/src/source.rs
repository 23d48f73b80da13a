//! Where the numbers come from.

use std::collections::BTreeMap;

use rookery_telemetry::prometheus::Exposition;
use rookery_telemetry::{PoolFigures, StatsSnapshot, Surroundings, WorkerSnapshot};
use serde::Serialize;
use serde_json::Value;

use crate::revision::{RevisionLine, RevisionSnapshot};

/// The server as its operator sees it. Each call takes the numbers anew and must not wait.
pub trait Source: Send + Sync + 'static {
    /// All pools together, past ones included.
    fn pool(&self) -> PoolFigures;

    /// What only the whole server knows.
    fn surroundings(&self) -> Surroundings;

    /// The living workers, a line for each revision that has any, by `name@version`.
    fn workers(&self) -> BTreeMap<String, WorkerSnapshot>;

    /// Every revision that exists, with or without workers; of one version, the oldest first.
    fn revisions(&self) -> Vec<RevisionLine>;

    /// Sessions and topics in detail.
    fn hub(&self) -> Value;

    /// Every proxy rule that was asked: a list of objects.
    fn proxies(&self) -> Value;

    /// Apps and their revisions.
    fn deployments(&self) -> Value;

    /// More numbers for Prometheus than the above: families that only their owners know.
    fn expose(&self, text: &mut Exposition);
}

/// What `/_/stats` and `/_/sse` show: Buntime's two fields, then ours.
#[derive(Serialize)]
pub(crate) struct Stats {
    #[serde(flatten)]
    snapshot: StatsSnapshot,
    revisions: Vec<RevisionSnapshot>,
    hub: Value,
    proxies: Value,
}

impl Stats {
    /// As it is now.
    pub(crate) fn of(source: &dyn Source) -> Stats {
        let snapshot = StatsSnapshot {
            pool: source.pool().snapshot(source.surroundings()),
            workers: source.workers(),
        };
        let revisions = source.revisions();
        Stats {
            snapshot,
            revisions: revisions.iter().map(RevisionLine::snapshot).collect(),
            hub: source.hub(),
            proxies: source.proxies(),
        }
    }
}
