//! One event of one client, from what is known of it to what is told to whom.
//!
//! Where several checks apply, their order is: tokens, validity, rate limit, login, room, membership. A request that the
//! rate limit refuses still counts.

mod account;
mod message;
mod presence;
mod room;

use rookery_sdk::kv::{self, Bucket, KvError};
use rookery_sdk::{Error, Session, now_ms, topic};

use crate::addresses;
use crate::app::Extras;
use crate::client::{Client, Seat};
use crate::command::Command;
use crate::rate::Verdict;
use crate::reply::{Beside, Failure, RateWarning, Reply};
use crate::rooms::topic_of;
use crate::tokens::{Empty, Rate};

/// What one connection may ask for, whatever it is.
const OF_A_CLIENT: Rate = Rate {
    per_second: 10,
    burst: 100,
};
/// How much of what was missed a client is told when it joins; then it asks on.
const RECOVERY_PAGE: usize = 100;

/// A client's event being handled.
pub(crate) struct Chat<'a> {
    session: &'a mut Session,
    extras: Extras,
    bucket: Bucket,
    client: Client,
    /// The client as the session's attachment has it.
    kept: Client,
    /// The name that the client gave to what it asks for.
    request: Option<String>,
}

/// How much of an unknown event's name is repeated to who sent it, in characters.
const CHANNEL_SHOWN_MAX: usize = 64;

/// What is said of what could not be done for want of space.
const NOT_KEPT: &str = "There is no space to keep any more";

/// Who of a room is told.
#[derive(Clone, Copy)]
enum Audience {
    Everyone,
    Others,
}

impl<'a> Chat<'a> {
    pub(crate) fn begin(session: &'a mut Session, extras: Extras) -> Result<Chat<'a>, Error> {
        let client: Client = session.state()?.unwrap_or_default();
        Ok(Chat {
            bucket: kv::bucket()?,
            kept: client.clone(),
            client,
            session,
            extras,
            request: None,
        })
    }

    /// Answers carry this name, if there is one.
    pub(crate) fn of_request(mut self, request: Option<String>) -> Self {
        self.request = request;
        self
    }

    /// Takes a token of the client's, and now and then some of its address.
    pub(crate) fn admit(&mut self) -> Result<Result<(), Empty>, Error> {
        if self.extras == Extras::None {
            return Ok(Ok(()));
        }
        if let Err(empty) = self.client.tokens.take(1, OF_A_CLIENT, now_ms()) {
            return Ok(Err(empty));
        }
        if self.client.granted == 0 {
            let address = self.client.address.as_deref().unwrap_or_default();
            if let Err(empty) = addresses::take_handful(&self.bucket, address)? {
                return Ok(Err(empty));
            }
            self.client.granted = addresses::HANDFUL;
        }
        self.client.granted -= 1;
        Ok(Ok(()))
    }

    /// Drops what asks for nothing.
    pub(crate) fn ignore(mut self) -> Result<(), Error> {
        self.keep()
    }

    /// Drops a request that is one too many, and tells who asked for it.
    pub(crate) fn refuse_flood(mut self, empty: Empty) -> Result<(), Error> {
        let seconds = empty.wait_ms.div_ceil(1_000);
        let message = format!("Too many requests. Try again in {seconds} s.");
        self.refuse_if_named("RATE_LIMITED", message)?;
        self.keep()
    }

    /// Drops a request that made no sense, and tells who asked for it.
    pub(crate) fn refuse_invalid(mut self, channel: &str) -> Result<(), Error> {
        let channel: String = channel.chars().take(CHANNEL_SHOWN_MAX).collect();
        let message = format!("Not a valid '{channel}' request");
        self.refuse_if_named("VALIDATION_ERROR", message)?;
        self.keep()
    }

    /// Silence is what clients of the seed expect. Who names a request asks to be told.
    fn refuse_if_named(&self, code: &str, message: String) -> Result<(), Error> {
        match self.request {
            Some(_) => self.refuse(code, message),
            None => Ok(()),
        }
    }

    /// Does what a client asks for.
    pub(crate) fn run(mut self, command: Command) -> Result<(), Error> {
        let done = match command {
            Command::Login { username } => self.login(&username),
            Command::Logout => self.logout(),
            Command::Create { room, description } => self.create(&room, description.as_deref()),
            Command::List => self.list(),
            Command::Join {
                room,
                username,
                since,
            } => self.join(&room, &username, since.as_deref()),
            Command::Leave { room } => self.leave(&room),
            Command::Send { room, text } => self.say(&room, &text),
            Command::History {
                room,
                limit,
                before,
            } => self.look_back(&room, limit, before),
            Command::Recover { room, since, limit } => self.recover(&room, &since, limit),
            Command::StartTyping { room } => self.start_typing(&room),
            Command::StopTyping { room } => self.stop_typing_in(&room),
            Command::SetPresence { status } => self.set_presence(status),
        };
        match done {
            Err(error) if is_full(&error) => self.refuse("NOT_KEPT", NOT_KEPT)?,
            done => done?,
        }
        // Afterwards: joining logs in.
        self.note_activity();
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
        self.answer_beside(reply, self.answering())
    }

    fn answer_beside(&self, reply: &impl Reply, beside: Beside<'_>) -> Result<(), Error> {
        self.session.send(reply.encode(beside)?);
        Ok(())
    }

    /// Names the request that is answered.
    fn answering(&self) -> Beside<'_> {
        Beside {
            request_id: self.request.as_deref(),
            ..Beside::default()
        }
    }

    /// Only what an edition offers is told.
    fn of_extras<'b>(&self, position: &'b str) -> Option<&'b str> {
        (self.extras == Extras::Offered).then_some(position)
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

    /// Tells the others in a room.
    fn tell_others(&self, seat: &Seat, reply: &impl Reply) -> Result<(), Error> {
        self.tell(seat, Audience::Others, reply, Beside::default())
    }

    /// Tells the others in a room what is so now. A client that does not keep up is told the latest of a key, and no more.
    fn tell_others_the_latest(
        &self,
        seat: &Seat,
        key: &str,
        reply: &impl Reply,
    ) -> Result<(), Error> {
        let name = topic_of(&seat.key);
        let others = topic(&name).except(self.session.id()).conflate(key);
        others.publish_text(reply.encode(Beside::default())?)?;
        Ok(())
    }

    /// Tells a room. One frame, one message id, one order for everybody.
    fn tell(
        &self,
        seat: &Seat,
        audience: Audience,
        reply: &impl Reply,
        beside: Beside<'_>,
    ) -> Result<(), Error> {
        let name = topic_of(&seat.key);
        let topic = match audience {
            Audience::Everyone => topic(&name),
            Audience::Others => topic(&name).except(self.session.id()),
        };
        topic.publish_text(reply.encode(beside)?)?;
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

/// Whether the namespace keeps as much as it may. Nobody's connection is to blame.
fn is_full(error: &Error) -> bool {
    matches!(error.source_as(), Some(KvError::Full))
}
