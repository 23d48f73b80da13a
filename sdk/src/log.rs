//! Lines for the log. The host adds the app, its version and the time.
//!
//! **Invariant:** one call is one line. A line break in a message would let a client write entries of its own.

use std::fmt;

use crate::seam;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever looks into this very thing.
    Debug,
    /// Worth knowing.
    Info,
    /// Odd, and dealt with.
    Warn,
    /// Somebody did not get what they asked for.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

/// Writes a line: `[info] text`. The macros [`debug!`](crate::debug!), [`info!`](crate::info!),
/// [`warn!`](crate::warn!) and [`error!`](crate::error!) call this.
pub fn write(level: Level, message: fmt::Arguments<'_>) {
    let text = message.to_string();
    let mut line = String::with_capacity(text.len() + 10);
    line.push('[');
    line.push_str(level.name());
    line.push_str("] ");
    for char in text.chars() {
        if char.is_control() {
            line.extend(char.escape_default());
        } else {
            line.push(char);
        }
    }
    seam::log::write_line(&line);
}

/// Writes a line of level debug to the log, formatted as by [`format!`].
#[macro_export]
macro_rules! debug {
    ($($part:tt)*) => { $crate::log::write($crate::log::Level::Debug, ::core::format_args!($($part)*)) };
}

/// Writes a line of level info to the log, formatted as by [`format!`].
#[macro_export]
macro_rules! info {
    ($($part:tt)*) => { $crate::log::write($crate::log::Level::Info, ::core::format_args!($($part)*)) };
}

/// Writes a line of level warn to the log, formatted as by [`format!`].
#[macro_export]
macro_rules! warn {
    ($($part:tt)*) => { $crate::log::write($crate::log::Level::Warn, ::core::format_args!($($part)*)) };
}

/// Writes a line of level error to the log, formatted as by [`format!`].
#[macro_export]
macro_rules! error {
    ($($part:tt)*) => { $crate::log::write($crate::log::Level::Error, ::core::format_args!($($part)*)) };
}
