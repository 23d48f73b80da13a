//! One event of one client, from what is known of it to what is told to whom.
//!
//! Where several checks apply, their order is: rate limit, login, room, membership. A refused request still counts.

mod account;
mod message;
mod presence;
mod room;

use rookery_sdk::kv::{self, Bucket};
use rookery_sdk::{Error, Session, now_ms, topic};

use crate::client::{Client, Seat};
use crate::command::Command;
use crate::rate::Verdict;
use crate::reply::{Failure, RateWarning, Reply};

/// A client's event being handled.
pub(crate) struct Chat<'a> {
    session: &'a mut Session,
    bucket: Bucket,
    client: Client,
    /// The client as the session's attachment has it.
    kept: Client,
    /// The name that the client gave to what it asks for.
    request: Option<String>,
}

/// How much of an unknown event's name is repeated to who sent it, in characters.
const CHANNEL_SHOWN_MAX: usize = 64;

/// Who of a room is told.
#[derive(Clone, Copy)]
enum Audience {
    Everyone,
    Others,
}

impl<'a> Chat<'a> {
    pub(crate) fn begin(session: &'a mut Session) -> Result<Chat<'a>, Error> {
        let client: Client = session.state()?.unwrap_or_default();
        Ok(Chat {
            bucket: kv::bucket()?,
            kept: client.clone(),
            client,
            session,
            request: None,
        })
    }

    /// Answers carry this name, if there is one.
    pub(crate) fn of_request(mut self, request: Option<String>) -> Self {
        self.request = request;
        self
    }

    /// Tells who asked for it that a request made no sense.
    pub(crate) fn refuse_invalid(self, channel: &str) -> Result<(), Error> {
        let channel: String = channel.chars().take(CHANNEL_SHOWN_MAX).collect();
        let message = format!("Not a valid '{channel}' request");
        self.refuse("VALIDATION_ERROR", message)
    }

    /// Does what a client asks for.
    pub(crate) fn run(mut self, command: Command) -> Result<(), Error> {
        self.note_activity();
        match command {
            Command::Login { username } => self.login(&username),
            Command::Logout => self.logout(),
            Command::Create { room, description } => self.create(&room, description.as_deref()),
            Command::List => self.list(),
            Command::Join { room, username } => self.join(&room, &username),
            Command::Leave { room } => self.leave(&room),
            Command::Send { room, text } => self.say(&room, &text),
            Command::History {
                room,
                limit,
                before,
            } => self.look_back(&room, limit, before),
            Command::StartTyping { room } => self.start_typing(&room),
            Command::StopTyping { room } => self.stop_typing_in(&room),
            Command::SetPresence { status } => self.set_presence(status),
        }?;
        self.keep()
    }

    /// A timer of this client ran out.
    pub(crate) fn timer(mut self, name: &str) -> Result<(), Error> {
        self.run_timer(name)?;
        self.keep()
    }

    /// The client is gone.
    pub(crate) fn disconnect(mut self) -> Result<(), Error> {
        self.depart()
    }

    /// Keeps what changed about the client.
    fn keep(&mut self) -> Result<(), Error> {
        if self.client != self.kept {
            self.session.set_state(&self.client)?;
            self.kept = self.client.clone();
        }
        Ok(())
    }

    fn answer(&self, reply: &impl Reply) -> Result<(), Error> {
        self.session.send(reply.encode(self.request.as_deref())?);
        Ok(())
    }

    fn refuse(&self, code: &str, message: impl Into<String>) -> Result<(), Error> {
        self.answer(&Failure {
            code,
            message: message.into(),
        })
    }

    fn refuse_stranger(&self) -> Result<(), Error> {
        self.refuse("NOT_AUTHENTICATED", "You must login first")
    }

    /// Tells a room. One frame, one message id, one order for everybody.
    fn tell(&self, seat: &Seat, audience: Audience, reply: &impl Reply) -> Result<(), Error> {
        let name = topic_of(&seat.key);
        // The asker is among everyone, and finds its own words by the name of its request.
        let (topic, request) = match audience {
            Audience::Everyone => (topic(&name), self.request.as_deref()),
            Audience::Others => (topic(&name).except(self.session.id()), None),
        };
        topic.publish_text(reply.encode(request)?)?;
        Ok(())
    }

    fn count(&mut self) -> Verdict {
        self.client.window.count(now_ms())
    }

    fn warn(&self, remaining: u32, message: &str) -> Result<(), Error> {
        self.answer(&RateWarning {
            remaining,
            reset_time: self.client.window.reset_ms(),
            message,
        })
    }

    /// The seat, if it is in this room.
    fn seat_in(&self, room: &str) -> Option<Seat> {
        self.client.seat.clone().filter(|seat| seat.room == room)
    }
}

fn topic_of(key: &str) -> String {
    format!("room:{key}")
}
