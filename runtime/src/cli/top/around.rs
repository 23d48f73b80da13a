//! What is told besides revisions: sessions by namespace, proxy rules, and how rollouts go.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::board::Times;

/// A rate is of this long at least: what comes twice in one tick says nothing.
const SHORTEST_MS: u64 = 50;

/// Namespaces and rules, with what they do in a second.
#[derive(Debug, Default)]
pub struct Around {
    pub namespaces: Vec<Namespace>,
    pub rules: Vec<Rule>,
    /// When each was counted last, how much it was, and how fast it grew.
    counts: HashMap<String, (u64, u64, Option<f64>)>,
}

/// One namespace.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Namespace {
    pub namespace: String,
    pub sessions: u64,
    pub topics: u64,
    pub published: u64,
    pub deliveries: u64,
    pub sent: u64,
    pub slow_closed: u64,
    pub guest_faults: u64,
    pub published_per_second: Option<f64>,
    pub deliveries_per_second: Option<f64>,
}

/// One proxy rule.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Rule {
    pub revision: String,
    pub rule: u64,
    pub pattern: String,
    pub target: String,
    pub requests: u64,
    /// By first digit, from 1.
    pub statuses: Vec<u64>,
    pub tunnels: u64,
    pub answer_ms: Times,
    pub requests_per_second: Option<f64>,
}

/// How an app's requests are spread.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Rollout {
    pub weights: BTreeMap<String, f64>,
    pub canary: Option<Canary>,
    pub last: Option<Ended>,
    /// Why the file is not in force.
    pub fault: Option<String>,
}

/// A version that is tried out.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Canary {
    pub version: String,
    pub steps: Vec<f64>,
    pub step: usize,
    pub left_ms: u64,
    pub waits: Option<String>,
    pub judgement: Judgement,
}

/// How it does.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Judgement {
    pub canary: Seen,
    pub stable: Seen,
    pub evidence: BTreeMap<String, f64>,
}

/// What was seen of one side.
#[derive(Clone, Copy, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Seen {
    pub answers: u64,
    pub errors: u64,
    pub faults: u64,
    pub closes: u64,
    pub p99_ms: f64,
}

/// How the last canary ended.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Ended {
    pub version: String,
    pub how: String,
    pub reason: String,
    pub at: u64,
}

/// The hub as it is told.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Hub {
    namespaces: Vec<Namespace>,
}

impl Around {
    /// Takes what was told at `now`, in milliseconds since 1970.
    pub(super) fn hear(&mut self, now: u64, hub: Hub, rules: Vec<Rule>) {
        self.namespaces = hub.namespaces;
        self.rules = rules;
        let mut before = std::mem::take(&mut self.counts);
        let mut grown = |key: String, value| {
            let known = before.remove(&key);
            let count = count(known, now, value);
            self.counts.insert(key, count);
            count.2
        };
        for one in &mut self.namespaces {
            let name = &one.namespace;
            one.published_per_second = grown(format!("published {name}"), one.published);
            let all = one.deliveries + one.sent;
            one.deliveries_per_second = grown(format!("deliveries {name}"), all);
        }
        for rule in &mut self.rules {
            let key = format!("rule {} {}", rule.revision, rule.rule);
            rule.requests_per_second = grown(key, rule.requests);
        }
    }
}

fn count(known: Option<(u64, u64, Option<f64>)>, now: u64, value: u64) -> (u64, u64, Option<f64>) {
    match known {
        Some(known @ (at, ..)) if now.saturating_sub(at) < SHORTEST_MS => known,
        Some((at, before, _)) => {
            let seconds = now.saturating_sub(at) as f64 / 1e3;
            let rate = value.saturating_sub(before) as f64 / seconds;
            (now, value, Some(rate))
        }
        None => (now, value, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(published: u64) -> Hub {
        let one = Namespace {
            namespace: "chat@1".to_owned(),
            published,
            deliveries: 10 * published,
            ..Namespace::default()
        };
        Hub {
            namespaces: vec![one],
        }
    }

    #[test]
    fn what_is_counted_is_told_by_the_second() {
        let mut around = Around::default();
        around.hear(1_000, hub(5), Vec::new());
        assert_eq!(around.namespaces[0].published_per_second, None);
        around.hear(3_000, hub(25), Vec::new());
        let of = |around: &Around| {
            let one = &around.namespaces[0];
            (one.published_per_second, one.deliveries_per_second)
        };
        assert_eq!(of(&around), (Some(10.0), Some(100.0)));
        around.hear(3_001, hub(26), Vec::new());
        assert_eq!(of(&around), (Some(10.0), Some(100.0)), "of the tick before");
        // The server was started anew.
        around.hear(4_000, hub(0), Vec::new());
        assert_eq!(of(&around), (Some(0.0), Some(0.0)));
        around.hear(5_000, Hub::default(), Vec::new());
        assert!(around.counts.is_empty());
    }
}
