//! Login, logout and going away.

use rookery_sdk::Error;

use super::Chat;
use crate::client::{Client, User};
use crate::id;
use crate::members::Members;
use crate::rate::Verdict;
use crate::reply::{AuthError, AuthSuccess, TypingUpdate, UserJoined, UserLeft};
use crate::typing::Typing;

impl Chat<'_> {
    /// Always succeeds. Who logs in again, even inside a room, is another user from then on.
    pub(super) fn login(&mut self, username: &str) -> Result<(), Error> {
        if self.count() == Verdict::Blocked {
            return self.answer(&AuthError {
                code: "RATE_LIMITED",
                message: "Too many login attempts. Please try again later.",
            });
        }
        self.become_user(username)?;
        self.rename_in_room(username)
    }

    /// Makes the client a user of this name, and says so.
    pub(super) fn become_user(&mut self, username: &str) -> Result<(), Error> {
        let user = User {
            name: username.to_owned(),
            id: id::now(),
        };
        self.answer(&AuthSuccess {
            username,
            user_id: &user.id,
        })?;
        self.client.user = Some(user);
        Ok(())
    }

    /// The seed kept the old name in the room, where it stayed for ever.
    fn rename_in_room(&mut self, username: &str) -> Result<(), Error> {
        let Some(seat) = self.client.seat.clone() else {
            return Ok(());
        };
        self.stop_typing(&seat)?;
        let members = Members::of(&self.bucket, &seat.key);
        let old = members.rename(self.session.id(), username)?;
        let Some(old) = old.filter(|old| old != username) else {
            return Ok(());
        };
        let room_id = &seat.room;
        let left = UserLeft {
            room_id,
            username: &old,
        };
        self.tell_others(&seat, &left)?;
        let joined = UserJoined { room_id, username };
        self.tell_others(&seat, &joined)
    }

    /// No answer. The limits stay, or logging out would be a way around them.
    pub(super) fn logout(&mut self) -> Result<(), Error> {
        self.depart()?;
        self.client = Client {
            window: self.client.window,
            address: self.client.address.take(),
            tokens: self.client.tokens,
            granted: self.client.granted,
            ..Client::default()
        };
        Ok(())
    }

    /// Leaves the room, if there is one, and says that nothing is being typed any more.
    pub(super) fn depart(&mut self) -> Result<(), Error> {
        let Some(seat) = self.client.seat.clone() else {
            return Ok(());
        };
        let typing = Typing::of(&self.bucket, &seat.key).stop(self.session.id())?;
        self.give_up_seat()?;
        let update = TypingUpdate {
            room_id: &seat.room,
            users_typing: &typing,
        };
        self.tell_others(&seat, &update)
    }
}
