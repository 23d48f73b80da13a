//! One worker as it is shown.

use std::time::Duration;

use rookery_pool::{WorkerFigures, WorkerState};
use serde::Serialize;

/// A worker for JSON. Of what nobody knows, or what it has not, there is no field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerLine {
    /// Tells it from the other workers of its revision, past and present.
    id: u64,
    /// `starting`, `idle`, `busy` or `ending`.
    state: &'static str,
    /// When its start began, in milliseconds since 1970, to the second.
    since: u64,
    /// When it last had something to do, while it is idle.
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_since: Option<u64>,
    /// Invocations that it had, those of now included.
    requests: u64,
    /// Those of now.
    running: u64,
    /// When it was last looked at, after an invocation at the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<u64>,
    /// Of one that is a process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
}

impl WorkerLine {
    /// As it is at `now`, in milliseconds since 1970.
    pub(crate) fn of(figures: &WorkerFigures, now: u64) -> WorkerLine {
        WorkerLine {
            id: figures.number,
            state: match figures.state {
                WorkerState::Starting => "starting",
                WorkerState::Idle => "idle",
                WorkerState::Busy => "busy",
                WorkerState::Ending => "ending",
            },
            since: moment(now, whole_ms(figures.age)),
            idle_since: figures.idle.map(|idle| moment(now, whole_ms(idle))),
            requests: figures.served,
            running: figures.leases,
            memory_bytes: figures.memory_bytes,
            pid: figures.process,
        }
    }
}

/// When that was which is so many milliseconds old. Moments instead of ages, and whole seconds: what does nothing is
/// told once, and not at every tick.
pub(crate) fn moment(now: u64, age: u64) -> u64 {
    (now.saturating_sub(age) + 500) / 1_000 * 1_000
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nobody_knows_is_not_there() {
        let figures = WorkerFigures {
            number: 3,
            state: WorkerState::Idle,
            age: Duration::from_millis(9_900),
            idle: Some(Duration::from_millis(1_400)),
            leases: 0,
            served: 7,
            memory_bytes: None,
            process: None,
        };
        let shown = |figures: &WorkerFigures| json!(WorkerLine::of(figures, 1_000_000));
        assert_eq!(
            shown(&figures),
            json!({ "id": 3, "state": "idle", "since": 990_000, "idleSince": 999_000, "requests": 7, "running": 0 })
        );
        let process = WorkerFigures {
            state: WorkerState::Busy,
            idle: None,
            leases: 2,
            memory_bytes: Some(4096),
            process: Some(42),
            ..figures
        };
        assert_eq!(
            shown(&process),
            json!({ "id": 3, "state": "busy", "since": 990_000, "requests": 7, "running": 2, "memoryBytes": 4096, "pid": 42 })
        );
    }
}
