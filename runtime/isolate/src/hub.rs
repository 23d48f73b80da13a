//! `rookery:app/hub`, `rookery:app/history` and `rookery:app/presence` for a guest. None of the calls waits.

use std::time::Duration;

use rookery_contract as contract;
use rookery_contract::SessionId;

use crate::bindings::rookery::app::{history, hub, presence, types};
use crate::state::State;

impl types::Host for State {}

impl hub::Host for State {
    fn begin(&mut self, index: u32) -> wasmtime::Result<()> {
        self.effects.begin(index as usize);
        Ok(())
    }

    fn send(
        &mut self,
        session: u64,
        payload: types::PayloadResult,
    ) -> wasmtime::Result<hub::SendStatus> {
        let status = self
            .hub_to_change()
            .send(SessionId(session), &inward(payload));
        Ok(match status {
            contract::SendStatus::Queued => hub::SendStatus::Queued,
            contract::SendStatus::Full => hub::SendStatus::Full,
            contract::SendStatus::Gone => hub::SendStatus::Gone,
        })
    }

    fn close(&mut self, session: u64, code: u16, reason: String) -> wasmtime::Result<()> {
        self.hub_to_change()
            .close(SessionId(session), code, &reason);
        Ok(())
    }

    fn attach(&mut self, session: u64, attachment: Vec<u8>) -> wasmtime::Result<bool> {
        Ok(self
            .hub_to_change()
            .attach(SessionId(session), attachment.into()))
    }

    fn subscribe(
        &mut self,
        session: u64,
        topic: String,
    ) -> wasmtime::Result<Result<types::Position, hub::TopicError>> {
        let subscribed = self.hub_to_change().subscribe(SessionId(session), &topic);
        Ok(subscribed.map(position).map_err(topic_error))
    }

    fn unsubscribe(&mut self, session: u64, topic: String) -> wasmtime::Result<()> {
        self.hub_to_change().unsubscribe(SessionId(session), &topic);
        Ok(())
    }

    fn publish(
        &mut self,
        topic: String,
        payload: types::PayloadResult,
        options: hub::PublishOptions,
    ) -> wasmtime::Result<Result<types::Position, hub::TopicError>> {
        let options = contract::PublishOptions {
            except: options.except.map(SessionId),
            history: options.history.map(|kept| contract::Retention {
                messages: kept.messages,
                seconds: kept.seconds,
            }),
            idempotency_key: options.idempotency_key,
            when_slow: options
                .conflate
                .map_or_else(Default::default, contract::WhenSlow::Conflate),
        };
        let published = self
            .hub_to_change()
            .publish(&topic, &inward(payload), options);
        Ok(published.map(position).map_err(topic_error))
    }

    fn set_timer(&mut self, session: u64, name: String, after_ms: u32) -> wasmtime::Result<()> {
        let after = Duration::from_millis(after_ms.into());
        self.hub_to_change()
            .set_timer(SessionId(session), &name, after);
        Ok(())
    }

    fn cancel_timer(&mut self, session: u64, name: String) -> wasmtime::Result<()> {
        self.hub_to_change().cancel_timer(SessionId(session), &name);
        Ok(())
    }

    fn auto_reply(
        &mut self,
        session: u64,
        request: String,
        response: String,
    ) -> wasmtime::Result<()> {
        self.hub_to_change()
            .auto_reply(SessionId(session), &request, &response);
        Ok(())
    }

    fn subscribers(&mut self, topic: String) -> wasmtime::Result<u32> {
        Ok(self.hub().subscribers(&topic))
    }
}

impl history::Host for State {
    fn recover(
        &mut self,
        topic: String,
        since: types::Position,
        limit: u32,
    ) -> wasmtime::Result<Result<history::Page, history::Gap>> {
        let since = contract::Position {
            epoch: since.epoch,
            offset: since.offset,
        };
        let recovered = self.hub().recover(&topic, since, limit);
        let outgoing = self.outgoing.clone();
        outgoing.inherit(self.hub());
        Ok(match recovered {
            Ok(page) => Ok(history::Page {
                messages: page.messages.into_iter().map(kept).collect(),
                position: position(page.position),
                more: page.more,
            }),
            Err(contract::Gap::Epoch) => Err(history::Gap::Epoch),
            Err(contract::Gap::Dropped) => Err(history::Gap::Dropped),
        })
    }
}

impl presence::Host for State {
    fn track(
        &mut self,
        session: u64,
        topic: String,
        about: String,
    ) -> wasmtime::Result<Result<(), hub::TopicError>> {
        let tracked = self
            .hub_to_change()
            .track(SessionId(session), &topic, &about);
        Ok(tracked.map_err(topic_error))
    }

    fn untrack(&mut self, session: u64, topic: String) -> wasmtime::Result<()> {
        self.hub_to_change().untrack(SessionId(session), &topic);
        Ok(())
    }

    fn list(
        &mut self,
        topic: String,
        after: Option<u64>,
        limit: u32,
    ) -> wasmtime::Result<presence::Roster> {
        let roster = self.hub().list(&topic, after.map(SessionId), limit);
        let outgoing = self.outgoing.clone();
        outgoing.inherit(self.hub());
        let present = |present: contract::Present| presence::Present {
            session: present.session.0,
            about: present.about.to_string(),
        };
        Ok(presence::Roster {
            sessions: roster.sessions.into_iter().map(present).collect(),
            count: roster.count,
            version: roster.version,
        })
    }
}

/// A payload on its way into the guest.
fn outward(payload: &contract::Payload) -> types::PayloadResult {
    match payload {
        contract::Payload::Text(text) => types::PayloadResult::Text(text.to_string()),
        contract::Payload::Binary(bytes) => types::PayloadResult::Binary(bytes.to_vec()),
    }
}

fn inward(payload: types::PayloadResult) -> contract::Payload {
    match payload {
        types::PayloadResult::Text(text) => contract::Payload::Text(text.into()),
        types::PayloadResult::Binary(bytes) => contract::Payload::Binary(bytes.into()),
    }
}

fn kept((offset, payload): (u64, contract::Payload)) -> history::Kept {
    history::Kept {
        offset,
        payload: outward(&payload),
    }
}

fn position(position: contract::Position) -> types::Position {
    types::Position {
        epoch: position.epoch,
        offset: position.offset,
    }
}

fn topic_error(error: contract::TopicError) -> hub::TopicError {
    match error {
        contract::TopicError::InvalidName => hub::TopicError::InvalidName,
        contract::TopicError::TooLarge => hub::TopicError::TooLarge,
        contract::TopicError::TooMany => hub::TopicError::TooMany,
        contract::TopicError::Gone => hub::TopicError::Gone,
        contract::TopicError::Denied => hub::TopicError::Denied,
    }
}
