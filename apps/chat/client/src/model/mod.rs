//! What the program knows, and what it does about what happens: a state machine.
//!
//! **Invariant:** everything that comes in goes through [`Chat::step`], and everything that goes out is an [`Effect`].
//! **Absent on purpose:** sockets, terminals, clocks and chance. `run.rs` has them.

pub mod command;
pub mod complete;
pub mod input;
pub mod log;
pub mod outbox;

mod heard;
mod link;
mod recover;
mod wishes;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::backoff::Backoff;
use crate::exit::Exit;
use crate::protocol::v1::{Ask, Message, Room, Status};
use command::Command;
use log::{Log, What};
use outbox::Outbox;

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The connection is there.
    Up,
    /// It is not, or no longer.
    Down(String),
    /// The server does not let us connect.
    Refused(String),
    /// The server ended the connection, and does not want us to come back.
    Dismissed(String),
    /// A frame came.
    Frame(String),
    /// Some time passed: a second at most.
    Tick,
    /// The user asks for something.
    Command(Command),
    /// A line is to be said as it is, whatever it begins with.
    Line(String),
    /// The line being written changed; whether there is anything in it.
    Draft(Draft),
    /// The user looked as far back as there is.
    LookBack,
    /// The user looks at the newest.
    Seen,
    /// There will be no more lines: end when all is said.
    LastLine,
    /// End now.
    Quit,
}

/// The line being written, as others are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draft {
    /// There is none.
    Empty,
    /// There is one.
    Begun,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Connect.
    Connect,
    /// Give the connection up.
    Disconnect,
    /// Send a frame.
    Send(String),
    /// Ask the other end whether it is there.
    Ping,
    /// Tell the user, where lines are printed.
    Tell(Told),
    /// End.
    End(Exit),
}

/// What a user who reads lines is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// Somebody said something.
    Said {
        /// The room.
        room: String,
        /// What was said.
        message: Message,
    },
    /// We are in a room.
    Entered {
        /// The room.
        room: String,
        /// Who else is.
        people: Vec<String>,
    },
    /// Somebody came.
    Came(String, String),
    /// Somebody left.
    Went(String, String),
    /// Somebody is seen as this now.
    Presence(String, Status),
    /// The rooms, because they were asked for.
    Rooms(Vec<Room>),
    /// Anything else.
    Notice(String),
    /// What went wrong.
    Problem(String),
}

/// Where the connection stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Trying to connect.
    Connecting,
    /// Waiting for the next try at this time, in epoch milliseconds.
    Waiting(u64),
    /// Connected, and asked to be let in since then.
    Entering(u64),
    /// In the room, and reading what was missed since then.
    Recovering(u64),
    /// As the user wants it.
    Ready,
}

/// How long one tries to reach a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// As long as the user does.
    Endless,
    /// So many milliseconds without a connection.
    Ms(u64),
}

/// The program's state.
pub struct Chat {
    /// The user's name.
    pub me: String,
    /// Where the user wants to be.
    pub wanted: Option<String>,
    /// Where the server has us.
    pub joined: Option<String>,
    /// Where the connection stands.
    pub phase: Phase,
    /// All rooms, as listed last.
    pub rooms: Vec<Room>,
    /// Who is in the room, in the order of joining.
    pub people: Vec<String>,
    /// What people are seen as, where it was told.
    pub statuses: BTreeMap<String, Status>,
    /// Who is typing in the room.
    pub typing: Vec<String>,
    /// What is to be said.
    pub outbox: Outbox,
    /// What oneself is seen as.
    pub status: Status,
    logs: BTreeMap<String, Log>,
    backoff: Backoff,
    patience: Patience,
    clock: Clock,
    /// When the newest message of the room was said before the connection ended: recovery reads back to it.
    missed_from: Option<u64>,
    /// Of each room, the position up to which everything was heard, where the server knows positions.
    positions: BTreeMap<String, String>,
    /// Where the page begins that comes before what is known of the present: recovery by time goes on there.
    page_from: Option<u64>,
    /// The position that one is at, in a room, when that is done.
    position_then: Option<(String, String)>,
    /// Whether one recovers by time, and not from a position.
    reads_back: bool,
    /// What was said since then and comes in pieces, newest first: it is told when it is whole.
    held: Vec<(String, Message)>,
    /// Whether the server has ever had us where we wanted to be.
    was_ready: bool,
    rooms_asked: bool,
    page_asked: bool,
    enter_tries: u32,
    ending: bool,
    undelivered: bool,
    effects: Vec<Effect>,
}

/// When things happened, in epoch milliseconds.
#[derive(Debug, Default)]
struct Clock {
    now: u64,
    chance: u64,
    down_since: u64,
    heard: u64,
    pinged: u64,
    listed: u64,
    typed: Option<u64>,
}

impl Chat {
    /// Wants to be in this room by this name.
    pub fn new(me: String, room: String, patience: Patience, now_ms: u64) -> Chat {
        Chat {
            me,
            wanted: Some(room),
            joined: None,
            phase: Phase::Connecting,
            rooms: Vec::new(),
            people: Vec::new(),
            statuses: BTreeMap::new(),
            typing: Vec::new(),
            outbox: Outbox::default(),
            status: Status::Online,
            logs: BTreeMap::new(),
            backoff: Backoff::default(),
            patience,
            clock: Clock {
                now: now_ms,
                down_since: now_ms,
                ..Clock::default()
            },
            missed_from: None,
            positions: BTreeMap::new(),
            page_from: None,
            position_then: None,
            reads_back: false,
            held: Vec::new(),
            was_ready: false,
            rooms_asked: false,
            page_asked: false,
            enter_tries: 0,
            ending: false,
            undelivered: false,
            effects: Vec::new(),
        }
    }

    /// Something happened: what is to be done about it. `chance` is any number.
    pub fn step(&mut self, now_ms: u64, chance: u64, event: Event) -> Vec<Effect> {
        self.clock.now = now_ms;
        self.clock.chance = chance;
        match event {
            Event::Up => self.up(),
            Event::Down(why) => self.down(&why),
            Event::Refused(why) => self.refused(&why),
            Event::Dismissed(why) => self.dismissed(&why),
            Event::Frame(frame) => self.frame(&frame),
            Event::Tick => self.tick(),
            Event::Command(command) => self.command(command),
            Event::Line(line) => self.say(&line),
            Event::Draft(draft) => self.draft(draft),
            Event::LookBack => self.look_back(),
            Event::Seen => self.log_here().read(),
            Event::LastLine => self.ending = true,
            Event::Quit => self.quit(),
        }
        self.send_next();
        self.end_if_said();
        std::mem::take(&mut self.effects)
    }

    /// What of the connection is seen on a screen: it changes without anything coming in.
    pub fn glance(&self) -> (Phase, Option<u64>) {
        (self.phase.clone(), self.waits_s())
    }

    /// In how many seconds one tries again to connect.
    pub fn waits_s(&self) -> Option<u64> {
        match self.phase {
            Phase::Waiting(until) => Some(until.saturating_sub(self.clock.now).div_ceil(1_000)),
            _ => None,
        }
    }

    /// The log of the room that is shown.
    pub fn log(&self) -> Option<&Log> {
        self.logs.get(self.shown())
    }

    /// What others said in a room and the user did not see: how much, and whether the user is named.
    pub fn unread(&self, room: &str) -> (usize, bool) {
        let Some(log) = self.logs.get(room) else {
            return (0, false);
        };
        let named = log
            .unread(&self.me)
            .any(|message| self.names_me(&message.text));
        (log.unread(&self.me).count(), named)
    }

    /// Whether a text names the user, as a word.
    pub fn names_me(&self, text: &str) -> bool {
        let (text, me) = (text.to_lowercase(), self.me.to_lowercase());
        text.match_indices(&me).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + me.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        })
    }

    /// The room that is shown; none has the empty name.
    fn shown(&self) -> &str {
        self.wanted.as_deref().unwrap_or_default()
    }

    fn log_here(&mut self) -> &mut Log {
        let room = self.shown().to_owned();
        self.logs.entry(room).or_default()
    }

    fn ask(&mut self, ask: &Ask) {
        let id = self.next_id();
        self.effects.push(Effect::Send(ask.frame(&id)));
    }

    fn next_id(&mut self) -> String {
        // Two requests of one step have two names.
        self.clock.chance = self
            .clock
            .chance
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(1);
        crate::chance::id(self.clock.now, self.clock.chance)
    }

    fn tell(&mut self, told: Told) {
        self.effects.push(Effect::Tell(told));
    }

    fn notice(&mut self, text: impl Into<String>) {
        let (text, now) = (text.into(), self.clock.now);
        self.log_here().note(now, What::Notice(text.clone()));
        self.tell(Told::Notice(text));
    }

    fn problem(&mut self, text: impl Into<String>) {
        let (text, now) = (text.into(), self.clock.now);
        self.log_here().note(now, What::Problem(text.clone()));
        self.tell(Told::Problem(text));
    }

    fn is_up(&self) -> bool {
        !matches!(self.phase, Phase::Connecting | Phase::Waiting(_))
    }
}
