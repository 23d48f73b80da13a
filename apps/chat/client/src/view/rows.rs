//! A room's entries as rows of a width.
//!
//! **Invariant:** a row's place is its entry's and stays the same, whatever comes before or after it.

use crate::clock::Zone;
use crate::model::Chat;
use crate::model::log::{Entry, Log, What};
use crate::view::wrap::wrap;

/// One row of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which entry it is of, and which of its rows.
    pub place: Place,
    /// What stands in it.
    pub text: String,
    /// How it looks.
    pub look: Look,
}

/// A place in a log that stays the same whatever comes before or after it.
pub type Place = ((u64, u64), usize);

/// How a row looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Of somebody else.
    Theirs,
    /// Our own.
    Ours,
    /// Names us.
    Mention,
    /// Something happened.
    Notice,
    /// Something went wrong.
    Problem,
}

/// What stands before a continued message.
const INDENT: usize = 6;

/// All rows of a log, oldest first.
pub fn rows(chat: &Chat, log: &Log, zone: Zone, width: usize) -> Vec<Row> {
    log.entries()
        .iter()
        .flat_map(|entry| rows_of(chat, entry, zone, width))
        .collect()
}

fn rows_of(chat: &Chat, entry: &Entry, zone: Zone, width: usize) -> Vec<Row> {
    let (text, look) = match &entry.what {
        What::Said(message) => (
            format!("{}: {}", message.username, message.text),
            if message.username == chat.me {
                Look::Ours
            } else if chat.names_me(&message.text) {
                Look::Mention
            } else {
                Look::Theirs
            },
        ),
        What::Notice(text) => (format!("· {text}"), Look::Notice),
        What::Problem(text) => (format!("! {text}"), Look::Problem),
    };
    let time = zone.time(entry.at.0);
    let wrapped = wrap(&text, width.saturating_sub(INDENT));
    let rows = wrapped.into_iter().enumerate().map(|(part, text)| Row {
        place: (entry.at, part),
        text: if part == 0 {
            format!("{time} {text}")
        } else {
            format!("{:INDENT$}{text}", "")
        },
        look,
    });
    rows.collect()
}
