//! `/_/logs`: the last lines of the log as JSON, or as server-sent events that go on.
//!
//! **Invariant:** who follows is told when lines were forgotten before they could be sent; a slow one is never waited for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use rookery_lifecycle::Shutdown;
use rookery_pool::{Body, BodyError};
use rookery_telemetry::{Line, LogTail, Severity, TAIL_LINES_MAX, Taken};
use serde::Serialize;
use tokio::time::{Interval, MissedTickBehavior};

use crate::query::Query;
use crate::seat::Seat;

/// How many lines somebody gets who says nothing.
const USUAL: usize = 200;
/// As many as are kept: of the server, and of guests.
const LIMIT_MAX: usize = 2 * TAIL_LINES_MAX;
/// How often there may be new lines.
const EVERY: Duration = Duration::from_millis(250);
/// So many looks without a line, and a sign of life is sent: 15 seconds.
const SILENT_LOOKS: u32 = 60;

/// Which lines somebody wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wanted {
    app: Option<String>,
    version: Option<String>,
    level: Severity,
    text: Option<String>,
    limit: usize,
    after: u64,
}

/// Lines as they are shown.
#[derive(Serialize)]
pub(crate) struct Shown<'a> {
    lines: Vec<&'a Line>,
    /// Whether there were more that are forgotten.
    lost: bool,
}

impl<'a> Shown<'a> {
    pub(crate) fn of(taken: &'a Taken) -> Shown<'a> {
        Shown {
            lines: taken.lines.iter().map(AsRef::as_ref).collect(),
            lost: taken.lost,
        }
    }
}

impl Wanted {
    /// Reads `?app=chat@1.0.0&level=warn&text=…&lines=100&after=17`, each of them optional. `resumed` is what a client that
    /// was cut off has seen last.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(query: &Query, resumed: Option<&str>) -> Result<Wanted, &'static str> {
        let given = |name| query.get(name).filter(|value| !value.is_empty());
        let level = match given("level") {
            None => Severity::Trace,
            Some(name) => {
                Severity::parse(name).ok_or("level is trace, debug, info, warn or error")?
            }
        };
        let limit = match given("lines") {
            None => USUAL,
            Some(number) => number.parse().map_err(|_| "lines is a number")?,
        };
        let after = match resumed.or(given("after")) {
            None => 0,
            Some(number) => number
                .parse()
                .map_err(|_| "after is the number of a line")?,
        };
        // `@scope/name` has one as well, and no version.
        let (app, version) = match given("app").map(|app| (app, app.rsplit_once('@'))) {
            Some((_, Some((app, version)))) if !app.is_empty() => (Some(app), Some(version)),
            Some((app, _)) => (Some(app), None),
            None => (None, None),
        };
        Ok(Wanted {
            app: app.map(str::to_owned),
            version: version.map(str::to_owned),
            level,
            text: given("text").map(str::to_lowercase),
            limit: limit.min(LIMIT_MAX),
            after,
        })
    }

    fn wants(&self, line: &Line) -> bool {
        let is = |wanted: &Option<String>, value: &Option<String>| {
            wanted.is_none() || wanted.as_deref() == value.as_deref()
        };
        line.level >= self.level
            && is(&self.app, &line.app)
            && is(&self.version, &line.version)
            && self.text.as_deref().is_none_or(|text| {
                let holds = |part: &str| part.to_lowercase().contains(text);
                holds(&line.message) || holds(&line.fields)
            })
    }

    /// The newest lines.
    pub(crate) fn take(&self, tail: &LogTail) -> Taken {
        tail.take(self.after, self.limit, |line| self.wants(line))
    }
}

/// One who reads along.
struct Follower {
    tail: Arc<LogTail>,
    wanted: Wanted,
    ticks: Interval,
    silent: u32,
    pending: VecDeque<Bytes>,
    shutdown: Shutdown,
    seat: Seat,
}

/// The lines of now, then each that comes, until the shutdown.
pub(crate) fn follow(tail: Arc<LogTail>, wanted: Wanted, shutdown: Shutdown, seat: Seat) -> Body {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let follower = Follower {
        tail,
        wanted,
        ticks,
        silent: 0,
        pending: VecDeque::new(),
        shutdown,
        seat,
    };
    StreamBody::new(stream::unfold(follower, Follower::step)).boxed_unsync()
}

impl Follower {
    async fn step(mut self) -> Option<(Result<Frame<Bytes>, BodyError>, Follower)> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some((Ok(Frame::data(event)), self));
            }
            tokio::select! {
                biased;
                () = self.shutdown.requested() => return None,
                _ = self.ticks.tick() => {}
            }
            if !self.seat.is_good() {
                return None;
            }
            if let Err(error) = self.look() {
                return Some((Err(error), self));
            }
        }
    }

    fn look(&mut self) -> Result<(), BodyError> {
        // Before the lines are taken: what comes in between is looked at again, and not passed over.
        let until = self.tail.newest();
        let taken = self.wanted.take(&self.tail);
        if taken.lost {
            self.pending
                .push_back(Bytes::from_static(b"event: lost\ndata: {}\n\n"));
        }
        let mut text = String::new();
        for line in &taken.lines {
            let json = serde_json::to_string(line.as_ref())?;
            text.push_str(&format!("id: {}\ndata: {json}\n\n", line.number));
        }
        self.silent += 1;
        if !text.is_empty() {
            self.pending.push_back(Bytes::from(text));
        } else if self.silent >= SILENT_LOOKS {
            self.pending
                .push_back(Bytes::from_static(b": still here\n\n"));
        }
        if !self.pending.is_empty() {
            self.silent = 0;
        }
        let last = taken.lines.last().map_or(0, |line| line.number);
        self.wanted.after = until.max(last);
        self.wanted.limit = LIMIT_MAX;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(query: &str) -> Result<Wanted, &'static str> {
        let uri = format!("/_/logs?{query}").parse().unwrap();
        Wanted::read(&Query::of(&uri), None)
    }

    #[test]
    fn a_filter_is_read_or_says_what_is_wrong_with_it() {
        let wanted = read("app=@team/chat&level=WARN&lines=5&text=Ab").unwrap();
        assert_eq!(
            (wanted.app.as_deref(), wanted.version),
            (Some("@team/chat"), None)
        );
        assert_eq!((wanted.level, wanted.limit), (Severity::Warn, 5));
        assert_eq!(wanted.text.as_deref(), Some("ab"));
        let wanted = read("app=chat%401.0.0").unwrap();
        assert_eq!(
            (wanted.app.as_deref(), wanted.version.as_deref()),
            (Some("chat"), Some("1.0.0"))
        );
        assert_eq!(read("lines=99999999").unwrap().limit, LIMIT_MAX);
        assert_eq!(read("app=&level=").unwrap(), read("").unwrap());
        for wrong in ["level=loud", "lines=many", "after=x"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
