//! What is known of the server, fed by its events.
//!
//! **Invariant:** what does not read as expected is left as it was: a server of another version shows less, and breaks
//! nothing.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::around::{Around, Hub, Rollout, Rule};
use crate::cli::remote::Event;

/// How many lines of the log are kept.
const LINES_MAX: usize = 500;
/// How many seconds of the past are kept, for the lines over time.
pub const PAST_MAX: usize = 600;

/// All of it.
#[derive(Debug, Default)]
pub struct Board {
    /// How many times the server told its numbers.
    pub looks: u64,
    /// When it did last, in milliseconds since 1970.
    pub now: u64,
    /// The whole server in the last second.
    pub point: Point,
    /// The seconds before.
    pub past: VecDeque<Point>,
    /// Since when it runs, in milliseconds.
    pub uptime_ms: u64,
    /// In MiB.
    pub memory: f64,
    /// By id.
    pub revisions: BTreeMap<u64, Revision>,
    /// By name.
    pub apps: BTreeMap<String, App>,
    /// Sessions and upstreams.
    pub around: Around,
    /// The newest first.
    pub faults: Vec<Fault>,
    /// The newest last.
    pub lines: VecDeque<Line>,
    columns: Vec<String>,
}

/// One second of the whole server.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Point {
    pub requests_per_second: f64,
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
    pub failures_per_second: f64,
    pub cold_starts_per_second: f64,
    pub queue_depth: u64,
    pub workers: u64,
    pub sessions: u64,
    pub deliveries_per_second: f64,
}

/// One revision.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Revision {
    pub id: u64,
    pub app: String,
    pub version: String,
    pub state: String,
    pub sessions: u64,
    pub workers: Option<u64>,
    pub busy: u64,
    pub queue_depth: u64,
    pub workers_failed: u64,
    pub start_failure: Option<StartFailure>,
    pub recent: Option<Recent>,
    pub worker_list: Vec<Worker>,
    pub workers_more: u64,
}

/// One of its workers.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Worker {
    pub id: u64,
    pub state: String,
    pub since: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_since: Option<u64>,
    pub requests: u64,
    pub running: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

/// Why it does not start.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct StartFailure {
    pub reason: String,
}

/// What it did lately.
#[derive(Clone, Copy, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Recent {
    pub requests_per_second: f64,
    pub response_time_ms: Times,
}

/// Quantiles, in milliseconds.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Times {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

/// One app.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct App {
    pub name: String,
    pub unpinned: Option<String>,
    pub rollout: Option<Rollout>,
}

/// What a version failed of.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Fault {
    pub app: Option<String>,
    pub version: Option<String>,
    pub reason: String,
    pub said: Vec<String>,
    pub count: u64,
    pub last: u64,
}

/// A line of the log.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Line {
    pub at: u64,
    pub level: String,
    pub app: Option<String>,
    pub version: Option<String>,
    pub message: String,
    pub fields: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tick {
    now: u64,
    pool: Pool,
    point: Option<Value>,
    faults: Vec<Fault>,
    hub: Hub,
    proxies: Vec<Rule>,
    whole: bool,
    revisions: Vec<Revision>,
    gone: Vec<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pool {
    #[serde(rename = "uptimeMs")]
    uptime_ms: u64,
    #[serde(rename = "memoryUsageMB")]
    memory: f64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Apps {
    whole: bool,
    apps: Vec<App>,
    gone: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct History {
    columns: Vec<String>,
    rows: Vec<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Lines {
    lines: Vec<Line>,
}

impl Board {
    /// Takes what the server tells.
    pub fn hear(&mut self, event: &Event) {
        match event.name.as_str() {
            "apps" => self.take_apps(read(&event.data)),
            "history" => self.take_history(read(&event.data)),
            "log" => {
                let Lines { lines } = read(&event.data);
                self.lines.extend(lines);
                let over = self.lines.len().saturating_sub(LINES_MAX);
                self.lines.drain(..over);
            }
            "" => self.take_tick(read(&event.data)),
            _ => {}
        }
    }

    fn take_apps(&mut self, told: Apps) {
        if told.whole {
            self.apps.clear();
        }
        for name in &told.gone {
            self.apps.remove(name);
        }
        let apps = told.apps.into_iter();
        self.apps.extend(apps.map(|app| (app.name.clone(), app)));
    }

    fn take_history(&mut self, told: History) {
        self.columns = told.columns;
        let rows = told.rows.iter().rev().take(PAST_MAX).rev();
        self.past = rows.map(|row| point(&self.columns, row)).collect();
    }

    fn take_tick(&mut self, tick: Tick) {
        self.looks += 1;
        self.now = tick.now;
        self.uptime_ms = tick.pool.uptime_ms;
        self.memory = tick.pool.memory;
        self.faults = tick.faults;
        self.around.hear(tick.now, tick.hub, tick.proxies);
        if tick.whole {
            self.revisions.clear();
        }
        for id in tick.gone {
            self.revisions.remove(&id);
        }
        let revisions = tick.revisions.into_iter();
        self.revisions.extend(revisions.map(|one| (one.id, one)));
        if let Some(row) = tick.point {
            self.point = point(&self.columns, &row);
            self.past.push_back(self.point);
            let over = self.past.len().saturating_sub(PAST_MAX);
            self.past.drain(..over);
        }
    }
}

fn read<T: Default + for<'a> Deserialize<'a>>(data: &str) -> T {
    serde_json::from_str(data).unwrap_or_default()
}

/// A row with the names of its columns.
fn point(columns: &[String], row: &Value) -> Point {
    let values = row.as_array().into_iter().flatten().cloned();
    let named = columns.iter().cloned().zip(values);
    serde_json::from_value(Value::Object(named.collect())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str) -> Event {
        Event {
            name: name.to_owned(),
            data: data.to_owned(),
            id: None,
        }
    }

    #[test]
    fn what_changed_replaces_what_was_known() {
        let mut board = Board::default();
        board.hear(&event(
            "history",
            r#"{"columns":["at","requestsPerSecond","p99"],"rows":[[1,2.0,null]]}"#,
        ));
        board.hear(&event(
            "",
            r#"{"now":5,"whole":true,"revisions":[{"id":1,"app":"a"},{"id":2,"app":"b"}]}"#,
        ));
        board.hear(&event("", r#"{"now":6,"whole":false,"revisions":[{"id":2,"app":"c"}],"gone":[1],"point":[6,7.5,1.25]}"#));
        let apps: Vec<&str> = board
            .revisions
            .values()
            .map(|one| one.app.as_str())
            .collect();
        assert_eq!((apps, board.looks, board.now), (vec!["c"], 2, 6));
        assert_eq!(
            (board.point.requests_per_second, board.point.p99),
            (7.5, Some(1.25))
        );
        assert_eq!(board.past.len(), 2);
    }

    #[test]
    fn what_cannot_be_read_breaks_nothing() {
        let mut board = Board::default();
        for name in ["", "apps", "history", "log", "other"] {
            board.hear(&event(name, "no JSON"));
        }
        assert_eq!(board.looks, 1);
    }
}
