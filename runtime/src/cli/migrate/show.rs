//! What `rookery migrate` says.

use std::time::{SystemTime, UNIX_EPOCH};

use rookery_bundle::Bundle;
use rookery_storage::migrate::Status;
use serde_json::{Value, json};

use super::Outcome;
use crate::style::{BAD, DIM, GOOD, WARN, paint};

/// Prints the outcome.
pub fn show(bundle: &Bundle, outcome: &Outcome, json: bool) {
    if json {
        super::super::print_json(&to_json(bundle, outcome));
        return;
    }
    let namespace = bundle.namespace();
    let namespace = namespace.as_str();
    match outcome {
        Outcome::Ran(labels) => {
            steps(labels, "was run");
            let count = counted(labels.len());
            anstream::println!(
                "{count} run; {namespace} has all that {} wants",
                bundle.label()
            );
        }
        Outcome::TakenBack(labels) => {
            steps(labels, "was taken back");
            anstream::println!("{} taken back in {namespace}", counted(labels.len()));
        }
        Outcome::Stands(all) if all.is_empty() => {
            anstream::println!("{} has no migrations", bundle.label());
        }
        Outcome::Stands(all) => all.iter().for_each(stands),
    }
}

fn steps(labels: &[String], what: &str) {
    for label in labels {
        anstream::println!("{} {label} {what}", paint(GOOD, "✓"));
    }
}

fn counted(count: usize) -> String {
    match count {
        0 => "no migration".to_owned(),
        1 => "1 migration".to_owned(),
        many => format!("{many} migrations"),
    }
}

fn stands(status: &Status) {
    match status {
        Status::Ran { label, at_secs } => {
            let ago = paint(DIM, ago(*at_secs));
            anstream::println!("{} {label}  run {ago}", paint(GOOD, "✓"));
        }
        Status::Pending { label } => {
            anstream::println!("{} {label}  not run", paint(WARN, "·"));
        }
        Status::Changed { label } => {
            let says =
                "its script was changed after it was run; give the change a number of its own";
            anstream::println!("{} {label}  {says}", paint(BAD, "✗"));
        }
        Status::Unknown { label } => {
            anstream::println!("{} {label}  run by another version", paint(DIM, "?"));
        }
    }
}

/// How long ago that was, as people say it.
fn ago(at_secs: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    let secs = now.saturating_sub(at_secs).max(0);
    match secs {
        0..120 => format!("{secs} seconds ago"),
        120..7_200 => format!("{} minutes ago", secs / 60),
        7_200..172_800 => format!("{} hours ago", secs / 3_600),
        _ => format!("{} days ago", secs / 86_400),
    }
}

fn to_json(bundle: &Bundle, outcome: &Outcome) -> Value {
    let mut told = json!({
        "bundle": bundle.label(),
        "namespace": bundle.namespace().as_str(),
    });
    match outcome {
        Outcome::Ran(labels) => told["ran"] = json!(labels),
        Outcome::TakenBack(labels) => told["takenBack"] = json!(labels),
        Outcome::Stands(all) => told["migrations"] = all.iter().map(one).collect(),
    }
    told
}

fn one(status: &Status) -> Value {
    match status {
        Status::Ran { label, at_secs } => {
            json!({ "migration": label, "state": "ran", "ranAtSecs": at_secs })
        }
        Status::Pending { label } => json!({ "migration": label, "state": "pending" }),
        Status::Changed { label } => json!({ "migration": label, "state": "changed" }),
        Status::Unknown { label } => json!({ "migration": label, "state": "unknown" }),
    }
}
