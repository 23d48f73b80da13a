//! What is being done right now: a line that moves on a terminal, plain lines elsewhere.
//!
//! **Invariant:** everything goes to standard error; standard output is for results.
//! **Invariant:** on a terminal no line is printed past the moving ones, which would tear them: all go through here.

use std::fmt::{Arguments, Display};
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::style::{BAD, DIM, GOOD, paint};

/// How often a moving line moves.
const TICK: Duration = Duration::from_millis(100);

/// Where it is shown.
#[derive(Clone)]
pub struct Progress {
    voice: Voice,
    moving: MultiProgress,
}

/// How much is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Voice {
    /// Lines that move, and lines that stay.
    Moving,
    /// Lines that stay.
    Lines,
    /// Failures.
    Failures,
}

/// A piece of work that takes a while: a line that moves until this is dropped.
pub struct Step {
    bar: ProgressBar,
    voice: Voice,
}

/// Bytes on their way: a bar that fills until this is dropped.
pub struct Sending {
    bar: ProgressBar,
}

impl Progress {
    /// Lines that move when standard error is a terminal.
    pub fn auto() -> Progress {
        Progress::new(if std::io::stderr().is_terminal() {
            Voice::Moving
        } else {
            Voice::Lines
        })
    }

    /// Plain lines, for when others write to the terminal at the same time.
    pub fn lines() -> Progress {
        Progress::new(Voice::Lines)
    }

    /// Nothing but failures.
    pub fn quiet() -> Progress {
        Progress::new(Voice::Failures)
    }

    fn new(voice: Voice) -> Progress {
        Progress {
            voice,
            moving: MultiProgress::new(),
        }
    }

    /// Begins a piece of work.
    pub fn step(&self, label: impl Display, what: &str) -> Step {
        let bar = match self.voice {
            Voice::Moving => spinner(&self.moving, label.to_string(), what),
            Voice::Lines | Voice::Failures => ProgressBar::hidden(),
        };
        if self.voice == Voice::Lines {
            anstream::eprintln!("{what} {label}");
        }
        Step {
            bar,
            voice: self.voice,
        }
    }

    /// The same for work that others do, and tell of in lines of its own.
    pub fn waiting(&self, label: impl Display) -> Step {
        let bar = match self.voice {
            Voice::Moving => spinner(&self.moving, label.to_string(), ""),
            Voice::Lines | Voice::Failures => ProgressBar::hidden(),
        };
        Step {
            bar,
            voice: self.voice,
        }
    }

    /// Begins to send so many bytes.
    pub fn sending(&self, label: impl Display, bytes: u64) -> Sending {
        let bar = match self.voice {
            Voice::Moving => byte_bar(&self.moving, label.to_string(), bytes),
            Voice::Lines | Voice::Failures => ProgressBar::hidden(),
        };
        if self.voice == Voice::Lines {
            anstream::eprintln!("sending {label}");
        }
        Sending { bar }
    }

    /// Something went well.
    pub fn done(&self, label: impl Display, how: impl Display) {
        if self.voice != Voice::Failures {
            self.print(format_args!(
                "{} {label} {}",
                paint(GOOD, "✓"),
                paint(DIM, how)
            ));
        }
    }

    /// Something did not, and why.
    pub fn failed(&self, label: impl Display, how: impl Display) {
        self.print(format_args!("{} {label} {how}", paint(BAD, "✗")));
    }

    /// Something that is worth reading, when there is something.
    pub fn remark(&self, text: &str) {
        if self.voice != Voice::Failures && !text.is_empty() {
            self.print(format_args!("{text}"));
        }
    }

    fn print(&self, line: Arguments<'_>) {
        self.moving.suspend(|| anstream::eprintln!("{line}"));
    }
}

impl Step {
    /// What the work is at. Shown only where it moves: a log would drown in it.
    pub fn at(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// What the work waits for, which may be long: shown in a log too.
    pub fn waits(&self, what: &str) {
        self.at(what);
        if self.voice == Voice::Lines {
            anstream::eprintln!("{what}");
        }
    }
}

impl Sending {
    /// So many bytes more are on their way. With none left, it is the server's turn.
    pub fn sent(&self, bytes: u64) {
        if bytes > 0 {
            self.bar.inc(bytes);
        } else {
            self.bar.set_message("is received");
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar has its place among the others before it is told anything: one that has none draws itself, and nobody takes that
/// away again.
fn spinner(moving: &MultiProgress, label: String, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner:.cyan} {prefix} {wide_msg:.dim}");
    let bar = moving.add(ProgressBar::new_spinner());
    bar.set_style(style.expect("a template that is known to be valid"));
    bar.set_prefix(label);
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(TICK);
    bar
}

fn byte_bar(moving: &MultiProgress, label: String, bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{spinner:.cyan} {prefix} {bar:24.cyan} {bytes}/{total_bytes} {wide_msg:.dim}",
    );
    let bar = moving.add(ProgressBar::new(bytes));
    bar.set_style(style.expect("a template that is known to be valid"));
    bar.set_prefix(label);
    bar.enable_steady_tick(TICK);
    bar
}
