//! What a server said, and what follows from it.
//!
//! **Absent on purpose:** how what was missed comes in. `recover.rs` has it.

use super::recover::{Came, More};
use super::{Chat, Patience, Phase, Told};
use crate::exit::Exit;
use crate::protocol::v1::{Ask, Heard, Message, Status, parse};

/// How often the server is asked to let us in before its no is one.
const ENTER_TRIES_MAX: u32 = 3;
/// How long to wait when asked to be slow, and not told how long.
const HOLD_MS: u64 = 2_000;
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
            Heard::Error {
                code,
                message,
                request,
            } => self.error(&code, &message, request.as_deref()),
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
                statuses,
                position,
            } => {
                let known = people.iter().cloned().zip(statuses);
                let known = known.filter_map(|(name, status)| Some((name, status?)));
                let known: Vec<(String, Status)> = known.collect();
                self.entered(room, people, recent, position);
                self.statuses.extend(known);
            }
            Heard::Recovered {
                room,
                messages,
                has_more,
                complete,
                position,
            } => {
                let more = if has_more { More::There } else { More::None };
                if complete {
                    self.caught_up(&room, messages, more, position);
                } else {
                    self.forgotten(&room, position);
                }
            }
            Heard::Said {
                room,
                message,
                request,
                position,
            } => self.said(&room, message, request.as_deref(), position),
            Heard::Page {
                room,
                messages,
                has_more,
            } => {
                let more = if has_more { More::There } else { More::None };
                self.page(&room, messages, more);
            }
            Heard::Rate {
                remaining,
                reset_ms,
                message,
            } => self.slow(remaining, reset_ms, &message),
            people => self.hear_of_people(people),
        }
    }

    fn hear_of_people(&mut self, heard: Heard) {
        match heard {
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
            // Of a room that we left.
            _ => {}
        }
    }

    pub(super) fn is_here(&self, room: &str) -> bool {
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

    fn entered(
        &mut self,
        room: String,
        people: Vec<String>,
        recent: Vec<Message>,
        position: Option<String>,
    ) {
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
            self.learn(&room, message, Came::ByTime);
        }
        self.begin_recovery(room, oldest, position);
    }

    fn said(
        &mut self,
        room: &str,
        message: Message,
        request: Option<&str>,
        position: Option<String>,
    ) {
        // While something is missing before it, this is not how far one has heard everything.
        if let (Some(position), Phase::Ready) = (position, &self.phase) {
            self.positions.insert(room.to_owned(), position);
        }
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

    fn error(&mut self, code: &str, message: &str, request: Option<&str>) {
        let sent = self.outbox.under_way().and_then(|wish| wish.sent.as_ref());
        let is_ours = sent.is_some_and(|sent| request.is_none_or(|request| request == sent.id));
        match code {
            "RATE_LIMITED" if matches!(self.phase, Phase::Entering(_) | Phase::Recovering(_)) => {
                // What it did not do is not known; a connection of its own begins anew, and later.
                self.effects.push(super::Effect::Disconnect);
                self.down(message);
            }
            "RATE_LIMITED" if is_ours => {
                self.outbox.take_back();
                self.outbox.hold(self.clock.now + HOLD_MS);
            }
            "NOT_AUTHENTICATED" | "NOT_IN_ROOM" | "ROOM_NOT_FOUND" if is_ours => {
                self.outbox.take_back();
                self.enter_again(message);
            }
            "VALIDATION_ERROR" if matches!(self.phase, Phase::Entering(_)) => {
                self.problem(message.to_owned());
                self.end(Exit::Refused);
            }
            "ROOM_FULL" | "TOO_MANY_ROOMS" | "NOT_KEPT"
                if matches!(self.phase, Phase::Entering(_)) =>
            {
                self.stay_out(message);
            }
            "VALIDATION_ERROR" | "NOT_KEPT" if is_ours => {
                self.undelivered = true;
                self.outbox.give_up();
                self.problem(message.to_owned());
            }
            _ => self.problem(message.to_owned()),
        }
    }

    /// The room has no place, and asking again would not make one. The user may go elsewhere; a program that pipes cannot.
    fn stay_out(&mut self, why: &str) {
        self.problem(why.to_owned());
        if matches!(self.patience, Patience::Ms(_)) {
            return self.end(Exit::Refused);
        }
        while self.outbox.give_up().is_some() {
            self.undelivered = true;
        }
        (self.wanted, self.joined, self.missed_from) = (None, None, None);
        self.ready();
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
                self.missed_from = Some(self.log_here().newest());
                self.phase = Phase::Entering(self.clock.now);
                self.ask_to_join(room);
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
