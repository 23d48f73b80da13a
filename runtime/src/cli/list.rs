//! `rookery list`: what is deployed on a running server, and how it does.

use std::process::ExitCode;

use http::Method;
use serde_json::Value;

use super::remote::{RemoteArgs, asking};
use super::{Failure, safe};
use crate::style::{BAD, BOLD, DIM, GOOD, WARN, paint};

const EXAMPLES: &str = "\
Examples:
  rookery list
  rookery list --server https://rookery.example
  rookery list --json | jq '.apps[].name'";

const COLUMNS: [&str; 8] = [
    "APP", "VERSION", "STATE", "KIND", "SHARE", "WORKERS", "REQUESTS", "P99",
];

/// Arguments of `list`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    remote: RemoteArgs,
}

/// Prints it.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let deployments = asking(&args.remote, async |remote| {
        remote.ask(Method::GET, "/_/deployments").await?.done()
    })?;
    if args.remote.json {
        super::print_json(&deployments);
    } else {
        show(&deployments);
    }
    Ok(ExitCode::SUCCESS)
}

/// A line, and what is to be said below it.
struct Row {
    cells: [String; 8],
    remarks: Vec<String>,
}

fn show(deployments: &Value) {
    let apps = deployments["apps"].as_array();
    let rows = apps.into_iter().flatten().flat_map(rows);
    let rows: Vec<Row> = rows.collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row.cells[column].chars().count());
        cells
            .chain([COLUMNS[column].len()])
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let line = |cells: &[String; 8]| {
        let cells = cells.iter().zip(&widths);
        let padded: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    anstream::println!("{}", paint(BOLD, line(&COLUMNS.map(str::to_owned))));
    for row in &rows {
        let style = match row.cells[2].as_str() {
            "live" if row.remarks.is_empty() => GOOD,
            "live" => WARN,
            "refused" => BAD,
            _ => DIM,
        };
        let text = line(&row.cells);
        let (state, painted) = (&row.cells[2], paint(style, &row.cells[2]).to_string());
        anstream::println!(
            "{}",
            text.replacen(&format!("  {state}"), &format!("  {painted}"), 1)
        );
        for remark in &row.remarks {
            anstream::println!("  {}", paint(DIM, remark));
        }
    }
    let reports = deployments["reports"].as_array();
    for report in reports.into_iter().flatten() {
        let (folder, reason) = (text(&report["folder"]), text(&report["reason"]));
        anstream::println!("{} {folder}: {reason}", paint(WARN, "not served:"));
    }
}

fn rows(app: &Value) -> impl Iterator<Item = Row> {
    let revisions = app["revisions"].as_array();
    let revisions = revisions.into_iter().flatten();
    revisions.map(|revision| {
        let figures = &revision["figures"];
        let failure = &figures["startFailure"];
        let p99 = figures["responseTimeMs"]["p99"].as_f64();
        let asked = figures["requests"]
            .as_u64()
            .is_some_and(|requests| requests > 0);
        let remarks = if failure.is_object() {
            why(failure)
        } else {
            Vec::new()
        };
        let unpinned = app["unpinned"] == revision["version"] && revision["state"] == "live";
        let mark = if unpinned { " *" } else { "" };
        Row {
            cells: [
                text(&app["name"]),
                format!("{}{mark}", text(&revision["version"])),
                text(&revision["state"]),
                text(&revision["kind"]),
                share(app, revision),
                number(&figures["workers"]),
                number(&figures["requests"]),
                p99.filter(|_| asked)
                    .map_or_else(|| "–".to_owned(), |ms| format!("{ms:.1} ms")),
            ],
            remarks,
        }
    })
}

/// Why it does not start, and when that is tried again.
fn why(failure: &Value) -> Vec<String> {
    let mut lines: Vec<String> = text(&failure["reason"])
        .lines()
        .map(str::to_owned)
        .collect();
    let tries = failure["attempts"].as_u64().unwrap_or_default();
    lines.push(match failure["retryInMs"].as_u64() {
        Some(ms) => format!(
            "tried {tries} times, the next time in {:.1} s",
            ms as f64 / 1e3
        ),
        None => format!("tried {tries} times; only another build is tried again"),
    });
    lines
}

/// Without what would move a terminal's cursor: it comes from bundles.
fn text(value: &Value) -> String {
    safe::lines(value.as_str().unwrap_or_default())
}

/// What of the requests that ask for no version it gets, in percent.
fn share(app: &Value, revision: &Value) -> String {
    let version = revision["version"].as_str().unwrap_or_default();
    let rollout = &app["rollout"];
    // One that has nothing but tags spreads nothing.
    let weights = rollout["weights"]
        .as_object()
        .filter(|weights| !weights.is_empty());
    let share = match weights {
        Some(weights) => weights.get(version).and_then(Value::as_f64),
        None => (app["unpinned"] == version).then_some(100.0),
    };
    let share = share.filter(|_| revision["state"] == "live");
    let mark = if rollout["canary"]["version"] == version {
        " canary"
    } else {
        ""
    };
    share.map_or_else(|| "–".to_owned(), |share| format!("{share:.0} %{mark}"))
}

fn number(value: &Value) -> String {
    value
        .as_u64()
        .map_or_else(|| "–".to_owned(), |number| number.to_string())
}
