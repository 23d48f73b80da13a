//! What a server says, kept for the test that fails.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// The lines of a server so far, both streams in the order in which they came.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Keeps what comes, until it ends.
    pub(crate) fn follow(&self, stream: impl Read + Send + 'static) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                log.push(String::from_utf8_lossy(&line).into_owned());
            }
        });
    }

    /// What was said so far.
    pub(crate) fn text(&self) -> String {
        self.lines(|lines| lines.join("\n"))
    }

    /// What `take` makes of the first line that it makes something of.
    pub(crate) fn find<T>(&self, take: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.lines(|lines| lines.iter().find_map(|line| take(line)))
    }

    fn push(&self, line: String) {
        self.lines(|lines| lines.push(line));
    }

    fn lines<T>(&self, of: impl FnOnce(&mut Vec<String>) -> T) -> T {
        // A test that panicked while it looked leaves the lines as they were.
        of(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
