//! What came of all requests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::connection::Outcome;
use super::plan::Plan;

/// The quantiles that are told.
const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)];

/// Latencies by status.
#[derive(Debug)]
pub struct Report {
    asked_a_second: u32,
    /// From the first request's instant to the last answer.
    pub elapsed: Duration,
    by_status: BTreeMap<Option<u16>, Vec<Duration>>,
}

impl Report {
    /// Nothing came of anything yet.
    pub fn new(plan: &Plan) -> Self {
        Report {
            asked_a_second: plan.rate,
            elapsed: plan.length,
            by_status: BTreeMap::new(),
        }
    }

    /// Adds what came of some.
    pub fn take(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            let latencies = self.by_status.entry(outcome.status).or_default();
            latencies.push(outcome.latency);
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!("{} requests/s were asked for\n", self.asked_a_second);
        for (status, latencies) in self.sorted() {
            let name = status.map_or("no answer".to_owned(), |status| status.to_string());
            let a_second = latencies.len() as f64 / self.elapsed.as_secs_f64();
            let _ = write!(text, "{name:>9}  {:>8}  {a_second:>9.0}/s", latencies.len());
            for (quantile, of) in QUANTILES {
                let _ = write!(text, "  {quantile} {:.2} ms", millis(&latencies, of));
            }
            text.push('\n');
        }
        text
    }

    /// For scripts.
    pub fn json(&self) -> Value {
        let statuses = self.sorted().map(|(status, latencies)| {
            let mut one = json!({
                "status": status,
                "count": latencies.len(),
                "perSecond": latencies.len() as f64 / self.elapsed.as_secs_f64(),
            });
            for (quantile, of) in QUANTILES {
                one[format!("{quantile}Ms")] = json!(millis(&latencies, of));
            }
            one
        });
        json!({
            "askedPerSecond": self.asked_a_second,
            "elapsedMs": self.elapsed.as_secs_f64() * 1e3,
            "answers": statuses.collect::<Vec<_>>(),
        })
    }

    fn sorted(&self) -> impl Iterator<Item = (Option<u16>, Vec<Duration>)> + '_ {
        self.by_status.iter().map(|(status, latencies)| {
            let mut latencies = latencies.clone();
            latencies.sort_unstable();
            (*status, latencies)
        })
    }
}

/// The smallest latency that so large a part of all does not exceed. There is at least one.
fn millis(sorted: &[Duration], quantile: f64) -> f64 {
    let nth = (sorted.len() as f64 * quantile).ceil() as usize;
    sorted[nth.clamp(1, sorted.len()) - 1].as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_by_status_with_their_quantiles() {
        let plan = Plan {
            rate: 100,
            connections: 1,
            length: Duration::from_secs(1),
        };
        let mut report = Report::new(&plan);
        let outcome = |millis, status| Outcome {
            latency: Duration::from_millis(millis),
            status,
        };
        report.take((1..=100).map(|millis| outcome(millis, Some(200))).collect());
        report.take(vec![outcome(7, Some(503)), outcome(9, None)]);
        let told = report.json();
        let answers = told["answers"].as_array().expect("a list");
        let counts: Vec<_> = answers
            .iter()
            .map(|one| (&one["status"], &one["count"]))
            .collect();
        assert_eq!(
            counts,
            [
                (&json!(null), &json!(1)),
                (&json!(200), &json!(100)),
                (&json!(503), &json!(1)),
            ]
        );
        let ok = &answers[1];
        let quantiles = ["p50Ms", "p95Ms", "p99Ms", "maxMs"].map(|name| ok[name].as_f64());
        assert_eq!(quantiles, [Some(50.0), Some(95.0), Some(99.0), Some(100.0)]);
        assert!(report.text().contains("503"));
    }
}
