//! A rollout as it is written down: `docs/rollouts.md` and `docs/rollout.schema.json` say the same.
//!
//! **Invariant:** what is written here is read here, and what is read is whole: weights that add up, versions that are
//! versions, a canary within its bounds.
//! **Absent on purpose:** files, and whether any of the versions serves.

use std::collections::BTreeMap;
use std::time::Duration;

use rookery_bundle::{parse_duration, parse_version, show_duration};
use rookery_routing::{Selector, Sessions, Share, Weights};
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::change::Plan;
use super::state::{Canary, Ended, How, Limits, REQUESTS_MIN, Rollout};
use super::status::{percent, sessions_name};

/// The largest file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 64 << 10;
/// How many tags a file may have.
const TAGS_MAX: usize = 1000;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Text {
    /// For editors; not kept.
    #[serde(rename = "$schema", skip_serializing, default)]
    _schema: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<Parts>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canary: Option<CanaryText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<Parts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<EndedText>,
}

/// Percent, by version.
type Parts = BTreeMap<String, Number>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CanaryText {
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<Number>>,
    #[serde(default)]
    step: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_requests: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_error_rate_percent: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_fault_rate_percent: Option<Number>,
    #[serde(rename = "maxP99Ratio", skip_serializing_if = "Option::is_none")]
    max_p99_ratio: Option<Number>,
    #[serde(default)]
    began: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EndedText {
    version: String,
    how: String,
    reason: String,
    began: u64,
    at: u64,
}

/// Reads a file's text.
///
/// # Errors
/// What is wrong, in one line.
pub fn read(text: &str) -> Result<Rollout, String> {
    // A list would be taken for the fields in their order.
    if text.trim_start().starts_with('[') {
        return Err("a rollout is an object".to_owned());
    }
    let text: Text = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let weights = text
        .weights
        .as_ref()
        .map(|parts| weights_of("weights", parts));
    let previous = text
        .previous
        .as_ref()
        .map(|parts| weights_of("previous", parts));
    let (weights, previous) = (weights.transpose()?, previous.transpose()?);
    if text.tags.len() > TAGS_MAX {
        return Err(format!("tags: at most {TAGS_MAX}"));
    }
    let tags = text.tags.iter().map(|(name, text)| tag(name, text));
    let tags = tags.collect::<Result<_, String>>()?;
    let sessions = match text.sessions.as_deref() {
        None | Some("follow") => Sessions::Follow,
        Some("keep") => Sessions::Keep,
        Some(other) => return Err(format!("sessions: `follow` or `keep`, not `{other}`")),
    };
    let canary = text.canary.map(|text| canary(text, sessions)).transpose()?;
    if let Some(canary) = &canary {
        let stable = weights.as_ref();
        let stable = stable.ok_or("canary: needs weights, which it is compared with")?;
        if stable.of(&canary.version) > Share::NONE {
            let version = &canary.version;
            return Err(format!(
                "weights: {version} is the canary, which has its step's share; leave it out"
            ));
        }
    }
    Ok(Rollout {
        weights,
        tags,
        sessions,
        canary,
        previous,
        last: text.last.map(ended).transpose()?,
    })
}

/// Writes a file's text.
pub fn write(rollout: &Rollout) -> String {
    let text = Text {
        _schema: None,
        weights: rollout.weights.as_ref().map(parts),
        tags: (rollout.tags.iter())
            .map(|(name, version)| (name.clone(), version.to_string()))
            .collect(),
        sessions: (rollout.sessions != Sessions::Follow)
            .then(|| sessions_name(rollout.sessions).to_owned()),
        canary: rollout.canary.as_ref().map(canary_text),
        previous: rollout.previous.as_ref().map(parts),
        last: rollout.last.as_ref().map(|ended| EndedText {
            version: ended.version.to_string(),
            how: ended.how.name().to_owned(),
            reason: ended.reason.clone(),
            began: ended.began,
            at: ended.at,
        }),
    };
    let mut text = serde_json::to_string_pretty(&text).expect("it has text for keys");
    text.push('\n');
    text
}

fn version(field: &str, text: &str) -> Result<Version, String> {
    parse_version(text).ok_or_else(|| format!("{field}: `{text}` is no version, such as 1.2.0"))
}

fn weights_of(field: &str, parts: &Parts) -> Result<Weights, String> {
    let parts = parts.iter().map(|(text, number)| {
        let field = format!("{field}.{text}");
        Ok((version(&field, text)?, share(&field, number)?))
    });
    let parts = parts.collect::<Result<Vec<_>, String>>()?;
    Weights::new(parts).map_err(|error| format!("{field}: {error}"))
}

fn share(field: &str, number: &Number) -> Result<Share, String> {
    let share = number.as_f64().and_then(Share::of_percent);
    share.ok_or_else(|| {
        format!("{field}: {number} is no percentage: 0 to 100, with two decimals at most")
    })
}

fn tag(name: &str, text: &str) -> Result<(String, Version), String> {
    match Selector::parse(name) {
        Ok(Selector::Tag(tag)) if tag == name => Ok((tag, version(&format!("tags.{name}"), text)?)),
        _ => Err(format!("tags: `{name}` is no tag")),
    }
}

fn canary(text: CanaryText, sessions: Sessions) -> Result<Canary, String> {
    let mut plan = Plan::of(version("canary.version", &text.version)?);
    plan.sessions = sessions;
    if let Some(steps) = &text.steps {
        let steps = steps.iter().map(|step| share("canary.steps", step));
        plan.steps = steps.collect::<Result<_, String>>()?;
    }
    if let Some(window) = &text.window {
        plan.window = window_of(window)?;
    }
    if let Some(requests) = text.min_requests {
        plan.requests_min = requests;
    }
    let number = |number: &Option<Number>, by: f64, default: f64| {
        let number = number.as_ref().and_then(Number::as_f64);
        number.map_or(default, |number| number * by)
    };
    let usual = Limits::default();
    plan.limits = Limits {
        error_rate: number(&text.max_error_rate_percent, 0.01, usual.error_rate),
        fault_rate: number(&text.max_fault_rate_percent, 0.01, usual.fault_rate),
        p99_ratio: number(&text.max_p99_ratio, 1.0, usual.p99_ratio),
    };
    plan.check().map_err(|error| format!("canary.{error}"))?;
    if text.step >= plan.steps.len() {
        let last = plan.steps.len() - 1;
        return Err(format!("canary.step: is from 0 to {last}"));
    }
    Ok(Canary {
        version: plan.version,
        steps: plan.steps,
        step: text.step,
        window: plan.window,
        requests_min: plan.requests_min,
        limits: plan.limits,
        began: text.began,
    })
}

fn window_of(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .ok_or_else(|| format!("canary.window: `{text}` is no time, such as \"60s\" or \"5m\""))
}

fn ended(text: EndedText) -> Result<Ended, String> {
    let how = How::parse(&text.how);
    Ok(Ended {
        version: version("last.version", &text.version)?,
        how: how.ok_or_else(|| format!("last.how: `{}` is no end of a canary", text.how))?,
        reason: text.reason,
        began: text.began,
        at: text.at,
    })
}

fn parts(weights: &Weights) -> Parts {
    let parts = weights.iter();
    parts
        .map(|(version, share)| (version.to_string(), number(share.percent())))
        .collect()
}

fn canary_text(canary: &Canary) -> CanaryText {
    let steps = canary.steps.iter().map(|step| number(step.percent()));
    CanaryText {
        version: canary.version.to_string(),
        steps: Some(steps.collect()),
        step: canary.step,
        window: Some(show_duration(canary.window)),
        // Who runs an older server beside this one can read the file as long as nobody asks for more than that knows.
        min_requests: (canary.requests_min != REQUESTS_MIN).then_some(canary.requests_min),
        max_error_rate_percent: Some(number(percent(canary.limits.error_rate))),
        max_fault_rate_percent: Some(number(percent(canary.limits.fault_rate))),
        max_p99_ratio: Some(number(canary.limits.p99_ratio)),
        began: canary.began,
    }
}

/// As a person would write it: 100, not 100.0.
fn number(value: f64) -> Number {
    let whole = value.fract() == 0.0 && (0.0..=1e9).contains(&value);
    let whole = whole.then(|| Number::from(value as u64));
    whole
        .or_else(|| Number::from_f64(value))
        .unwrap_or_else(|| Number::from(0))
}

#[cfg(test)]
mod tests;
