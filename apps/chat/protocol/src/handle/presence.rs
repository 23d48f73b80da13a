//! Typing, and being there.

use std::time::Duration;

use rookery_sdk::{Error, now_ms};

use super::Chat;
use crate::client::Seat;
use crate::command::Status;
use crate::members::Members;
use crate::reply::{PresenceUpdate, TypingUpdate};
use crate::typing::Typing;

const TYPING_TIMER: &str = "typing";
const TYPING_TIMEOUT: Duration = Duration::from_secs(3);
const AWAY_TIMER: &str = "away";
const AWAY_TIMEOUT: Duration = Duration::from_secs(300);

impl Chat<'_> {
    /// Whatever a user does keeps him from being away. In the seed he was away in the middle of talking.
    pub(super) fn note_activity(&self) {
        if self.client.user.is_some() {
            self.session.set_timer(AWAY_TIMER, AWAY_TIMEOUT);
        }
    }

    pub(super) fn run_timer(&mut self, name: &str) -> Result<(), Error> {
        match (name, self.client.seat.clone()) {
            (TYPING_TIMER, Some(seat)) => self.stop_typing(&seat),
            (AWAY_TIMER, _) if self.client.status == Status::Online => {
                self.set_presence(Status::Away)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn start_typing(&mut self, room: &str) -> Result<(), Error> {
        let (Some(user), Some(seat)) = (&self.client.user, self.seat_in(room)) else {
            return Ok(());
        };
        let names = Typing::of(&self.bucket, &seat.key).start(self.session.id(), &user.name)?;
        self.client.typing = true;
        self.session.set_timer(TYPING_TIMER, TYPING_TIMEOUT);
        self.tell_typing(&seat, &names)
    }

    pub(super) fn stop_typing_in(&mut self, room: &str) -> Result<(), Error> {
        match self.seat_in(room) {
            Some(seat) => self.stop_typing(&seat),
            None => Ok(()),
        }
    }

    /// Tells the others, if the client was typing.
    pub(super) fn stop_typing(&mut self, seat: &Seat) -> Result<(), Error> {
        if !self.client.typing {
            return Ok(());
        }
        self.client.typing = false;
        self.session.cancel_timer(TYPING_TIMER);
        let names = Typing::of(&self.bucket, &seat.key).stop(self.session.id())?;
        self.tell_typing(seat, &names)
    }

    fn tell_typing(&self, seat: &Seat, names: &[String]) -> Result<(), Error> {
        let update = TypingUpdate {
            room_id: &seat.room,
            users_typing: names,
        };
        self.tell_others_the_latest(seat, TYPING_TIMER, &update)
    }

    pub(super) fn set_presence(&mut self, status: Status) -> Result<(), Error> {
        let Some(user) = &self.client.user else {
            return Ok(());
        };
        self.client.status = status;
        let Some(seat) = &self.client.seat else {
            return Ok(());
        };
        Members::of(&self.bucket, &seat.key).set_status(self.session.id(), status)?;
        let update = PresenceUpdate {
            username: &user.name,
            status,
            last_seen: Some(now_ms()),
        };
        let key = format!("presence:{}", user.id);
        self.tell_others_the_latest(seat, &key, &update)
    }
}
