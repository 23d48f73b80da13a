//! Changing how an app's requests are spread: `POST /_/deployments/:app/{promote,canary,rollback,tag}`, and a look at it
//! with `GET /_/deployments/:app/rollout`.
//!
//! | route | body |
//! | --- | --- |
//! | `promote` | nothing: the canary; or `{"version"}`; or `{"weights": {"1.0.0": 90, …}, "sessions"}` in percent |
//! | `canary` | `{"version", "steps", "window", "minRequests", "maxErrorRate", "maxFaultRate", "maxP99Ratio", "sessions"}` |
//! | `rollback` | nothing |
//! | `tag` | `{"name", "version"}`; without a version the tag is taken away |
//!
//! **Invariant:** what is wrong with a body is told by field, before anything is changed.
//! **Absent on purpose:** what any of it means (`rookery_supervisor::rollout`).

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use rookery_bundle::{AppName, parse_duration, parse_version};
use rookery_routing::{Sessions, Share, Weights};
use rookery_supervisor::rollout::{Change, Limits, Plan, RolloutError};
use semver::Version;
use serde::Deserialize;
use serde_json::Value;

use crate::body::{Incoming, read_json};
use crate::refusal::Refusal;

/// What is asked about an app's rollout.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rolling {
    /// The app.
    pub app: AppName,
    /// What.
    pub act: Act,
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    /// Show it.
    Show,
    /// Give everything to a version, or weights.
    Promote,
    /// Try a version out.
    Canary,
    /// Go back.
    Rollback,
    /// Name a version.
    Tag,
}

impl Rolling {
    /// Reads what stands behind `/_/deployments/`: `app/promote` or `@scope/app/promote`, percent-encoded.
    pub fn parse(path: &str) -> Option<Rolling> {
        let path = percent_decode_str(path).decode_utf8().ok()?;
        let (app, act) = path.rsplit_once('/')?;
        let act = match act {
            "rollout" => Act::Show,
            "promote" => Act::Promote,
            "canary" => Act::Canary,
            "rollback" => Act::Rollback,
            "tag" => Act::Tag,
            _ => return None,
        };
        let app = AppName::parse(app).ok()?;
        Some(Rolling { app, act })
    }
}

/// Every field of every body; each act knows its own.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Wish {
    version: Option<String>,
    weights: Option<BTreeMap<String, Value>>,
    sessions: Option<String>,
    steps: Option<Vec<Value>>,
    window: Option<Value>,
    min_requests: Option<Value>,
    max_error_rate: Option<Value>,
    max_fault_rate: Option<Value>,
    #[serde(rename = "maxP99Ratio")]
    max_p99_ratio: Option<Value>,
    name: Option<String>,
}

/// Reads what is to be changed; and what of it stands in the log.
pub(crate) async fn read(act: Act, body: impl Incoming) -> Result<(Change, String), Refusal> {
    let wish: Wish = read_json(body).await?;
    let change = change(act, &wish)?;
    let about = match &change {
        Change::Weights { weights, .. } => {
            let parts = weights.iter();
            let parts: Vec<String> = parts.map(|(v, share)| format!("{v} {share}")).collect();
            parts.join(", ")
        }
        Change::Canary(plan) => format!("canary {}", plan.version),
        Change::Promote { version } => {
            let version = version.as_ref().map(ToString::to_string);
            version.unwrap_or_else(|| "the canary".to_owned())
        }
        Change::Rollback => String::new(),
        Change::Tag { name, version } => format!("{name} is {version}"),
        Change::Untag { name } => format!("{name} is nothing"),
    };
    Ok((change, about))
}

fn change(act: Act, wish: &Wish) -> Result<Change, Refusal> {
    wish.has_only(fields_of(act))?;
    let version = || wish.version.as_deref().map(version).transpose();
    match act {
        // It is not asked with a body.
        Act::Show => Err(Refusal::Malformed("it is read with GET".to_owned())),
        Act::Rollback => Ok(Change::Rollback),
        Act::Promote => match &wish.weights {
            None => Ok(Change::Promote {
                version: version()?,
            }),
            Some(_) if wish.version.is_some() => Err(malformed("`version` or `weights`, not both")),
            Some(weights) => Ok(Change::Weights {
                weights: weights_of(weights)?,
                sessions: sessions(wish)?,
            }),
        },
        Act::Canary => {
            let version = version()?.ok_or_else(|| malformed("`version` is missing"))?;
            Ok(Change::Canary(plan(version, wish)?))
        }
        Act::Tag => {
            let name = wish.name.clone();
            let name = name.ok_or_else(|| malformed("`name` is missing"))?;
            Ok(match version()? {
                Some(version) => Change::Tag { name, version },
                None => Change::Untag { name },
            })
        }
    }
}

fn fields_of(act: Act) -> &'static [&'static str] {
    match act {
        Act::Show | Act::Rollback => &[],
        Act::Promote => &["version", "weights", "sessions"],
        Act::Canary => &[
            "version",
            "steps",
            "window",
            "minRequests",
            "maxErrorRate",
            "maxFaultRate",
            "maxP99Ratio",
            "sessions",
        ],
        Act::Tag => &["name", "version"],
    }
}

impl Wish {
    /// Refuses what this act would not look at: somebody counts on it.
    fn has_only(&self, allowed: &[&str]) -> Result<(), Refusal> {
        let there = [
            ("version", self.version.is_some()),
            ("weights", self.weights.is_some()),
            ("sessions", self.sessions.is_some()),
            ("steps", self.steps.is_some()),
            ("window", self.window.is_some()),
            ("minRequests", self.min_requests.is_some()),
            ("maxErrorRate", self.max_error_rate.is_some()),
            ("maxFaultRate", self.max_fault_rate.is_some()),
            ("maxP99Ratio", self.max_p99_ratio.is_some()),
            ("name", self.name.is_some()),
        ];
        let mut there = there.iter().filter(|(_, is_there)| *is_there);
        match there.find(|(field, _)| !allowed.contains(field)) {
            None => Ok(()),
            Some((field, _)) => Err(malformed(&format!("`{field}` means nothing here"))),
        }
    }
}

fn plan(version: Version, wish: &Wish) -> Result<Plan, Refusal> {
    let mut plan = Plan::of(version);
    plan.sessions = sessions(wish)?;
    if let Some(steps) = &wish.steps {
        let steps = steps.iter().map(|step| share("steps", step));
        plan.steps = steps.collect::<Result<_, _>>()?;
    }
    if let Some(window) = &wish.window {
        // A number is seconds, as everywhere.
        let text = window
            .as_str()
            .map_or_else(|| window.to_string(), str::to_owned);
        let window = parse_duration(&text);
        plan.window = window.ok_or_else(|| invalid("window", "is a time, such as 60s or 5m"))?;
    }
    if let Some(requests) = &wish.min_requests {
        let text = requests
            .as_str()
            .map_or_else(|| requests.to_string(), str::to_owned);
        let requests = text.parse().ok();
        plan.requests_min = requests
            .ok_or_else(|| invalid("minRequests", "is a number of requests, such as 100"))?;
    }
    let usual = Limits::default();
    let rate = |field, value: &Option<Value>, usual| match value {
        None => Ok(usual),
        Some(value) => Ok(percent(field, value)? / 100.0),
    };
    plan.limits = Limits {
        error_rate: rate("maxErrorRate", &wish.max_error_rate, usual.error_rate)?,
        fault_rate: rate("maxFaultRate", &wish.max_fault_rate, usual.fault_rate)?,
        p99_ratio: match &wish.max_p99_ratio {
            None => usual.p99_ratio,
            Some(value) => {
                let ratio = number(value);
                ratio.ok_or_else(|| invalid("maxP99Ratio", "is a number, such as 1.5"))?
            }
        },
    };
    Ok(plan)
}

fn sessions(wish: &Wish) -> Result<Sessions, Refusal> {
    match wish.sessions.as_deref() {
        None | Some("follow") => Ok(Sessions::Follow),
        Some("keep") => Ok(Sessions::Keep),
        Some(_) => Err(invalid("sessions", "is `follow` or `keep`")),
    }
}

fn weights_of(weights: &BTreeMap<String, Value>) -> Result<Weights, Refusal> {
    let parts = weights.iter();
    let parts = parts.map(|(text, value)| Ok((version(text)?, share("weights", value)?)));
    let parts = parts.collect::<Result<Vec<_>, Refusal>>()?;
    Weights::new(parts).map_err(|error| Refusal::Rollout(error.into()))
}

fn version(text: &str) -> Result<Version, Refusal> {
    parse_version(text).ok_or_else(|| malformed(&format!("`{text}` is no version, such as 1.2.0")))
}

fn share(field: &'static str, value: &Value) -> Result<Share, Refusal> {
    let share = Share::of_percent(percent(field, value)?);
    share.ok_or_else(|| invalid(field, "is 0 to 100 %, with two decimals at most"))
}

/// In percent, with or without the sign.
fn percent(field: &'static str, value: &Value) -> Result<f64, Refusal> {
    number(value).ok_or_else(|| invalid(field, "is in percent, such as 5 or \"0.1%\""))
}

fn number(value: &Value) -> Option<f64> {
    let text = |text: &str| {
        let text = text.trim();
        text.strip_suffix('%').unwrap_or(text).trim().parse().ok()
    };
    value.as_f64().or_else(|| value.as_str().and_then(text))
}

fn invalid(field: &'static str, reason: &str) -> Refusal {
    Refusal::Rollout(RolloutError::Invalid {
        field,
        reason: reason.to_owned(),
    })
}

fn malformed(reason: &str) -> Refusal {
    Refusal::Malformed(reason.to_owned())
}

#[cfg(test)]
mod tests;
