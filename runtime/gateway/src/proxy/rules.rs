//! The rules of a site, their upstreams, and what is counted of each.
//!
//! **Invariant:** what is counted costs memory only for rules that were asked.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Instant;

use http::{Response, StatusCode};
use rookery_pool::Body;
use rookery_proxy_rules::{Certificate, Matched, Rule, RuleSet, Scheme};
use rookery_telemetry::{Counter, Gauge, Histogram, HistogramSnapshot};
use rookery_upstream::{Target, Verify};

use crate::error::RequestError;
use crate::respond;

/// The rules of a site.
pub(crate) struct Rules {
    label: String,
    set: Arc<RuleSet>,
    /// By the rule's index.
    sides: Vec<Side>,
}

/// What belongs to a rule here.
struct Side {
    target: Target,
    figures: OnceLock<Arc<Figures>>,
}

/// A rule that a request is for.
pub(crate) struct Asked<'a> {
    pub matched: Matched<'a>,
    pub target: &'a Target,
    pub figures: Arc<Figures>,
}

/// What is counted of a rule.
#[derive(Default)]
pub(crate) struct Figures {
    requests: Counter,
    /// By the first digit of the status, from 1.
    statuses: [Counter; 5],
    cancelled: Counter,
    latency: Histogram,
    tunnels: Gauge,
}

/// One rule at one moment. Its numbers begin with its revision, when it is first asked.
#[derive(Clone, Debug)]
pub struct RuleSnapshot {
    /// `name@version` of the bundle.
    pub revision: String,
    /// Its place in the file, from 0.
    pub index: usize,
    /// Its pattern, as its author wrote it.
    pub pattern: String,
    /// Scheme, host and port of its target.
    pub target: String,
    /// Requests that it matched, handshakes of WebSockets included.
    pub requests: u64,
    /// How they were answered, by the first digit of the status: 1xx, 2xx, 3xx, 4xx, 5xx. Our own answers for an upstream
    /// that failed are among them; 101 is an open tunnel.
    pub statuses: [u64; 5],
    /// Clients that left before the head of their answer.
    pub cancelled: u64,
    /// How long it took until the head of the answer.
    pub latency: HistogramSnapshot,
    /// WebSockets that are open now.
    pub tunnels: i64,
}

impl Rules {
    /// Takes the rules of a revision, and says in the log which of them believe every certificate.
    pub fn new(label: &str, set: &Arc<RuleSet>) -> Self {
        let sides = set.rules().iter().map(|rule| {
            let target = target(rule);
            if let Target::Tls {
                verify: Verify::Nobody,
                ..
            } = &target
            {
                tracing::warn!(
                    revision = label,
                    rule = rule.name(),
                    %target,
                    "the rule says \"secure\": false, so its target's certificate is not verified"
                );
            }
            Side {
                target,
                figures: OnceLock::new(),
            }
        });
        Rules {
            label: label.to_owned(),
            sides: sides.collect(),
            set: Arc::clone(set),
        }
    }

    /// The rule for a path below the app.
    pub fn find(&self, path: &str) -> Option<Asked<'_>> {
        let lookup = self.set.find(path);
        for gave_up in lookup.gave_up.iter().filter(|gave_up| gave_up.is_first) {
            tracing::warn!(
                revision = self.label,
                rule = gave_up.rule.name(),
                path,
                "a pattern came to its limit of steps, and counts as not matching"
            );
        }
        let matched = lookup.matched?;
        let side = &self.sides[matched.rule().index()];
        Some(Asked {
            target: &side.target,
            figures: Arc::clone(side.figures.get_or_init(Arc::default)),
            matched,
        })
    }

    /// Every rule that was asked, in the file's order.
    pub fn snapshot(&self) -> Vec<RuleSnapshot> {
        let rules = self.set.rules().iter().zip(&self.sides);
        let asked = rules.filter_map(|(rule, side)| {
            let figures = side.figures.get()?;
            Some(RuleSnapshot {
                revision: self.label.clone(),
                index: rule.index(),
                pattern: rule.name().to_owned(),
                target: side.target.to_string(),
                requests: figures.requests.get(),
                statuses: figures.statuses.each_ref().map(Counter::get),
                cancelled: figures.cancelled.get(),
                latency: figures.latency.snapshot(),
                tunnels: figures.tunnels.get(),
            })
        });
        asked.collect()
    }
}

fn target(rule: &Rule) -> Target {
    let target = rule.target();
    let bare = target.host.trim_start_matches('[').trim_end_matches(']');
    let (host, port) = (bare.into(), target.port);
    match (target.scheme, rule.certificate()) {
        (Scheme::Http, _) => Target::Tcp { host, port },
        (Scheme::Https, certificate) => Target::Tls {
            host,
            port,
            verify: match certificate {
                Certificate::Verified => Verify::Roots,
                Certificate::Any => Verify::Nobody,
            },
        },
    }
}

/// A request while it is counted. Dropped without an answer, its client left.
pub(crate) struct Counting {
    figures: Arc<Figures>,
    begun: Instant,
    answered: bool,
}

impl Counting {
    pub fn begin(figures: Arc<Figures>) -> Self {
        figures.requests.incr();
        Counting {
            figures,
            begun: Instant::now(),
            answered: false,
        }
    }

    /// Counts what is asked, and what comes of it.
    pub async fn around(
        figures: Arc<Figures>,
        asking: impl Future<Output = Result<Response<Body>, RequestError>>,
    ) -> Result<Response<Body>, RequestError> {
        let counting = Counting::begin(figures);
        let answered = asking.await;
        counting.ended(&answered);
        answered
    }

    /// Counts what came of it.
    pub fn ended(self, answered: &Result<Response<Body>, RequestError>) {
        self.answered(match answered {
            Ok(response) => response.status(),
            Err(error) => respond::status(error),
        });
    }

    /// The head of the answer is there.
    pub fn answered(mut self, status: StatusCode) {
        self.answered = true;
        self.figures.latency.record(self.begun.elapsed());
        let class = usize::from(status.as_u16() / 100).clamp(1, 5);
        self.figures.statuses[class - 1].incr();
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        if !self.answered {
            self.figures.cancelled.incr();
        }
    }
}

/// A tunnel while it is open.
pub(crate) struct OpenTunnel(Arc<Figures>);

impl OpenTunnel {
    pub fn new(figures: Arc<Figures>) -> Self {
        figures.tunnels.incr();
        OpenTunnel(figures)
    }
}

impl Drop for OpenTunnel {
    fn drop(&mut self) {
        self.0.tunnels.decr();
    }
}

#[cfg(test)]
mod tests;
