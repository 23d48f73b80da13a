//! Where the numbers come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use rookery_telemetry::prometheus::Exposition;
use rookery_telemetry::{LogTail, PoolFigures, Surroundings, WorkerSnapshot};
use serde_json::Value;

use crate::revision::RevisionLine;

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

    /// The rollouts, by app; those that have none are not in it.
    fn rollouts(&self) -> Value;

    /// Apps and their revisions, with the numbers of each.
    fn deployments(&self) -> Value;

    /// The same without what changes by itself: numbers, and how long until something is tried again.
    fn apps(&self) -> Value;

    /// The last lines of the log.
    fn log(&self) -> Arc<LogTail>;

    /// More numbers for Prometheus than the above: families that only their owners know.
    fn expose(&self, text: &mut Exposition);
}
