//! Lines that are typed or piped in.
//!
//! **Invariant:** no more is read than the program has room for: whoever pipes a lot in has to wait.

use std::io::BufRead;
use std::thread;

use tokio::sync::mpsc::{Receiver, channel};

use crate::model::Event;
use crate::model::command::{self, Command};

/// What lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Each is said, whatever it begins with.
    Text,
    /// Those with a slash are commands.
    Commands,
}

/// Lines that wait to be handled.
const WAITING_MAX: usize = 16;

/// Reads lines on a thread of its own, which ends with the input or with the program.
pub fn lines() -> std::io::Result<Receiver<String>> {
    let (sender, receiver) = channel(WAITING_MAX);
    thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let mut input = std::io::stdin().lock();
            let mut line = Vec::new();
            while input
                .read_until(b'\n', &mut line)
                .is_ok_and(|bytes| bytes > 0)
            {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end_matches(['\n', '\r']).to_owned();
                if sender.blocking_send(text).is_err() {
                    return;
                }
                line.clear();
            }
        })?;
    Ok(receiver)
}

/// What a line asks for; None for an empty one.
pub fn event(reading: Reading, line: String) -> Result<Option<Event>, String> {
    match reading {
        Reading::Text => Ok((!line.is_empty()).then_some(Event::Line(line))),
        Reading::Commands => Ok(command::parse(&line)?.map(|command| match command {
            Command::Quit => Event::Quit,
            command => Event::Command(command),
        })),
    }
}
