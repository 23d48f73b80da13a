//! The server's numbers, gathered from the parts that count them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};

use rookery_admin::Source;
use rookery_gateway::{Gateway, RuleSnapshot};
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
    /// Proxy rules. Known from the moment it is made, after this.
    pub gateway: OnceLock<Weak<Gateway>>,
}

impl Figures {
    /// What was counted of proxy rules.
    fn rules(&self) -> Vec<RuleSnapshot> {
        let gateway = self.gateway.get().and_then(Weak::upgrade);
        gateway.map_or_else(Vec::new, |gateway| gateway.rules())
    }

    fn expose_rules(&self, text: &mut Exposition) {
        let rules = self.rules();
        if rules.is_empty() {
            return;
        }
        let labelled: Vec<(String, &RuleSnapshot)> = rules
            .iter()
            .map(|rule| (rule.index.to_string(), rule))
            .collect();
        let mut requests = text.counter(
            "rookery_proxy_requests_total",
            "Requests by proxy rule and first digit of the answer's status.",
        );
        for (index, rule) in &labelled {
            for (class, count) in ["1xx", "2xx", "3xx", "4xx", "5xx"]
                .iter()
                .zip(rule.statuses)
            {
                let labels = [
                    ("revision", &*rule.revision),
                    ("rule", index),
                    ("status", class),
                ];
                requests.sample(&labels, count as f64);
            }
        }
        let mut tunnels = text.gauge("rookery_proxy_tunnels", "Open WebSockets by proxy rule.");
        for (index, rule) in &labelled {
            let labels = [("revision", &*rule.revision), ("rule", index)];
            tunnels.sample(&labels, rule.tunnels as f64);
        }
        let mut latency = text.histogram(
            "rookery_proxy_answer_seconds",
            "Time to the head of the upstream's answer, by proxy rule.",
        );
        for (index, rule) in &labelled {
            let labels = [("revision", &*rule.revision), ("rule", index)];
            latency.sample(&labels, &rule.latency);
        }
    }
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
        self.expose_rules(text);
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
