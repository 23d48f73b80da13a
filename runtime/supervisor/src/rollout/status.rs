//! What an operator sees of a rollout.

use std::collections::BTreeMap;

use rookery_routing::{Sessions, Weights};
use serde::Serialize;

use super::state::{Ended, Limits};

/// An app's rollout.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus {
    /// In percent, who gets what asks for no one version; the canary included, versions that do not serve left out.
    pub weights: BTreeMap<String, f64>,
    /// `follow` or `keep`.
    pub sessions: &'static str,
    /// The version that is tried out.
    pub canary: Option<CanaryStatus>,
    /// What the weights were before they were changed last.
    pub previous: Option<BTreeMap<String, f64>>,
    /// How the last canary ended.
    pub last: Option<EndedStatus>,
    /// Why the file as it is on disk is not in force; the last good one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// A canary that runs.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryStatus {
    /// Its version.
    pub version: String,
    /// When it began, in milliseconds since 1970; tells it from another one of the same version.
    pub began: u64,
    /// Its shares in percent.
    pub steps: Vec<f64>,
    /// Which of them it has now, from 0.
    pub step: usize,
    /// What it has now, in percent.
    pub share: f64,
    /// How long a step lasts at least, in milliseconds.
    pub window_ms: u64,
    /// How much of that is left of this step, in milliseconds.
    pub left_ms: u64,
    /// Why it does not go on though the time is over, or is not judged.
    pub waits: Option<String>,
    /// Why nobody should count on its going on by itself, after it waited for requests for long.
    pub held: Option<String>,
    /// How many requests and events it has to be asked in each step.
    #[serde(rename = "minRequests")]
    pub requests_min: u64,
    /// What it may not go beyond.
    pub limits: LimitsStatus,
    /// How it does.
    pub judgement: JudgementStatus,
}

/// What a canary may not go beyond.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitsStatus {
    /// Of answers with a 5xx.
    pub max_error_rate_percent: f64,
    /// Of faults, of requests and events.
    pub max_fault_rate_percent: f64,
    /// Of the stable versions' p99.
    pub max_p99_ratio: f64,
}

/// How a canary does, since it began or the server started.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JudgementStatus {
    /// What its version did.
    pub canary: SeenStatus,
    /// What the others did over the same time.
    pub stable: SeenStatus,
    /// By what is judged: how near the evidence against it is to what reverses it, from 0 to 1.
    pub evidence: BTreeMap<&'static str, f64>,
}

/// What was seen of one side.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenStatus {
    /// Requests that were answered.
    pub answers: u64,
    /// Those with a 5xx.
    pub errors: u64,
    /// Session events that were given to the guest.
    pub events: u64,
    /// Requests and events that the guest failed on.
    pub faults: u64,
    /// Sessions that were closed because of that.
    pub closes: u64,
    /// The time that 99 % of the answers take, in milliseconds.
    pub p99_ms: f64,
}

/// How a canary ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndedStatus {
    /// Its version.
    pub version: String,
    /// `promoted`, `reversed`, `rolledBack` or `replaced`.
    pub how: &'static str,
    /// Why.
    pub reason: String,
    /// When it had begun, in milliseconds since 1970.
    pub began: u64,
    /// When it ended, in milliseconds since 1970.
    pub at: u64,
}

impl From<&Ended> for EndedStatus {
    fn from(ended: &Ended) -> EndedStatus {
        EndedStatus {
            version: ended.version.to_string(),
            how: ended.how.name(),
            reason: ended.reason.clone(),
            began: ended.began,
            at: ended.at,
        }
    }
}

impl From<Limits> for LimitsStatus {
    fn from(limits: Limits) -> LimitsStatus {
        LimitsStatus {
            max_error_rate_percent: percent(limits.error_rate),
            max_fault_rate_percent: percent(limits.fault_rate),
            max_p99_ratio: limits.p99_ratio,
        }
    }
}

/// A rate in percent, without the noise that a hundredfold makes of a decimal fraction.
pub(crate) fn percent(rate: f64) -> f64 {
    (rate * 1e8).round() / 1e6
}

/// Weights in percent.
pub(crate) fn shown(weights: &Weights) -> BTreeMap<String, f64> {
    let parts = weights.iter();
    parts
        .map(|(version, share)| (version.to_string(), share.percent()))
        .collect()
}

/// The word for it in files and answers.
pub(crate) fn sessions_name(sessions: Sessions) -> &'static str {
    match sessions {
        Sessions::Follow => "follow",
        Sessions::Keep => "keep",
    }
}
