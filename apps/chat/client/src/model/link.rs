//! The connection's part: up, down, again, in.
//!
//! **Invariant:** a connection that says nothing for too long is given up, and so is a request to be let in.

use super::{Chat, Effect, Patience, Phase};
use crate::exit::Exit;
use crate::protocol::v1::Ask;

/// After so much silence the other end is asked whether it is there.
const PING_AFTER_MS: u64 = 10_000;
/// After so much it is not.
const SILENCE_MAX_MS: u64 = 25_000;
/// How long a server may take to answer a request.
const ANSWER_MAX_MS: u64 = 15_000;
/// How often the list of rooms is asked for.
const LIST_EVERY_MS: u64 = 15_000;

impl Chat {
    pub(super) fn up(&mut self) {
        self.clock.heard = self.clock.now;
        self.clock.pinged = self.clock.now;
        self.phase = Phase::Entering(self.clock.now);
        self.ask(&Ask::Login(self.me.clone()));
        match self.wanted.clone() {
            Some(room) => {
                self.ask_to_join(room);
            }
            None => self.ready(),
        }
        self.list();
    }

    pub(super) fn down(&mut self, why: &str) {
        if matches!(self.phase, Phase::Waiting(_)) {
            return;
        }
        if self.is_up() {
            self.clock.down_since = self.clock.now;
        }
        // While recovery is not done, what it began from holds.
        if self.joined.is_some() && self.missed_from.is_none() {
            self.missed_from = Some(self.log_here().newest());
        }
        self.joined = None;
        self.page_asked = false;
        self.reads_back = false;
        self.clock.typed = None;
        self.people.clear();
        self.typing.clear();
        let waited = self.clock.now.saturating_sub(self.clock.down_since);
        if matches!(self.patience, Patience::Ms(most) if waited >= most) {
            self.problem(format!("The server cannot be reached: {why}"));
            return self.end(Exit::Unreachable);
        }
        let wait = self.backoff.wait_ms(self.clock.chance);
        if self.backoff.failures() == 1 {
            self.problem(format!("Not connected: {why}. Trying again"));
        }
        self.phase = Phase::Waiting(self.clock.now + wait);
    }

    /// Who was let in once tries again: behind a deploy, or a network that wants a form filled in first, there is nobody
    /// for a while.
    pub(super) fn refused(&mut self, why: &str) {
        if self.was_ready {
            return self.down(why);
        }
        self.problem(format!("The server refused us: {why}"));
        self.end(Exit::Refused);
    }

    pub(super) fn dismissed(&mut self, why: &str) {
        self.problem(format!("The server wants us no longer: {why}"));
        // There is nobody to say goodbye to.
        self.phase = Phase::Connecting;
        self.end(Exit::Refused);
    }

    /// The user is where he wants to be, and knows what was said.
    pub(super) fn ready(&mut self) {
        self.phase = Phase::Ready;
        self.was_ready = true;
        self.backoff.reset();
        self.tell_held();
        self.enter_tries = 0;
        // It was under way when the connection ended, and what was recovered does not have it.
        self.outbox.take_back();
    }

    pub(super) fn tick(&mut self) {
        let now = self.clock.now;
        match self.phase {
            Phase::Waiting(until) if now >= until => {
                self.phase = Phase::Connecting;
                self.effects.push(Effect::Connect);
            }
            Phase::Waiting(_) | Phase::Connecting => {}
            Phase::Entering(since) | Phase::Recovering(since) if now >= since + ANSWER_MAX_MS => {
                self.lose("no answer");
            }
            _ => self.tick_connected(),
        }
    }

    fn tick_connected(&mut self) {
        let now = self.clock.now;
        let overdue = self.outbox.under_way().and_then(|wish| wish.sent.as_ref());
        if now >= self.clock.heard + SILENCE_MAX_MS {
            self.lose("the server is silent");
        } else if overdue.is_some_and(|sent| now >= sent.at_ms + ANSWER_MAX_MS) {
            self.lose("a message was not answered");
        } else if now >= self.clock.heard.max(self.clock.pinged) + PING_AFTER_MS {
            self.clock.pinged = now;
            self.effects.push(Effect::Ping);
        } else if now >= self.clock.listed + LIST_EVERY_MS {
            self.list();
            self.look_elsewhere();
        }
    }

    fn lose(&mut self, why: &str) {
        self.effects.push(Effect::Disconnect);
        self.down(why);
    }

    pub(super) fn list(&mut self) {
        self.clock.listed = self.clock.now;
        self.ask(&Ask::List);
    }

    /// To be told of a room, and of what was missed of it.
    pub(super) fn ask_to_join(&mut self, room: String) {
        let since = self.positions.get(&room).cloned();
        let name = self.me.clone();
        self.ask(&Ask::Join { room, name, since });
    }

    /// Ends because the user wants it.
    pub(super) fn quit(&mut self) {
        match self.outbox.len() {
            0 => self.end(Exit::Left),
            unsent => {
                self.problem(format!(
                    "Not sent, or not acknowledged: {unsent} of your messages"
                ));
                self.end(Exit::Undelivered);
            }
        }
    }

    /// Ends with everything that is owed to the server.
    pub(super) fn end(&mut self, exit: Exit) {
        if self.is_up() {
            if let Some(room) = self.joined.clone() {
                self.ask(&Ask::Leave(room));
            }
            self.ask(&Ask::Logout);
        }
        self.effects.push(Effect::End(exit));
    }

    /// Ends when there is no more to say.
    pub(super) fn end_if_said(&mut self) {
        if !self.ending || self.outbox.len() > 0 || self.phase != Phase::Ready {
            return;
        }
        self.ending = false;
        self.end(if self.undelivered {
            Exit::Undelivered
        } else {
            Exit::Left
        });
    }
}
