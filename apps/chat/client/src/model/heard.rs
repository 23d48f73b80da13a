//! What a server said, and what follows from it.
//!
//! **Invariant:** after a connection was lost the history is read back to the newest message that was known, page by page,
//! before anything is said; where the server does not have that message any more, the user is told of the gap.

use super::{Chat, Phase, Told};
use crate::exit::Exit;
use crate::protocol::v1::{Ask, Heard, Message, PAGE_MAX, Status, parse};

/// How often the server is asked to let us in before its no is one.
const ENTER_TRIES_MAX: u32 = 3;
/// How long to wait at most when asked to be slow: a window of the server's.
const HOLD_MAX_MS: u64 = 61_000;

impl Chat {
    pub(super) fn frame(&mut self, frame: &str) {
        self.clock.heard = self.clock.now;
        // An answer to a ping comes as an empty one.
        if let Some(heard) = parse(frame) {
            self.hear(heard);
        }
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::LoggedIn(name) => self.me = name,
            Heard::Error { code, message } => self.error(&code, &message),
            Heard::Created(room) => {
                self.notice(format!("Made {room}: /join {room} goes there"));
                self.list();
            }
            Heard::Rooms(rooms) => {
                self.rooms.clone_from(&rooms);
                if std::mem::take(&mut self.rooms_asked) {
                    self.tell_rooms(rooms);
                }
            }
            Heard::Joined {
                room,
                people,
                recent,
            } => self.entered(room, people, recent),
            Heard::Said {
                room,
                message,
                request,
            } => self.said(&room, message, request.as_deref()),
            Heard::Page {
                room,
                messages,
                has_more,
            } => self.page(&room, messages, has_more),
            Heard::Rate {
                remaining,
                reset_ms,
                message,
            } => self.slow(remaining, reset_ms, &message),
            Heard::Presence(name, status) => {
                self.statuses.insert(name.clone(), status);
                self.tell(Told::Presence(name, status));
            }
            Heard::Came(room, name) if self.is_here(&room) => {
                // Who joins a second time is there already.
                if !self.people.contains(&name) {
                    self.people.push(name.clone());
                }
                self.note(format!("{name} came"));
                self.tell(Told::Came(room, name));
            }
            Heard::Went(room, name) if self.is_here(&room) => {
                if let Some(at) = self.people.iter().position(|known| *known == name) {
                    self.people.remove(at);
                }
                self.typing.retain(|typist| *typist != name);
                self.statuses.remove(&name);
                self.note(format!("{name} left"));
                self.tell(Told::Went(room, name));
            }
            Heard::Typing(room, names) if self.is_here(&room) => self.typing = names,
            Heard::Came(..) | Heard::Went(..) | Heard::Typing(..) => {}
        }
    }

    fn is_here(&self, room: &str) -> bool {
        self.joined.as_deref() == Some(room)
    }

    /// Into the log only.
    fn note(&mut self, text: String) {
        let now = self.clock.now;
        self.log_here().note(now, super::log::What::Notice(text));
    }

    fn tell_rooms(&mut self, rooms: Vec<crate::protocol::v1::Room>) {
        for room in &rooms {
            let what = room.description.as_deref().unwrap_or_default();
            let dash = if what.is_empty() { "" } else { " – " };
            self.note(format!("{} ({}){dash}{what}", room.id, room.user_count));
        }
        self.tell(Told::Rooms(rooms));
    }

    fn entered(&mut self, room: String, people: Vec<String>, recent: Vec<Message>) {
        // An answer that the user has meanwhile changed his mind about.
        if self.wanted.as_ref() != Some(&room) {
            return;
        }
        let is_new = self.joined.as_ref() != Some(&room);
        self.joined = Some(room.clone());
        self.people.clone_from(&people);
        self.typing.clear();
        if self.status != Status::Online {
            let status = self.status;
            self.ask(&Ask::Presence(status));
        }
        if is_new {
            self.tell(Told::Entered {
                room: room.clone(),
                people,
            });
        }
        let oldest = recent.first().map(|message| message.timestamp);
        let is_first = self.log_here().messages().next().is_none();
        if is_first {
            self.log_here().has_older = !recent.is_empty();
        }
        for message in recent {
            self.learn(&room, message);
        }
        match (self.missed_from, oldest) {
            (Some(newest), Some(oldest)) if oldest > newest => self.recover(room, oldest),
            (Some(1..), None) => self.lost_past(),
            _ => self.recovered(),
        }
    }

    fn recover(&mut self, room: String, before: u64) {
        self.phase = Phase::Recovering(self.clock.now);
        self.ask(&Ask::History {
            room,
            limit: PAGE_MAX,
            before: Some(before),
        });
    }

    fn recovered(&mut self) {
        self.missed_from = None;
        if self.phase != Phase::Ready {
            self.ready();
        }
    }

    fn lost_past(&mut self) {
        self.notice("The server does not remember everything that was said meanwhile: messages may be missing");
        self.recovered();
    }

    fn page(&mut self, room: &str, messages: Vec<Message>, has_more: bool) {
        let oldest = messages.first().map(|message| message.timestamp);
        let is_recovery = matches!(self.phase, Phase::Recovering(_)) && self.is_here(room);
        let is_asked = std::mem::take(&mut self.page_asked) && self.is_here(room);
        for message in messages {
            self.learn(room, message);
        }
        if is_recovery {
            match oldest {
                Some(oldest) if self.missed_from.is_none_or(|newest| oldest <= newest) => {
                    self.recovered();
                }
                Some(oldest) if has_more => self.recover(room.to_owned(), oldest),
                // Nothing was known before, and this is all.
                _ if self.missed_from == Some(0) => self.recovered(),
                _ => self.lost_past(),
            }
        } else if is_asked {
            self.log_here().has_older = has_more;
        }
    }

    /// Takes a message in, wherever it came from, once.
    fn learn(&mut self, room: &str, message: Message) {
        let log = self.logs.entry(room.to_owned()).or_default();
        if log.say(message.clone()) {
            // A page of the past that the user asked for may hold the same words.
            if self.phase != Phase::Ready
                && self
                    .missed_from
                    .is_none_or(|newest| message.timestamp > newest)
            {
                self.outbox.acknowledge(&self.me, &message, None);
            }
            if self.is_here(room) {
                self.tell_said(room, message);
            }
        }
    }

    /// A page of the past goes before what was said since: both wait until there is no gap between.
    fn tell_said(&mut self, room: &str, message: Message) {
        let room = room.to_owned();
        if self.phase == Phase::Ready {
            self.tell(Told::Said { room, message });
        } else {
            self.held.push((room, message));
        }
    }

    pub(super) fn tell_held(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        held.sort_by_key(|(_, message)| message.timestamp);
        for (room, message) in held {
            self.tell(Told::Said { room, message });
        }
    }

    fn said(&mut self, room: &str, message: Message, request: Option<&str>) {
        self.outbox.acknowledge(&self.me, &message, request);
        self.typing.retain(|typist| *typist != message.username);
        let log = self.logs.entry(room.to_owned()).or_default();
        if log.say(message.clone()) {
            self.tell_said(room, message);
        }
    }

    /// Too fast: what was under way and is not among what was said waits for the next window.
    fn slow(&mut self, remaining: u32, reset_ms: u64, message: &str) {
        let now = self.clock.now;
        let until = reset_ms.saturating_add(1).clamp(now, now + HOLD_MAX_MS);
        let is_blocked = message.starts_with("Rate limit exceeded");
        if remaining == 0 {
            self.outbox.hold(until);
        }
        if is_blocked {
            self.outbox.take_back();
        }
        if is_blocked && matches!(self.phase, Phase::Entering(_)) {
            // Not let in: a connection of its own has a window of its own.
            self.effects.push(super::Effect::Disconnect);
            self.down(message);
            return;
        }
        let seconds = until.saturating_sub(now).div_ceil(1_000);
        self.notice(format!("{message}: {remaining} left for {seconds} s"));
    }

    fn error(&mut self, code: &str, message: &str) {
        let is_ours = self.outbox.under_way().is_some();
        match code {
            "NOT_AUTHENTICATED" | "NOT_IN_ROOM" | "ROOM_NOT_FOUND" if is_ours => {
                self.outbox.take_back();
                self.enter_again(message);
            }
            "VALIDATION_ERROR" | "RATE_LIMITED" if matches!(self.phase, Phase::Entering(_)) => {
                self.problem(message.to_owned());
                self.end(Exit::Refused);
            }
            "VALIDATION_ERROR" if is_ours => {
                self.undelivered = true;
                self.outbox.give_up();
                self.problem(message.to_owned());
            }
            _ => self.problem(message.to_owned()),
        }
    }

    /// The server knows us no longer, though the connection is there.
    fn enter_again(&mut self, why: &str) {
        self.enter_tries += 1;
        let room = self
            .wanted
            .clone()
            .filter(|_| self.enter_tries < ENTER_TRIES_MAX);
        match room {
            Some(room) => {
                self.phase = Phase::Entering(self.clock.now);
                self.ask(&Ask::Join(room, self.me.clone()));
            }
            None => {
                self.enter_tries = 0;
                self.undelivered = true;
                self.outbox.give_up();
                self.problem(why.to_owned());
            }
        }
    }
}
