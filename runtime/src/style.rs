//! Colours, by what they mean.
//!
//! **Invariant:** only [`anstream`]'s `print!` and `eprint!` families write styled text, so that there are colours on a
//! terminal and nowhere else, and none at all where `NO_COLOR` is set.

use std::fmt::{self, Display};

use anstyle::{AnsiColor, Style};

/// Something went well.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Something did not.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Something may be a mistake.
pub const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// What a person came to read, or may copy.
pub const KEY: Style = AnsiColor::Cyan.on_default();
/// What may be read over.
pub const DIM: Style = Style::new().dimmed();
/// A title.
pub const BOLD: Style = Style::new().bold();

/// A value in a style.
pub struct Painted<T>(Style, T);

/// Paints a value.
pub fn paint<T: Display>(style: Style, value: T) -> Painted<T> {
    Painted(style, value)
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Painted(style, value) = self;
        write!(f, "{style}{value}{style:#}")
    }
}

/// Help texts in the same colours.
pub const HELP: clap::builder::Styles = clap::builder::Styles::styled()
    .header(BOLD)
    .usage(BOLD)
    .literal(KEY)
    .placeholder(DIM)
    .error(BAD)
    .valid(GOOD)
    .invalid(WARN);
