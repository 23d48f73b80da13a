//! One event of one client, from what is known of it to what is told to whom.
//!
//! Where several checks apply, their order is: rate limit, login, room, membership. A refused request still counts.

mod account;
mod message;
mod presence;
mod room;

use rookery_sdk::kv::{self, Bucket};
use rookery_sdk::{Error, Session, now_ms, topic};

use crate::app::Edition;
use crate::client::{Client, Seat};
use crate::command::Command;
use crate::rate::Verdict;
use crate::reply::{Failure, RateWarning, Reply};

/// A client's event being handled.
pub(crate) struct Chat<'a> {
    edition: Edition,
    session: &'a mut Session,
    bucket: Bucket,
    client: Client,
    /// The client as the session's attachment has it.
    kept: Client,
}

/// Who of a room is told.
#[derive(Clone, Copy)]
enum Audience {
    Everyone,
    Others,
}

impl<'a> Chat<'a> {
    pub(crate) fn begin(edition: Edition, session: &'a mut Session) -> Result<Chat<'a>, Error> {
        let client: Client = session.state()?.unwrap_or_default();
        Ok(Chat {
            edition,
            bucket: kv::bucket()?,
            kept: client.clone(),
            client,
            session,
        })
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
        self.session.send(reply.encode()?);
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
        let topic = match audience {
            Audience::Everyone => topic(&name),
            Audience::Others => topic(&name).except(self.session.id()),
        };
        topic.publish_text(reply.encode()?)?;
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
