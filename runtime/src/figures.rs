//! The server's numbers, gathered from the parts that count them.

use std::collections::BTreeMap;
use std::sync::Arc;

use rookery_admin::Source;
use rookery_hub::Hub;
use rookery_pool::{Budget, Totals};
use rookery_supervisor::Supervisor;
use rookery_telemetry::prometheus::Exposition;
use rookery_telemetry::{PoolFigures, Surroundings, WorkerSnapshot, rss_bytes};
use serde_json::Value;

/// The parts that count.
pub struct Figures {
    /// Live workers.
    pub budget: Arc<Budget>,
    /// Requests.
    pub totals: Arc<Totals>,
    /// Sessions and topics.
    pub hub: Arc<Hub>,
    /// Apps and revisions.
    pub supervisor: Arc<Supervisor>,
}

impl Source for Figures {
    fn pool(&self) -> PoolFigures {
        self.totals.figures(self.budget.workers_live())
    }

    fn surroundings(&self) -> Surroundings {
        let hub = self.hub.snapshot().total;
        Surroundings {
            rss_bytes: rss_bytes().unwrap_or_default(),
            sessions: hub.sessions,
            topics: hub.topics,
        }
    }

    fn workers(&self) -> BTreeMap<String, WorkerSnapshot> {
        let pools = self.supervisor.revisions().into_iter();
        let pools = pools.filter_map(|revision| revision.pool.clone());
        let workers = pools.filter_map(|pool| Some((pool.label().to_owned(), pool.workers()?)));
        workers.collect()
    }

    fn hub(&self) -> Value {
        serde_json::to_value(self.hub.snapshot()).unwrap_or_default()
    }

    fn deployments(&self) -> Value {
        serde_json::to_value(self.supervisor.deployments()).unwrap_or_default()
    }

    fn expose(&self, text: &mut Exposition) {
        let hub = self.hub.snapshot().total;
        text.counter("rookery_published_total", "Messages published on topics.")
            .sample(&[], hub.published as f64);
        text.counter(
            "rookery_deliveries_total",
            "Copies of them queued for subscribers.",
        )
        .sample(&[], hub.deliveries as f64);
        text.counter(
            "rookery_slow_closed_total",
            "Sessions closed because they did not keep up.",
        )
        .sample(&[], hub.slow_closed as f64);
        text.counter(
            "rookery_session_faults_total",
            "Sessions closed because the app failed on their event.",
        )
        .sample(&[], hub.guest_faults as f64);
        let mut requests = text.counter(
            "rookery_revision_requests_total",
            "Invocations by revision.",
        );
        for revision in self.supervisor.revisions() {
            if let Some(pool) = &revision.pool {
                let count = pool.stats().requests.get() as f64;
                requests.sample(&[("revision", pool.label())], count);
            }
        }
    }
}
