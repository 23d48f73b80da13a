//! What was counted of proxy rules, for Prometheus and for the page.
//!
//! **Invariant:** a rule is known by its revision and its place in the file: both are the operator's, and bounded by what
//! is deployed. Nothing of a client is a label.

use rookery_gateway::RuleSnapshot;
use rookery_telemetry::prometheus::Exposition;
use serde_json::{Value, json};

/// A rule with its labels.
struct Line<'a> {
    app: &'a str,
    version: &'a str,
    index: String,
    rule: &'a RuleSnapshot,
}

impl Line<'_> {
    fn labels(&self) -> [(&'static str, &str); 3] {
        [
            ("app", self.app),
            ("version", self.version),
            ("rule", &self.index),
        ]
    }
}

/// Writes the families; none when no rule was asked.
pub fn write(text: &mut Exposition, rules: &[RuleSnapshot]) {
    let lines: Vec<Line<'_>> = rules.iter().map(line).collect();
    if lines.is_empty() {
        return;
    }
    let mut requests = text.counter(
        "rookery_proxy_requests_total",
        "Requests by proxy rule and first digit of the answer's status.",
    );
    for line in &lines {
        let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"];
        for (class, count) in classes.iter().zip(line.rule.statuses) {
            let [app, version, rule] = line.labels();
            requests.sample(&[app, version, rule, ("status", class)], count as f64);
        }
    }
    let mut cancelled = text.counter(
        "rookery_proxy_cancelled_total",
        "Clients that left before the head of their answer, by proxy rule.",
    );
    for line in &lines {
        cancelled.sample(&line.labels(), line.rule.cancelled as f64);
    }
    let mut tunnels = text.gauge("rookery_proxy_tunnels", "Open WebSockets by proxy rule.");
    for line in &lines {
        tunnels.sample(&line.labels(), line.rule.tunnels as f64);
    }
    let mut latency = text.histogram(
        "rookery_proxy_answer_seconds",
        "Time to the head of the upstream's answer, by proxy rule.",
    );
    for line in &lines {
        latency.sample(&line.labels(), &line.rule.latency);
    }
}

/// The same as a list of objects, for `/_/stats`; times in milliseconds.
pub fn json(rules: &[RuleSnapshot]) -> Value {
    let ms = |us: u64| us as f64 / 1000.0;
    let rules = rules.iter().map(|rule| {
        json!({
            "revision": rule.revision,
            "rule": rule.index,
            "pattern": rule.pattern,
            "target": rule.target,
            "requests": rule.requests,
            "statuses": rule.statuses,
            "cancelled": rule.cancelled,
            "tunnels": rule.tunnels,
            "answerMs": {
                "p50": ms(rule.latency.quantile(0.5)),
                "p95": ms(rule.latency.quantile(0.95)),
                "p99": ms(rule.latency.quantile(0.99)),
                "max": ms(rule.latency.max_us()),
            },
        })
    });
    rules.collect()
}

fn line(rule: &RuleSnapshot) -> Line<'_> {
    let (app, version) = rule
        .revision
        .rsplit_once('@')
        .unwrap_or((&rule.revision, ""));
    Line {
        app,
        version,
        index: rule.index.to_string(),
        rule,
    }
}
