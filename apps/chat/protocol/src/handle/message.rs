//! Saying something, and looking back at what was said.

use rookery_sdk::Error;

use super::{Audience, Chat};
use crate::asked::Asked;
use crate::client::Seat;
use crate::history::{Log, Said};
use crate::id;
use crate::rate::{REMAINING_WARN, Verdict};
use crate::reply::{Beside, MessageHistory, MessageReceived, MessageRecovered};
use crate::rooms::Rooms;

impl Chat<'_> {
    pub(super) fn say(&mut self, room: &str, text: &str) -> Result<(), Error> {
        let Verdict::Granted { remaining } = self.count() else {
            return self.warn(0, "Rate limit exceeded. Slow down!");
        };
        let Some(user) = self.client.user.clone() else {
            return self.refuse_stranger();
        };
        let Some(seat) = self.seat_in(room) else {
            return match Rooms::of(&self.bucket).find(room)? {
                Some(_) => self.refuse("NOT_IN_ROOM", "You must join the room first"),
                None => self.refuse("ROOM_NOT_FOUND", "Room not found"),
            };
        };
        if self.was_said(&seat, &user.name, text)? {
            return Ok(());
        }
        self.stop_typing(&seat)?;
        let (said, position) = self.record(&seat, &user.name, text)?;
        let received = MessageReceived {
            id: &said.id,
            text,
            room_id: room,
            username: &user.name,
            timestamp: said.timestamp,
        };
        let beside = Beside {
            position: self.of_extras(&position),
            ..self.answering()
        };
        // The asker is among everyone, and finds its own words by the name of its request.
        self.tell(&seat, Audience::Everyone, &received, beside)?;
        if remaining <= REMAINING_WARN {
            self.warn(remaining, "Approaching rate limit")?;
        }
        Ok(())
    }

    /// Answers a request that was granted before, on a connection that its client lost, with what became of it then. True
    /// when it was.
    fn was_said(&self, seat: &Seat, username: &str, text: &str) -> Result<bool, Error> {
        let Some(name) = &self.request else {
            return Ok(false);
        };
        for place in Asked::of(&self.bucket, &seat.key).places_of(name)? {
            // There is none when an isolate died with it. Then it was not said.
            let said = Log::of(&self.bucket, &seat.key).at(place)?;
            if let Some(said) = said.filter(|said| said.username == username && said.text == text) {
                self.answer(&MessageReceived {
                    id: &said.id,
                    text,
                    room_id: &seat.room,
                    username,
                    timestamp: said.timestamp,
                })?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Stamps a message and keeps it. Before it is told: who joins in between then reads it in the
    /// history or hears it, and does not miss it.
    fn record(&self, seat: &Seat, username: &str, text: &str) -> Result<(Said, String), Error> {
        let log = Log::of(&self.bucket, &seat.key);
        let reserved = log.reserve(text, username)?;
        if let Some(name) = &self.request {
            Asked::of(&self.bucket, &seat.key).note(name, reserved.place)?;
        }
        let said = Said {
            id: id::at(reserved.timestamp),
            text: text.to_owned(),
            username: username.to_owned(),
            timestamp: reserved.timestamp,
        };
        log.keep(&reserved, &said)?;
        Ok((said, reserved.position))
    }

    /// Anyone may look, as in the seed.
    pub(super) fn look_back(
        &self,
        room: &str,
        limit: usize,
        before: Option<f64>,
    ) -> Result<(), Error> {
        let Some(key) = self.key_of(room)? else {
            return self.refuse("ROOM_NOT_FOUND", "Room not found");
        };
        let page = Log::of(&self.bucket, &key).page(limit, before)?;
        self.answer(&MessageHistory {
            room_id: room,
            messages: &page.messages,
            has_more: page.has_more,
        })
    }
    /// What was said since a position. Anyone may look.
    pub(super) fn recover(&self, room: &str, since: &str, limit: usize) -> Result<(), Error> {
        let Some(key) = self.key_of(room)? else {
            return self.refuse("ROOM_NOT_FOUND", "Room not found");
        };
        let recovered = Log::of(&self.bucket, &key).recover(since, limit)?;
        let reply = MessageRecovered {
            room_id: room,
            messages: &recovered.messages,
            has_more: recovered.has_more,
            complete: recovered.complete,
        };
        let beside = Beside {
            position: Some(&recovered.position),
            ..self.answering()
        };
        self.answer_beside(&reply, beside)
    }

    fn key_of(&self, room: &str) -> Result<Option<String>, Error> {
        Ok(match self.seat_in(room) {
            Some(seat) => Some(seat.key),
            None => Rooms::of(&self.bucket).find(room)?,
        })
    }
}
