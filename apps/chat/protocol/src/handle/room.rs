//! Creating, listing, joining and leaving rooms.
//!
//! **Invariant:** a seat is kept with the session before the room knows of the member. Whatever happens in between, the
//! event that ends the session finds the seat and frees it.
//! **Invariant:** a client is subscribed to its room's topic before it reads what was said there, so nothing falls between.

use rookery_sdk::Error;

use super::{Chat, RECOVERY_PAGE};
use crate::app::Extras;
use crate::asked::Asked;
use crate::client::Seat;
use crate::command::Status;
use crate::history::{Log, RECENT};
use crate::members::{Entered, Left, Members, Present};
use crate::rate::Verdict;
use crate::reply::{
    Beside, PresenceUpdate, RoomCreated, RoomJoined, RoomList, UserJoined, UserLeft,
};
use crate::rooms::{Created, Rooms, topic_of};
use crate::typing::Typing;

/// How often a client tries to enter a room that ends under its feet.
const ENTER_ATTEMPTS_MAX: usize = 16;

/// What became of a wish to sit down.
enum Seated {
    Here(Seat, Present),
    /// The room has no place.
    Full,
    /// There is no such room, and no place for one.
    TooMany,
}

impl Chat<'_> {
    pub(super) fn create(&mut self, room: &str, description: Option<&str>) -> Result<(), Error> {
        if self.count() == Verdict::Blocked {
            return self.warn(0, "Rate limit exceeded");
        }
        let Some(user) = &self.client.user else {
            return self.refuse_stranger();
        };
        match Rooms::of(&self.bucket).create(room, description, &user.name)? {
            Created::Made(_) => self.answer(&RoomCreated {
                room_id: room,
                description,
                created_by: &user.name,
            }),
            Created::Exists(_) => {
                self.refuse("ROOM_EXISTS", format!("Room '{room}' already exists"))
            }
            Created::TooMany => self.refuse_room(),
        }
    }

    pub(super) fn list(&self) -> Result<(), Error> {
        self.answer(&RoomList {
            rooms: Rooms::of(&self.bucket).list()?,
        })
    }

    /// A client is in one room at most. Joining the same room again repeats the answers and changes nothing. With a
    /// position, what was said since then is told after that.
    pub(super) fn join(
        &mut self,
        room: &str,
        username: &str,
        since: Option<&str>,
    ) -> Result<(), Error> {
        if self.count() == Verdict::Blocked {
            return self.warn(0, "Rate limit exceeded");
        }
        if self.client.user.is_none() {
            self.become_user(username)?;
        }
        if self.seat_in(room).is_none() {
            self.give_up_seat()?;
        }
        let name = self
            .client
            .user
            .as_ref()
            .map_or(username, |user| &user.name);
        let name = name.to_owned();
        let (seat, present) = match self.take_seat(room, &name)? {
            Seated::Here(seat, present) => (seat, present),
            Seated::Full => return self.refuse("ROOM_FULL", "The room is full"),
            Seated::TooMany => return self.refuse_room(),
        };
        self.client.status = Status::Online;
        self.show_room(&seat, &present)?;
        let joined = UserJoined {
            room_id: room,
            username: &name,
        };
        self.tell_others(&seat, &joined)?;
        let presence = PresenceUpdate {
            username: &name,
            status: Status::Online,
            last_seen: None,
        };
        self.tell_others(&seat, &presence)?;
        match since {
            Some(since) => self.recover(room, since, RECOVERY_PAGE),
            None => Ok(()),
        }
    }

    fn show_room(&self, seat: &Seat, present: &Present) -> Result<(), Error> {
        let log = Log::of(&self.bucket, &seat.key);
        let position = match self.extras {
            Extras::None => None,
            // Before the messages are read: what is said in between is then told twice, and not never.
            Extras::Offered => Some(log.position()?),
        };
        let joined = RoomJoined {
            room_id: &seat.room,
            users: &present.names,
            recent_messages: &log.page(RECENT, None)?.messages,
        };
        let beside = Beside {
            statuses: position.is_some().then_some(&present.statuses),
            position: position.as_deref(),
            ..self.answering()
        };
        self.answer_beside(&joined, beside)
    }

    /// No answer. Leaving a room that one is not in does nothing; in the seed it announced a departure all the same.
    pub(super) fn leave(&mut self, room: &str) -> Result<(), Error> {
        if let Some(seat) = self.seat_in(room) {
            if self.client.typing {
                Typing::of(&self.bucket, &seat.key).stop(self.session.id())?;
            }
            self.give_up_seat()?;
        }
        Ok(())
    }

    fn refuse_room(&self) -> Result<(), Error> {
        self.refuse("TOO_MANY_ROOMS", "There are too many rooms")
    }

    /// Enters the room of this name, making it if there is none.
    fn take_seat(&mut self, room: &str, name: &str) -> Result<Seated, Error> {
        for _ in 0..ENTER_ATTEMPTS_MAX {
            let Some(key) = self.room_key(room, name)? else {
                return Ok(Seated::TooMany);
            };
            let seat = Seat {
                room: room.to_owned(),
                key,
            };
            self.client.seat = Some(seat.clone());
            self.keep()?;
            let stream = self.session.subscribe(&topic_of(&seat.key))?.epoch;
            let members = Members::of(&self.bucket, &seat.key);
            let entered = members.enter(self.session.id(), name, stream);
            if let Ok(Entered::Here(present)) = entered {
                if present.names.len() == 1 {
                    // Alone here: who is noted as writing is from before a restart.
                    Typing::of(&self.bucket, &seat.key).erase()?;
                }
                return Ok(Seated::Here(seat, present));
            }
            self.session.unsubscribe(&topic_of(&seat.key));
            self.client.seat = None;
            if entered? == Entered::Full {
                return Ok(Seated::Full);
            }
            // It ended after it was found. Whoever ended it may not have got round to taking it off the list.
            Rooms::of(&self.bucket).remove(&seat.key)?;
        }
        Err(Error::internal("a room kept ending while it was entered"))
    }

    fn room_key(&self, room: &str, created_by: &str) -> Result<Option<String>, Error> {
        let rooms = Rooms::of(&self.bucket);
        if let Some(key) = rooms.find(room)? {
            return Ok(Some(key));
        }
        Ok(match rooms.create(room, None, created_by)? {
            Created::Made(key) | Created::Exists(key) => Some(key),
            Created::TooMany => None,
        })
    }

    /// Frees the client's seat, tells those who stay, and clears a room that is empty now.
    pub(super) fn give_up_seat(&mut self) -> Result<(), Error> {
        self.client.typing = false;
        let Some(seat) = self.client.seat.take() else {
            return Ok(());
        };
        self.session.unsubscribe(&topic_of(&seat.key));
        match Members::of(&self.bucket, &seat.key).leave(self.session.id())? {
            Left::Gone(name) => {
                let left = UserLeft {
                    room_id: &seat.room,
                    username: &name,
                };
                self.tell_others(&seat, &left)
            }
            Left::Ended(_) => self.clear(&seat.key),
            Left::NotThere => Ok(()),
        }
    }

    fn clear(&self, key: &str) -> Result<(), Error> {
        Rooms::of(&self.bucket).remove(key)?;
        Log::of(&self.bucket, key).erase()?;
        Asked::of(&self.bucket, key).erase()?;
        Typing::of(&self.bucket, key).erase()?;
        Members::of(&self.bucket, key).erase()?;
        Ok(())
    }
}
