//! What a process writes to its standard streams: lines of the log, and the last of them as the reason for its end.
//!
//! **Invariant:** a process that writes without end costs [`LINES_PER_WINDOW`] lines of the log a second and no memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rookery_host::{Guest, LineSplitter, Stream};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// More lines than these are counted and left out.
const LINES_PER_WINDOW: u32 = 1000;
const WINDOW: Duration = Duration::from_secs(1);

/// How much is read at a time.
const READ_BYTES: usize = 16 * 1024;

/// How long after a process' end its last words are waited for.
const OVER_WITHIN: Duration = Duration::from_millis(500);

/// How many lines are kept to explain an end, and how long each may be.
const KEPT_LINES: usize = 20;
const KEPT_LINE_BYTES: usize = 512;

/// The last lines that a process wrote to its standard error.
#[derive(Clone, Default)]
pub(crate) struct LastWords(Arc<Words>);

#[derive(Default)]
struct Words {
    lines: Mutex<VecDeque<String>>,
    /// Nothing more can come.
    over: watch::Sender<bool>,
}

impl LastWords {
    fn push(&self, line: &str) {
        let mut lines = self.0.lines.lock();
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        let mut end = line.len().min(KEPT_LINE_BYTES);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        lines.push_back(line[..end].to_owned());
    }

    /// All of them, a line each, once the process that ended can have said no more.
    pub async fn complete(&self) -> String {
        let mut over = self.0.over.subscribe();
        let _ = timeout(OVER_WITHIN, over.wait_for(|over| *over)).await;
        self.text()
    }

    /// Those that there are, a line each.
    pub fn text(&self) -> String {
        let lines = self.0.lines.lock();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        lines.join("\n")
    }
}

/// How many lines are still to be logged in this second.
struct Ration {
    since: Instant,
    left: u32,
    left_out: u64,
}

impl Ration {
    fn new() -> Ration {
        Ration {
            since: Instant::now(),
            left: LINES_PER_WINDOW,
            left_out: 0,
        }
    }

    /// Whether one more line is to be logged, and how many were left out before it.
    fn take(&mut self, now: Instant) -> Option<u64> {
        if now.duration_since(self.since) >= WINDOW {
            self.since = now;
            self.left = LINES_PER_WINDOW;
        }
        if self.left == 0 {
            self.left_out += 1;
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

/// Logs a stream to its end.
pub(crate) async fn follow(
    mut from: impl AsyncRead + Unpin,
    guest: Arc<Guest>,
    pid: u32,
    stream: Stream,
    last_words: LastWords,
) {
    let (mut splitter, mut ration) = (LineSplitter::default(), Ration::new());
    let mut log = |line: &str| {
        if stream == Stream::Stderr {
            last_words.push(line);
        }
        match ration.take(Instant::now()) {
            Some(0) => guest.log_of(pid, stream, line),
            Some(left_out) => {
                let told = format!("[warn] {left_out} lines were left out, it writes too many");
                guest.log_of(pid, stream, &told);
                guest.log_of(pid, stream, line);
            }
            None => {}
        }
    };
    let mut bytes = vec![0; READ_BYTES];
    // An error is the end as well: nobody writes any more.
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        splitter.push(&bytes[..length], &mut log);
    }
    splitter.finish(&mut log);
    if stream == Stream::Stderr {
        last_words.0.over.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_few_and_short() {
        let words = LastWords::default();
        for number in 0..100 {
            words.push(&format!("{number} {}", "ä".repeat(KEPT_LINE_BYTES)));
        }
        let text = words.text();
        assert_eq!(text.lines().count(), KEPT_LINES);
        assert!(text.starts_with("80 ") && text.len() < KEPT_LINES * (KEPT_LINE_BYTES + 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_rationed_and_counted() {
        let (mut ration, now) = (Ration::new(), Instant::now());
        let taken = (0..5000).filter(|_| ration.take(now).is_some()).count();
        assert_eq!(taken, LINES_PER_WINDOW as usize);
        assert_eq!(ration.take(now + WINDOW), Some(4000));
        assert_eq!(ration.take(now + WINDOW), Some(0));
    }
}
