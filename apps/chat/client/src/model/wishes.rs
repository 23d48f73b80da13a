//! What the user wants, and what is asked of the server for it.
//!
//! **Invariant:** what cannot be asked now is either kept until it can be, or refused in words at once.

use super::command::{COMMANDS, Command};
use super::log::Log;
use super::outbox::Sent;
use super::{Chat, Draft, Effect, Phase};
use crate::clean;
use crate::protocol::v1::{Ask, NAME_UNITS_MAX, PAGE_MAX, Status, TEXT_UNITS_MAX};

/// So often others are told that the user is typing. The server forgets it after 3 s.
const TYPING_EVERY_MS: u64 = 2_000;
/// So often a message is sent before it is given up.
const TRIES_MAX: u32 = 5;
/// In so many rooms that were left one looks for news.
const ELSEWHERE_MAX: usize = 5;

impl Chat {
    pub(super) fn command(&mut self, command: Command) {
        match command {
            Command::Say(text) => self.say(&text),
            Command::Help => {
                for (word, arguments, what) in COMMANDS {
                    self.notice(format!("{word} {arguments} – {what}"));
                }
            }
            Command::Rooms => {
                self.rooms_asked = true;
                self.ask_if_up(&Ask::List);
            }
            Command::Create(name, text) => self.ask_if_up(&Ask::Create(name, text)),
            Command::Join(room) => self.join(&room),
            Command::Leave => self.leave(),
            Command::Users => self.tell_people(),
            Command::History(limit) => self.history(limit),
            Command::Presence(status) => {
                self.status = status;
                self.ask_if_up(&Ask::Presence(status));
            }
            Command::Nick(name) => self.rename(&name),
            Command::Clear => self.log_here().clear(),
            Command::Quit => self.quit(),
        }
    }

    fn tell_people(&mut self) {
        let people = self.people.iter().map(|name| {
            let status = self.statuses.get(name).copied().unwrap_or(Status::Online);
            match status {
                Status::Online => name.clone(),
                other => format!("{name} ({})", crate::lines::word(other)),
            }
        });
        let people = people.collect::<Vec<_>>().join(", ");
        self.notice(format!("{} here: {people}", self.people.len()));
    }

    fn ask_if_up(&mut self, ask: &Ask) {
        if self.is_up() {
            self.ask(ask);
        } else {
            self.problem("Not connected: try again when the connection is back");
        }
    }

    /// Keeps something to say until it is said.
    pub(super) fn say(&mut self, text: &str) {
        let units = text.encode_utf16().count();
        if text.is_empty() {
            return;
        }
        if units > TEXT_UNITS_MAX {
            self.undelivered = true;
            return self.problem(format!("Too long to send: {units} of {TEXT_UNITS_MAX}"));
        }
        let Some(room) = self.wanted.clone() else {
            self.undelivered = true;
            return self.problem("Join a room first: /join ROOM");
        };
        if !self.outbox.push(&room, text) {
            self.undelivered = true;
            self.problem("Too much waits to be sent");
        }
        // The server takes a message for the end of typing.
        self.clock.typed = None;
    }

    /// Says the next thing, if it is time.
    pub(super) fn send_next(&mut self) {
        if self.phase != Phase::Ready {
            return;
        }
        let (Some(room), now) = (self.joined.clone(), self.clock.now) else {
            return;
        };
        let Some(wish) = self.outbox.next(&room, now) else {
            return;
        };
        wish.tries += 1;
        let (text, tries, id) = (wish.text.clone(), wish.tries, wish.id.clone());
        if tries > TRIES_MAX {
            self.undelivered = true;
            self.outbox.give_up();
            return self.problem(format!("Not sent, after {TRIES_MAX} tries: {text}"));
        }
        let id = id.unwrap_or_else(|| self.next_id());
        let say = Ask::Say {
            room: room.clone(),
            text,
        };
        self.effects.push(Effect::Send(say.frame(&id)));
        if let Some(wish) = self.outbox.next(&room, now) {
            wish.id = Some(id.clone());
            wish.sent = Some(Sent { id, at_ms: now });
        }
    }

    fn join(&mut self, room: &str) {
        let room = clean::name(room);
        if self.outbox.len() > 0 {
            return self.problem("Something still waits to be sent here");
        }
        self.log_here().read();
        // Nobody is told of a room that he is not in: who comes back reads what was said meanwhile.
        self.missed_from = self.logs.get(&room).map(Log::newest);
        self.wanted = Some(room.clone());
        self.people.clear();
        self.typing.clear();
        self.clock.typed = None;
        if self.is_up() {
            self.joined = None;
            self.phase = Phase::Entering(self.clock.now);
            self.ask_to_join(room);
            self.list();
        }
    }

    fn leave(&mut self) {
        let Some(room) = self.wanted.clone() else {
            return self.problem("You are in no room");
        };
        if self.is_up() {
            self.ask(&Ask::Leave(room.clone()));
            self.list();
        }
        self.log_here().read();
        (self.wanted, self.joined, self.missed_from) = (None, None, None);
        self.people.clear();
        self.typing.clear();
        if self.is_up() {
            self.ready();
        }
        self.notice(format!("You left {room}"));
    }

    fn rename(&mut self, name: &str) {
        let name = clean::name(name);
        if name.encode_utf16().count() > NAME_UNITS_MAX {
            return self.problem(format!("A name has {NAME_UNITS_MAX} characters at most"));
        }
        if self.is_up() {
            let old = std::mem::replace(&mut self.me, name.clone());
            self.ask(&Ask::Login(name.clone()));
            if let Some(at) = self.people.iter().position(|known| *known == old) {
                self.people[at] = name;
            }
        } else {
            self.me = name;
        }
    }

    fn history(&mut self, limit: usize) {
        let Some(room) = self.joined.clone() else {
            return self.problem("You are in no room");
        };
        let oldest = self.log().and_then(|log| log.messages().next());
        let before = oldest.map(|message| message.timestamp);
        self.page_asked = true;
        self.ask(&Ask::History {
            room,
            limit,
            before,
        });
    }

    /// Asks for what is older than what is shown, if there is any and it was not asked for already.
    pub(super) fn look_back(&mut self) {
        let has_older = self.log().is_some_and(|log| log.has_older);
        if has_older && !self.page_asked && self.phase == Phase::Ready {
            self.history(PAGE_MAX);
        }
    }

    /// Looks for news in rooms that the user was in. Only who is in a room is told of them.
    pub(super) fn look_elsewhere(&mut self) {
        let here = self.shown().to_owned();
        let left = self.logs.keys().filter(|room| **room != here);
        let known = left.filter(|room| self.rooms.iter().any(|known| known.id == **room));
        for room in known.take(ELSEWHERE_MAX).cloned().collect::<Vec<_>>() {
            self.ask(&Ask::History {
                room,
                limit: PAGE_MAX,
                before: None,
            });
        }
    }

    pub(super) fn draft(&mut self, draft: Draft) {
        let (Some(room), Phase::Ready) = (self.joined.clone(), &self.phase) else {
            return;
        };
        let now = self.clock.now;
        match (draft, self.clock.typed) {
            (Draft::Empty, Some(_)) => {
                self.clock.typed = None;
                self.ask(&Ask::TypingStop(room));
            }
            (Draft::Begun, typed) if typed.is_none_or(|at| now >= at + TYPING_EVERY_MS) => {
                self.clock.typed = Some(now);
                self.ask(&Ask::TypingStart(room));
            }
            _ => {}
        }
    }
}
