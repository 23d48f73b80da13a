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

/// All rows of a log, oldest first, with the day before the first entry of each.
pub fn rows(chat: &Chat, log: &Log, zone: Zone, width: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut day = String::new();
    for entry in log.entries() {
        let its_day = zone.day(entry.at.0);
        if its_day != day {
            rows.push(Row {
                place: (entry.at, 0),
                text: format!("{:INDENT$}{its_day}", ""),
                look: Look::Notice,
            });
            day = its_day;
        }
        rows.extend(rows_of(chat, entry, zone, width));
    }
    rows
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
        // The first place is the day's, should it begin here.
        place: (entry.at, part + 1),
        text: if part == 0 {
            format!("{time} {text}")
        } else {
            format!("{:INDENT$}{text}", "")
        },
        look,
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Patience;
    use crate::protocol::v1::Message;

    #[test]
    fn a_day_stands_before_its_first_message() {
        let chat = Chat::new("Ada".into(), "r".into(), Patience::Endless, 0);
        let mut log = Log::default();
        for hour in [22, 23, 24, 25] {
            log.say(Message {
                id: hour.to_string(),
                text: "hi".into(),
                username: "Bob".into(),
                timestamp: hour * 3_600_000,
            });
        }
        let rows = rows(&chat, &log, Zone::default(), 40);
        let texts: Vec<&str> = rows.iter().map(|row| row.text.trim()).collect();
        assert_eq!(
            texts,
            [
                "1970-01-01",
                "22:00 Bob: hi",
                "23:00 Bob: hi",
                "1970-01-02",
                "00:00 Bob: hi",
                "01:00 Bob: hi",
            ]
        );
        assert!(rows.windows(2).all(|pair| pair[0].place < pair[1].place));
    }
}
