//! The SDK's calls to the server.

/// `rookery:app/hub`, `rookery:app/history` and `rookery:app/presence`.
pub(crate) mod hub {
    use super::super::generated::rookery::app::{history, hub as wit, presence, types};
    use super::super::sessions;
    use crate::event::Payload;
    use crate::presence::{Present, Roster};
    use crate::session::{SendStatus, SessionId};
    use crate::topic::{Gap, Kept, Page, Position, PublishOptions, TopicError};

    pub(crate) fn begin(index: u32) {
        wit::begin(index);
    }

    pub(crate) fn send(session: SessionId, payload: &Payload) -> SendStatus {
        match wit::send(session.0, lower(payload)) {
            wit::SendStatus::Queued => SendStatus::Queued,
            wit::SendStatus::Full => SendStatus::Full,
            wit::SendStatus::Gone => SendStatus::Gone,
        }
    }

    pub(crate) fn close(session: SessionId, code: u16, reason: &str) {
        wit::close(session.0, code, reason);
    }

    pub(crate) fn attach(session: SessionId, attachment: &[u8]) -> bool {
        wit::attach(session.0, attachment)
    }

    pub(crate) fn subscribe(session: SessionId, topic: &str) -> Result<Position, TopicError> {
        wit::subscribe(session.0, topic)
            .map(lift_position)
            .map_err(lift_error)
    }

    pub(crate) fn unsubscribe(session: SessionId, topic: &str) {
        wit::unsubscribe(session.0, topic);
    }

    pub(crate) fn publish(
        topic: &str,
        payload: &Payload,
        options: &PublishOptions<'_>,
    ) -> Result<Position, TopicError> {
        let options = wit::PublishOptions {
            except: options.except.map(|session| session.0),
            history: options
                .keep
                .map(|(messages, seconds)| wit::Retention { messages, seconds }),
            idempotency_key: options.key,
            conflate: options.conflate,
        };
        wit::publish(topic, lower(payload), options)
            .map(lift_position)
            .map_err(lift_error)
    }

    pub(crate) fn set_timer(session: SessionId, name: &str, after_ms: u32) {
        wit::set_timer(session.0, name, after_ms);
    }

    pub(crate) fn cancel_timer(session: SessionId, name: &str) {
        wit::cancel_timer(session.0, name);
    }

    pub(crate) fn auto_reply(session: SessionId, request: &str, response: &str) {
        wit::auto_reply(session.0, request, response);
    }

    pub(crate) fn subscribers(topic: &str) -> u32 {
        wit::subscribers(topic)
    }

    pub(crate) fn track(session: SessionId, topic: &str, about: &str) -> Result<(), TopicError> {
        presence::track(session.0, topic, about).map_err(lift_error)
    }

    pub(crate) fn untrack(session: SessionId, topic: &str) {
        presence::untrack(session.0, topic);
    }

    pub(crate) fn list(topic: &str, after: Option<SessionId>, limit: u32) -> Roster {
        let roster = presence::list(topic, after.map(|session| session.0), limit);
        let present = |present: presence::Present| Present {
            session: SessionId(present.session),
            about: present.about,
        };
        Roster {
            sessions: roster.sessions.into_iter().map(present).collect(),
            count: roster.count,
            version: roster.version,
        }
    }

    pub(crate) fn recover(topic: &str, since: Position, limit: u32) -> Result<Page, Gap> {
        let since = types::Position {
            epoch: since.epoch,
            offset: since.offset,
        };
        match history::recover(topic, since, limit) {
            Ok(page) => Ok(Page {
                messages: page.messages.into_iter().map(lift_kept).collect(),
                position: lift_position(page.position),
                more: page.more,
            }),
            Err(history::Gap::Epoch) => Err(Gap::Epoch),
            Err(history::Gap::Dropped) => Err(Gap::Dropped),
        }
    }

    fn lower(payload: &Payload) -> types::PayloadParam<'_> {
        match payload {
            Payload::Text(text) => types::PayloadParam::Text(text),
            Payload::Binary(bytes) => types::PayloadParam::Binary(bytes),
        }
    }

    fn lift_kept(kept: history::Kept) -> Kept {
        Kept {
            offset: kept.offset,
            payload: sessions::payload(kept.payload),
        }
    }

    fn lift_position(position: types::Position) -> Position {
        Position {
            epoch: position.epoch,
            offset: position.offset,
        }
    }

    fn lift_error(error: wit::TopicError) -> TopicError {
        match error {
            wit::TopicError::InvalidName => TopicError::InvalidName,
            wit::TopicError::TooLarge => TopicError::TooLarge,
            wit::TopicError::TooMany => TopicError::TooMany,
            wit::TopicError::Gone => TopicError::Gone,
            wit::TopicError::Denied => TopicError::Denied,
        }
    }
}

/// `wasi:keyvalue`.
pub(crate) mod kv {
    use super::super::generated::wasi::keyvalue::{atomics, store};
    use crate::kv::KvError;

    pub(crate) use atomics::Cas;
    pub(crate) use store::Bucket;

    pub(crate) fn open(name: &str) -> Result<Bucket, KvError> {
        store::open(name).map_err(lift)
    }

    pub(crate) fn get(bucket: &Bucket, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        bucket.get(key).map_err(lift)
    }

    pub(crate) fn set(bucket: &Bucket, key: &str, value: &[u8]) -> Result<(), KvError> {
        bucket.set(key, value).map_err(lift)
    }

    pub(crate) fn delete(bucket: &Bucket, key: &str) -> Result<(), KvError> {
        bucket.delete(key).map_err(lift)
    }

    pub(crate) fn exists(bucket: &Bucket, key: &str) -> Result<bool, KvError> {
        bucket.exists(key).map_err(lift)
    }

    pub(crate) fn list_keys(
        bucket: &Bucket,
        cursor: Option<&str>,
    ) -> Result<(Vec<String>, Option<String>), KvError> {
        let page = bucket.list_keys(cursor).map_err(lift)?;
        Ok((page.keys, page.cursor))
    }

    pub(crate) fn increment(bucket: &Bucket, key: &str, delta: i64) -> Result<i64, KvError> {
        atomics::increment(bucket, key, delta).map_err(lift)
    }

    pub(crate) fn watch(bucket: &Bucket, key: &str) -> Result<Cas, KvError> {
        Cas::new(bucket, key).map_err(lift)
    }

    pub(crate) fn current(cas: &Cas) -> Result<Option<Vec<u8>>, KvError> {
        cas.current().map_err(lift)
    }

    /// None when it was written; the newer value to look at when somebody else was faster.
    pub(crate) fn swap(cas: Cas, value: &[u8]) -> Result<Option<Cas>, KvError> {
        match atomics::swap(cas, value) {
            Ok(()) => Ok(None),
            Err(atomics::CasError::CasFailed(newer)) => Ok(Some(newer)),
            Err(atomics::CasError::StoreError(error)) => Err(lift(error)),
        }
    }

    fn lift(error: store::Error) -> KvError {
        match error {
            store::Error::NoSuchStore => KvError::NoSuchStore,
            store::Error::AccessDenied => KvError::AccessDenied,
            store::Error::Other(text) => KvError::of_text(text),
        }
    }
}

/// `wasi:config`.
pub(crate) mod config {
    use super::super::generated::wasi::config::store;
    use crate::Error;

    pub(crate) fn get(name: &str) -> Result<Option<String>, Error> {
        store::get(name).map_err(Error::internal)
    }

    pub(crate) fn all() -> Result<Vec<(String, String)>, Error> {
        store::get_all().map_err(Error::internal)
    }
}

/// `wasi:clocks`, through the standard library.
pub(crate) mod clock {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    pub(crate) fn now_ms() -> u64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn sleep(duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// `wasi:random`.
pub(crate) mod random {
    pub(crate) fn bits() -> u64 {
        wasip2::random::random::get_random_u64()
    }
}

/// `wasi:cli/stderr`.
pub(crate) mod log {
    use std::io::Write;

    pub(crate) fn write_line(line: &str) {
        // In one piece, so that the host sees whole lines. There is nobody to tell when it fails.
        let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
    }
}

/// `rookery:app/sql`.
pub(crate) mod sql {
    pub(crate) use super::super::sql::{
        Transaction, batch, begin, commit, dialect, execute, query, rollback, step_execute,
        step_query,
    };
}

/// `rookery:app/password`.
pub(crate) mod password {
    pub(crate) use super::super::sql::{hash, verify};
}
