//! What a guest writes to its standard streams, as lines of our log.
//!
//! **Invariant:** no control character of a guest reaches the operator's terminal, and no line is longer than
//! [`LINE_BYTES_MAX`].

use rookery_bundle::Bundle;

/// Longer lines are logged in pieces, in bytes.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// Where a line was written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    /// Logged at `info`.
    Stdout,
    /// Logged at `warn`, unless the line starts with a level of its own such as `[debug]`.
    Stderr,
}

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub struct LineSplitter {
    partial: Vec<u8>,
}

impl LineSplitter {
    /// Takes the next bytes and gives every line that they end.
    pub fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&str)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for chunk in piece.chunks(LINE_BYTES_MAX) {
                self.partial.extend_from_slice(chunk);
                if self.partial.ends_with(b"\n") || self.partial.len() >= LINE_BYTES_MAX {
                    self.flush(&mut line);
                }
            }
        }
    }

    /// Gives what is left without a line's end.
    pub fn finish(&mut self, mut line: impl FnMut(&str)) {
        if !self.partial.is_empty() {
            self.flush(&mut line);
        }
    }

    fn flush(&mut self, line: &mut impl FnMut(&str)) {
        let text = String::from_utf8_lossy(&self.partial);
        let text = text.trim_end_matches(['\n', '\r']);
        line(&text.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}"));
        self.partial.clear();
    }
}

/// Writes one line of a guest to the log.
pub(crate) fn line(bundle: &Bundle, pid: Option<u32>, stream: Stream, text: &str) {
    let (app, version) = (bundle.name.as_str(), &bundle.version);
    let (level, text) = level_of(stream, text);
    match level {
        Level::Debug => tracing::debug!(target: "guest", app, %version, pid, "{text}"),
        Level::Info => tracing::info!(target: "guest", app, %version, pid, "{text}"),
        Level::Warn => tracing::warn!(target: "guest", app, %version, pid, "{text}"),
        Level::Error => tracing::error!(target: "guest", app, %version, pid, "{text}"),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

fn level_of(stream: Stream, text: &str) -> (Level, &str) {
    const PREFIXES: [(&str, Level); 5] = [
        ("[trace] ", Level::Debug),
        ("[debug] ", Level::Debug),
        ("[info] ", Level::Info),
        ("[warn] ", Level::Warn),
        ("[error] ", Level::Error),
    ];
    let prefixed = PREFIXES
        .into_iter()
        .find_map(|(prefix, level)| Some((level, text.strip_prefix(prefix)?)));
    prefixed.unwrap_or(match stream {
        Stream::Stdout => (Level::Info, text),
        Stream::Stderr => (Level::Warn, text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let (mut splitter, mut lines) = (LineSplitter::default(), Vec::new());
        for piece in pieces {
            splitter.push(piece, |line| lines.push(line.to_owned()));
        }
        splitter.finish(|line| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn lines_are_cut_wherever_the_pieces_are() {
        assert_eq!(
            lines(&[b"one\ntw", b"o\n", b"three"]),
            ["one", "two", "three"]
        );
        assert_eq!(lines(&[b"crlf\r\n\n"]), ["crlf", ""]);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(lines(&[b"\x1b[31mred\n"]), ["\u{fffd}[31mred"]);
    }

    #[test]
    fn an_endless_line_is_logged_in_pieces() {
        let long = vec![b'x'; LINE_BYTES_MAX * 2 + 1];
        let lengths: Vec<usize> = lines(&[&long]).iter().map(String::len).collect();
        assert_eq!(lengths, [LINE_BYTES_MAX, LINE_BYTES_MAX, 1]);
    }

    #[test]
    fn a_line_may_name_its_level() {
        assert_eq!(level_of(Stream::Stderr, "[info] hi"), (Level::Info, "hi"));
        assert_eq!(
            level_of(Stream::Stderr, "panicked"),
            (Level::Warn, "panicked")
        );
        assert_eq!(level_of(Stream::Stdout, "hello"), (Level::Info, "hello"));
    }
}
