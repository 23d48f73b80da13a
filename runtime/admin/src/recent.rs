//! What each revision did lately: rates and quantiles of the last seconds, which is what an operator means by "now".
//!
//! **Invariant:** a window is 5 to 10 seconds long where somebody asks each second, and as long as the time between
//! two questions where that is longer; what is older than [`STALE`] is no begin of one.
//! **Invariant:** two marks are kept for each revision that exists, and nothing for one that is gone.
//! **Absent on purpose:** a task. Who asks moves the windows.

use std::collections::HashMap;
use std::time::Duration;

use rookery_pool::RevisionFigures;
use rookery_telemetry::{HistogramSnapshot, Quantiles};
use serde::Serialize;
use tokio::time::Instant;

use crate::revision::RevisionLine;

/// After so long the window's begin moves up.
const STEP: Duration = Duration::from_secs(5);
/// A window that is shorter says nothing.
const SHORTEST: Duration = Duration::from_millis(400);
/// After so long without a question the marks are too old: the longest interval of a viewer, and a little.
const STALE: Duration = Duration::from_secs(65);

/// Rates and quantiles of the last seconds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recent {
    /// Invocations asked for.
    requests_per_second: f64,
    /// Workers that failed.
    failures_per_second: f64,
    /// Zeros when nothing was answered.
    response_time_ms: Quantiles,
}

/// The windows of all revisions.
#[derive(Default)]
pub(crate) struct Windows(HashMap<u64, Window>);

struct Window {
    older: Option<Mark>,
    newer: Mark,
}

/// What was counted until some moment.
struct Mark {
    at: Instant,
    requests: u64,
    failed: u64,
    /// None as long as nothing was asked, as with most of many versions.
    response_time: Option<HistogramSnapshot>,
}

impl Windows {
    /// What each did lately, in the order of `lines`; `None` of what has no numbers, or was never asked about before.
    pub(crate) fn of(&mut self, lines: &[RevisionLine], now: Instant) -> Vec<Option<Recent>> {
        let mut known = std::mem::take(&mut self.0);
        let recent = lines.iter().map(|line| {
            let figures = line.figures.as_ref()?;
            let window = match known.remove(&line.id) {
                Some(window) if now.duration_since(window.newer.at) < STALE => window,
                _ => Window::begin(figures, now),
            };
            let recent = window.recent(figures, now);
            self.0.insert(line.id, window.moved(figures, now));
            recent
        });
        recent.collect()
    }
}

impl Window {
    fn begin(figures: &RevisionFigures, now: Instant) -> Window {
        Window {
            older: None,
            newer: Mark::of(figures, now),
        }
    }

    fn recent(&self, figures: &RevisionFigures, now: Instant) -> Option<Recent> {
        let begin = self.older.as_ref().unwrap_or(&self.newer);
        let length = now.duration_since(begin.at);
        if length < SHORTEST {
            return None;
        }
        let per_second =
            |now: u64, then: u64| rounded(now.saturating_sub(then) as f64 / length.as_secs_f64());
        let response_time = match &begin.response_time {
            // Nothing was answered: spare the arithmetic.
            Some(earlier) if earlier.count() == figures.response_time.count() => {
                Quantiles::default()
            }
            Some(earlier) => Quantiles::of(&figures.response_time.since(earlier)),
            None if figures.requests == 0 => Quantiles::default(),
            None => Quantiles::of(&figures.response_time),
        };
        Some(Recent {
            requests_per_second: per_second(figures.requests, begin.requests),
            failures_per_second: per_second(figures.failed, begin.failed),
            response_time_ms: response_time,
        })
    }

    fn moved(self, figures: &RevisionFigures, now: Instant) -> Window {
        if now.duration_since(self.newer.at) < STEP {
            return self;
        }
        Window {
            older: Some(self.newer),
            newer: Mark::of(figures, now),
        }
    }
}

impl Mark {
    fn of(figures: &RevisionFigures, at: Instant) -> Mark {
        Mark {
            at,
            requests: figures.requests,
            failed: figures.failed,
            response_time: (figures.requests > 0).then(|| figures.response_time.clone()),
        }
    }
}

/// Two decimals.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
