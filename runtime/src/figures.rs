//! The server's numbers, gathered from the parts that count them.

mod rules;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock, Weak};

use rookery_admin::{RevisionLine, Source, StartFailure};
use rookery_gateway::Gateway;
use rookery_hub::Hub;
use rookery_pool::{Budget, Totals, WorkerList};
use rookery_supervisor::{Revision, RevisionStatus, Supervisor};
use rookery_telemetry::prometheus::Exposition;
use rookery_telemetry::{LogTail, PoolFigures, Quantiles, Surroundings, WorkerSnapshot, rss_bytes};
use serde_json::Value;

/// How many workers are shown one by one: of one revision, and of all of them together, so that what a viewer is told at
/// each tick stays small however many there are.
const SHOWN_OF_ONE_MAX: usize = 50;
const SHOWN_MAX: usize = 1_000;

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
    /// Proxy rules, and who is attached where. Known from the moment it is made, after this.
    pub gateway: OnceLock<Weak<Gateway>>,
}

impl Figures {
    fn gateway(&self) -> Option<Arc<Gateway>> {
        self.gateway.get().and_then(Weak::upgrade)
    }

    /// Every revision, with the numbers of its pool where it has one.
    fn lines(&self) -> Vec<RevisionLine> {
        let sessions = self.gateway().map(|gateway| gateway.sessions());
        let sessions = sessions.unwrap_or_default();
        let revisions = self.supervisor.revisions();
        let revisions: HashMap<u64, &Arc<Revision>> = revisions
            .iter()
            .map(|revision| (revision.id.0, revision))
            .collect();
        let line = |app: &str, status: RevisionStatus| {
            let revision = revisions.get(&status.id);
            let attached = revision.and_then(|revision| sessions.get(&revision.id));
            let pool = revision.and_then(|revision| revision.pool.as_ref());
            RevisionLine {
                id: status.id,
                app: app.to_owned(),
                version: status.version,
                state: status.state,
                refusal: status.reason.map(|reason| StartFailure {
                    reason,
                    attempts: status.failures,
                    retry_in_ms: status.retry_in_ms,
                }),
                sessions: attached.map_or(0, |count| *count as u64),
                figures: pool.map(|pool| pool.snapshot()),
                workers: pool
                    .map(|pool| pool.each_worker(SHOWN_OF_ONE_MAX))
                    .unwrap_or_default(),
            }
        };
        let mut lines = Vec::new();
        for app in self.supervisor.deployments().apps {
            // The newest come first there.
            let statuses = app.revisions.into_iter().rev();
            lines.extend(statuses.map(|status| line(&app.name, status)));
        }
        bound_shown(lines.iter_mut().map(|line| &mut line.workers), SHOWN_MAX);
        lines
    }
}

/// Where there are more in all, each revision shows as many as every other one may, and at least one.
fn bound_shown<'a>(lists: impl Iterator<Item = &'a mut WorkerList>, most: usize) {
    let lists = lists.filter(|list| !list.listed.is_empty());
    let mut lists: Vec<&mut WorkerList> = lists.collect();
    let all: usize = lists.iter().map(|list| list.listed.len()).sum();
    if all <= most {
        return;
    }
    let of_each = (most / lists.len()).max(1);
    for list in &mut lists {
        let over = list.listed.len().saturating_sub(of_each);
        list.listed.truncate(of_each);
        list.more += over as u64;
    }
}

impl Source for Figures {
    fn pool(&self) -> PoolFigures {
        PoolFigures {
            spare_workers: self.budget.workers_spare() as u64,
            ..self.totals.figures(self.budget.workers_live())
        }
    }

    fn surroundings(&self) -> Surroundings {
        let hub = self.hub.snapshot().total;
        Surroundings {
            rss_bytes: rss_bytes().unwrap_or_default(),
            sessions: hub.sessions,
            topics: hub.topics,
            deliveries: hub.deliveries + hub.sent,
            sessions_failed: hub.guest_faults + hub.slow_closed,
        }
    }

    fn workers(&self) -> BTreeMap<String, WorkerSnapshot> {
        let pools = self.supervisor.revisions().into_iter();
        let pools = pools.filter_map(|revision| revision.pool.clone());
        let workers = pools.filter_map(|pool| Some((pool.label().to_owned(), pool.workers()?)));
        workers.collect()
    }

    fn revisions(&self) -> Vec<RevisionLine> {
        self.lines()
    }

    fn proxies(&self) -> Value {
        let rules = self.gateway().map(|gateway| gateway.rules());
        rules::json(&rules.unwrap_or_default())
    }

    fn rollouts(&self) -> Value {
        serde_json::to_value(self.supervisor.rollouts()).unwrap_or_default()
    }

    fn hub(&self) -> Value {
        let mut hub = serde_json::to_value(self.hub.snapshot()).unwrap_or_default();
        if let Some(gateway) = self.gateway() {
            let moves = gateway.moves();
            hub["moved"] = moves.moved.get().into();
            hub["wentBack"] = moves.went_back.get().into();
        }
        let wake = Quantiles::of(&self.totals.wake.snapshot());
        hub["wakeMs"] = serde_json::to_value(wake).unwrap_or_default();
        hub
    }

    fn deployments(&self) -> Value {
        let mut shown = serde_json::to_value(self.supervisor.deployments()).unwrap_or_default();
        let mut figures: HashMap<u64, Value> = HashMap::new();
        for line in self.lines() {
            let snapshot = serde_json::to_value(line.snapshot());
            figures.insert(line.id, snapshot.unwrap_or_default());
        }
        let apps = shown["apps"].as_array_mut().into_iter().flatten();
        for revision in apps.flat_map(|app| app["revisions"].as_array_mut().into_iter().flatten()) {
            let id = revision["id"].as_u64().unwrap_or_default();
            if let Some(figures) = figures.remove(&id) {
                revision["figures"] = figures;
            }
        }
        shown
    }

    fn apps(&self) -> Value {
        let mut shown = serde_json::to_value(self.supervisor.deployments()).unwrap_or_default();
        let apps = shown["apps"].as_array_mut().into_iter().flatten();
        for revision in apps.flat_map(|app| app["revisions"].as_array_mut().into_iter().flatten()) {
            if let Some(revision) = revision.as_object_mut() {
                revision.remove("retryInMs");
            }
        }
        shown
    }

    fn log(&self) -> Arc<LogTail> {
        rookery_telemetry::trace::tail()
    }

    fn expose(&self, text: &mut Exposition) {
        if let Some(gateway) = self.gateway() {
            rules::write(text, &gateway.rules());
            let moves = gateway.moves();
            text.counter(
                "rookery_sessions_moved_total",
                "Sessions that moved to the revision that their paths led to.",
            )
            .sample(&[], moves.moved.get() as f64);
            text.counter(
                "rookery_sessions_went_back_total",
                "Sessions that went back because the app died of one that it took over.",
            )
            .sample(&[], moves.went_back.get() as f64);
        }
        let mut weights = text.gauge(
            "rookery_rollout_weight_percent",
            "What each version gets of what asks for none, where a rollout says it.",
        );
        for (app, rollout) in &self.supervisor.rollouts() {
            for (version, weight) in &rollout.weights {
                weights.sample(&[("app", app), ("version", version)], *weight);
            }
        }
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
            "rookery_dropped_total",
            "Messages dropped, oldest first, for sessions that did not keep up.",
        )
        .sample(&[], hub.dropped as f64);
        text.counter(
            "rookery_conflated_total",
            "Messages dropped for later ones of their key.",
        )
        .sample(&[], hub.conflated as f64);
        text.counter(
            "rookery_session_faults_total",
            "Sessions closed because the app failed on their event.",
        )
        .sample(&[], hub.guest_faults as f64);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rookery_pool::{WorkerFigures, WorkerState};

    use super::*;

    fn list(count: u64) -> WorkerList {
        let one = |number| WorkerFigures {
            number,
            state: WorkerState::Busy,
            age: Duration::ZERO,
            idle: None,
            leases: 1,
            served: 1,
            memory_bytes: None,
            process: None,
        };
        WorkerList {
            listed: (1..=count).map(one).collect(),
            more: 2,
        }
    }

    #[test]
    fn where_there_are_too_many_workers_each_revision_shows_its_part_and_counts_the_rest() {
        let shown = |counts: &[u64]| {
            let mut lists: Vec<WorkerList> = counts.iter().map(|count| list(*count)).collect();
            bound_shown(lists.iter_mut(), 12);
            let shown = lists.iter().map(|list| (list.listed.len(), list.more));
            shown.collect::<Vec<_>>()
        };
        assert_eq!(shown(&[9, 3, 0]), [(9, 2), (3, 2), (0, 2)]);
        assert_eq!(shown(&[9, 4, 0]), [(6, 5), (4, 2), (0, 2)]);
        assert_eq!(shown(&[20; 20]), [(1, 21); 20]);
    }
}
