//! The last lines of this process' log, for whoever looks at a page or a terminal far from its standard error.
//!
//! **Invariant:** what is kept is bounded in lines and in bytes, and the oldest goes first: [`LINES_MAX`] and
//! [`BYTES_MAX`] of the server's own lines, and as many of guests', so that no guest can wash away what the server said.
//! **Invariant:** numbers of lines only grow, so whoever read up to one goes on behind it and is told when something in
//! between was forgotten.
//! **Absent on purpose:** files, and waking who waits: a reader looks again when it is its time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::faults::{FaultGroup, Faults};

/// How many lines are kept, of the server and again of guests.
pub const LINES_MAX: usize = 1_000;
/// How many bytes of text they may have together, of the server and again of guests.
pub const BYTES_MAX: usize = 1 << 20;
/// How far back a fault looks for what its guest said, in milliseconds and in lines.
const SAID_WITHIN_MS: u64 = 2_000;
const SAID_LOOK_MAX: usize = 64;
const SAID_MAX: usize = 4;

/// How grave a line is, the gravest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Everything below `debug`.
    Trace,
    /// For who looks for a fault of the server.
    Debug,
    /// What happens.
    Info,
    /// What may need a look.
    Warn,
    /// What does.
    Error,
}

/// One line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// When it was said, in milliseconds since 1970.
    pub at: u64,
    /// How grave it is.
    pub level: Severity,
    /// Which part of the server said it; `guest` where that was a guest, `audit` where somebody changed something.
    pub target: &'static str,
    /// The app that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// And its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it says, without control characters but line breaks and tabs.
    pub message: String,
    /// Its other fields, as `name=value` with blanks between.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fields: String,
}

/// A line before it has a number.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) line: Line,
    /// What the guest failed of, when the line tells of a fault.
    pub(crate) fault: Option<String>,
}

/// What a reader gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// The oldest first.
    pub lines: Vec<Arc<Line>>,
    /// Whether lines behind the asked number are forgotten already.
    pub lost: bool,
}

/// The last lines.
#[derive(Debug, Default)]
pub struct LogTail(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    newest: u64,
    server: Ring,
    guests: Ring,
    faults: Faults,
}

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<Arc<Line>>,
    bytes: usize,
    /// The number of the last line that was forgotten.
    forgotten: u64,
}

impl Severity {
    /// Reads a level's name.
    pub fn parse(name: &str) -> Option<Severity> {
        match name.to_ascii_lowercase().as_str() {
            "trace" => Some(Severity::Trace),
            "debug" => Some(Severity::Debug),
            "info" => Some(Severity::Info),
            "warn" => Some(Severity::Warn),
            "error" => Some(Severity::Error),
            _ => None,
        }
    }
}

impl LogTail {
    /// Empty.
    pub fn new() -> LogTail {
        LogTail::default()
    }

    /// Keeps a line.
    pub(crate) fn push(&self, said: Said) {
        let Said { mut line, fault } = said;
        let mut kept = self.kept();
        kept.newest += 1;
        line.number = kept.newest;
        if let Some(reason) = fault {
            let said = kept.guests.said_before(&line);
            kept.faults.add(&line, reason, said);
        }
        let ring = match line.target {
            "guest" => &mut kept.guests,
            _ => &mut kept.server,
        };
        ring.push(line);
    }

    /// The number of the newest line; 0 when there is none.
    pub fn newest(&self) -> u64 {
        self.kept().newest
    }

    /// The newest `limit` lines behind number `after` that `wanted` wants. A number that is not reached yet is of an earlier
    /// process, and counts as 0.
    pub fn take(&self, after: u64, limit: usize, wanted: impl Fn(&Line) -> bool) -> Taken {
        let kept = self.kept();
        let after = if after > kept.newest { 0 } else { after };
        let behind = |ring: &Ring| {
            let lines = ring.lines.iter().rev();
            let lines = lines.take_while(|line| line.number > after);
            let lines = lines.filter(|line| wanted(line)).take(limit);
            lines.cloned().collect::<Vec<_>>()
        };
        let mut lines = behind(&kept.server);
        lines.extend(behind(&kept.guests));
        let lost = after > 0 && after < kept.server.forgotten.max(kept.guests.forgotten);
        drop(kept);
        lines.sort_unstable_by_key(|line| line.number);
        let over = lines.len().saturating_sub(limit);
        lines.drain(..over);
        Taken {
            lines,
            lost: lost || (after > 0 && over > 0),
        }
    }

    /// What guests failed of lately, the newest first.
    pub fn faults(&self) -> Vec<FaultGroup> {
        self.kept().faults.list()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Whoever panicked while it held this left whole lines behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn push(&mut self, line: Line) {
        self.bytes += size(&line);
        self.lines.push_back(Arc::new(line));
        while self.lines.len() > LINES_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.lines.pop_front() else {
                return;
            };
            self.bytes -= size(&oldest);
            self.forgotten = oldest.number;
        }
    }

    /// What a guest complained of right before a line about its fault: where its language puts the message of a panic.
    fn said_before(&self, fault: &Line) -> Vec<String> {
        let lines = self.lines.iter().rev().take(SAID_LOOK_MAX);
        let ours = lines.filter(|line| {
            line.level >= Severity::Warn
                && line.app == fault.app
                && line.version == fault.version
                && fault.at.saturating_sub(line.at) <= SAID_WITHIN_MS
                && !line.message.is_empty()
                // Rust's hint after a panic is for who started the program.
                && !line.message.starts_with("note: run with `RUST_BACKTRACE")
        });
        let mut said: Vec<String> = ours
            .take(SAID_MAX)
            .map(|line| line.message.clone())
            .collect();
        said.reverse();
        said
    }
}

fn size(line: &Line) -> usize {
    let name = |name: &Option<String>| name.as_ref().map_or(0, String::len);
    line.message.len() + line.fields.len() + name(&line.app) + name(&line.version)
}

#[cfg(test)]
mod tests;
