//! The SDK's calls in a native build: they reach the host that runs the app on this thread.

use super::world::{self, World};

fn world<R>(run: impl FnOnce(&mut World) -> R) -> R {
    world::with(run).expect("an app's calls need a host: run this inside testing::Host::run")
}

pub(crate) mod hub {
    use super::world;
    use crate::event::Payload;
    use crate::presence::Roster;
    use crate::session::{SendStatus, SessionId};
    use crate::topic::{Gap, Page, Position, PublishOptions, TopicError};

    pub(crate) fn begin(_: u32) {}

    pub(crate) fn send(session: SessionId, payload: &Payload) -> SendStatus {
        world(|world| world.send(session, payload))
    }

    pub(crate) fn close(session: SessionId, code: u16, reason: &str) {
        world(|world| world.close(session, code, reason));
    }

    pub(crate) fn attach(session: SessionId, attachment: &[u8]) -> bool {
        world(|world| {
            let live = world.live(session);
            live.map(|live| live.attachment = attachment.to_vec())
                .is_some()
        })
    }

    pub(crate) fn subscribe(session: SessionId, topic: &str) -> Result<Position, TopicError> {
        world(|world| match world.live(session) {
            Some(_) => world.topics.subscribe(session, topic),
            None => Err(TopicError::Gone),
        })
    }

    pub(crate) fn unsubscribe(session: SessionId, topic: &str) {
        world(|world| world.topics.unsubscribe(session, topic));
    }

    pub(crate) fn publish(
        topic: &str,
        payload: &Payload,
        options: &PublishOptions<'_>,
    ) -> Result<Position, TopicError> {
        world(|world| {
            let now_ms = world.now_ms;
            let (position, targets) = world.topics.publish(topic, payload, options, now_ms)?;
            for target in targets {
                world.send(target, payload);
            }
            Ok(position)
        })
    }

    pub(crate) fn set_timer(session: SessionId, name: &str, after_ms: u32) {
        world(|world| {
            let due = world.now_ms + u64::from(after_ms);
            if let Some(live) = world.live(session) {
                live.timers.retain(|(known, _)| known != name);
                live.timers.push((name.to_owned(), due));
            }
        });
    }

    pub(crate) fn cancel_timer(session: SessionId, name: &str) {
        world(|world| {
            if let Some(live) = world.live(session) {
                live.timers.retain(|(known, _)| known != name);
            }
        });
    }

    pub(crate) fn auto_reply(session: SessionId, request: &str, response: &str) {
        world(|world| {
            if let Some(live) = world.live(session) {
                live.auto_replies.retain(|(known, _)| known != request);
                live.auto_replies
                    .push((request.to_owned(), response.to_owned()));
            }
        });
    }

    pub(crate) fn subscribers(topic: &str) -> u32 {
        world(|world| u32::try_from(world.topics.subscribers(topic)).unwrap_or(u32::MAX))
    }

    pub(crate) fn track(session: SessionId, topic: &str, about: &str) -> Result<(), TopicError> {
        world(|world| world.track(session, topic, about))
    }

    pub(crate) fn untrack(session: SessionId, topic: &str) {
        world(|world| world.rosters.untrack(session, topic, world.now_ms));
    }

    pub(crate) fn list(topic: &str, after: Option<SessionId>, limit: u32) -> Roster {
        world(|world| world.rosters.list(topic, after, limit))
    }

    pub(crate) fn recover(topic: &str, since: Position, limit: u32) -> Result<Page, Gap> {
        world(|world| world.topics.recover(topic, since, limit))
    }
}

pub(crate) mod kv {
    use super::world;
    use crate::kv::KvError;

    pub(crate) struct Bucket;

    pub(crate) struct Cas {
        key: String,
        seen: u64,
        value: Option<Vec<u8>>,
    }

    pub(crate) fn open(name: &str) -> Result<Bucket, KvError> {
        match name {
            "" | "default" => Ok(Bucket),
            _ => Err(KvError::NoSuchStore),
        }
    }

    pub(crate) fn get(_: &Bucket, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        Ok(world(|world| world.store.get(key).cloned()))
    }

    pub(crate) fn set(_: &Bucket, key: &str, value: &[u8]) -> Result<(), KvError> {
        world(|world| world.store.set(key, value))
    }

    pub(crate) fn delete(_: &Bucket, key: &str) -> Result<(), KvError> {
        world(|world| world.store.delete(key));
        Ok(())
    }

    pub(crate) fn exists(_: &Bucket, key: &str) -> Result<bool, KvError> {
        Ok(world(|world| world.store.get(key).is_some()))
    }

    pub(crate) fn list_keys(
        _: &Bucket,
        cursor: Option<&str>,
    ) -> Result<(Vec<String>, Option<String>), KvError> {
        Ok(world(|world| world.store.list(cursor)))
    }

    pub(crate) fn increment(_: &Bucket, key: &str, delta: i64) -> Result<i64, KvError> {
        world(|world| {
            let old = match world.store.get(key) {
                None => 0,
                Some(bytes) => std::str::from_utf8(bytes)
                    .ok()
                    .and_then(|text| text.parse::<i64>().ok())
                    .ok_or_else(|| KvError::Other("the value is no number".into()))?,
            };
            let new = old
                .checked_add(delta)
                .ok_or_else(|| KvError::Other("the number is too large".into()))?;
            world.store.set(key, new.to_string().as_bytes())?;
            Ok(new)
        })
    }

    pub(crate) fn watch(_: &Bucket, key: &str) -> Result<Cas, KvError> {
        Ok(world(|world| Cas {
            key: key.to_owned(),
            seen: world.store.version(key),
            value: world.store.get(key).cloned(),
        }))
    }

    pub(crate) fn current(cas: &Cas) -> Result<Option<Vec<u8>>, KvError> {
        Ok(cas.value.clone())
    }

    pub(crate) fn swap(cas: Cas, value: &[u8]) -> Result<Option<Cas>, KvError> {
        if world(|world| world.store.swap(&cas.key, cas.seen, value))? {
            Ok(None)
        } else {
            watch(&Bucket, &cas.key).map(Some)
        }
    }
}

pub(crate) mod config {
    use super::world;
    use crate::Error;

    pub(crate) fn get(name: &str) -> Result<Option<String>, Error> {
        Ok(world(|world| world.settings.get(name).cloned()))
    }

    pub(crate) fn all() -> Result<Vec<(String, String)>, Error> {
        let pair = |(name, value): (&String, &String)| (name.clone(), value.clone());
        Ok(world(|world| world.settings.iter().map(pair).collect()))
    }
}

pub(crate) mod clock {
    use std::time::Duration;

    use super::world;

    pub(crate) fn now_ms() -> u64 {
        world(|world| world.now_ms)
    }

    pub(crate) fn sleep(duration: Duration) {
        world(|world| world.now_ms += u64::try_from(duration.as_millis()).unwrap_or(0));
    }
}

pub(crate) mod random {
    pub(crate) fn bits() -> u64 {
        super::world(super::World::random)
    }
}

pub(crate) mod log {
    use super::super::world;

    /// Outside of every host, a line goes where a test's output goes.
    pub(crate) fn write_line(line: &str) {
        if world::with(|world| world.log.push(line.to_owned())).is_none() {
            eprintln!("{line}");
        }
    }
}

/// Statements are answered by the test (see `Host::answer_sql`): there is no database in a native build.
pub(crate) mod sql {
    use super::world;
    use crate::sql::{Dialect, Done, SqlError, Value};

    pub(crate) type Found = (Vec<String>, Vec<Vec<Value>>);

    pub(crate) struct Transaction;

    pub(crate) fn query(sql: &str, values: &[Value]) -> Result<Found, SqlError> {
        // Taken out while it runs: it may be the test's own code that asks.
        let Some(mut answers) = world(|world| world.sql.take()) else {
            let text = "the test answers no SQL: see testing::Host::answer_sql";
            return Err(SqlError::Unavailable(text.to_owned()));
        };
        let answer = answers(sql, values);
        world(|world| world.sql = Some(answers));
        answer
    }

    pub(crate) fn execute(sql: &str, values: &[Value]) -> Result<Done, SqlError> {
        let (_, rows) = query(sql, values)?;
        Ok(Done {
            rows_affected: rows.len() as u64,
            last_insert_id: None,
        })
    }

    pub(crate) fn batch(statements: &[(&str, &[Value])]) -> Result<Vec<Done>, SqlError> {
        let all = statements.iter();
        all.map(|(sql, values)| execute(sql, values)).collect()
    }

    pub(crate) fn dialect() -> Dialect {
        Dialect::Sqlite
    }

    pub(crate) fn begin() -> Result<Transaction, SqlError> {
        execute("BEGIN", &[]).map(|_| Transaction)
    }

    pub(crate) fn step_query(
        _: &Transaction,
        sql: &str,
        values: &[Value],
    ) -> Result<Found, SqlError> {
        query(sql, values)
    }

    pub(crate) fn step_execute(
        _: &Transaction,
        sql: &str,
        values: &[Value],
    ) -> Result<Done, SqlError> {
        execute(sql, values)
    }

    pub(crate) fn commit(_: Transaction) -> Result<(), SqlError> {
        execute("COMMIT", &[]).map(drop)
    }

    pub(crate) fn rollback(_: Transaction) -> Result<(), SqlError> {
        execute("ROLLBACK", &[]).map(drop)
    }
}

/// A hash that anybody can read, so that nobody takes it for one.
pub(crate) mod password {
    use crate::password::PasswordError;

    pub(crate) fn hash(password: &str) -> Result<String, PasswordError> {
        Ok(format!("test:{password}"))
    }

    pub(crate) fn verify(password: &str, hash: &str) -> Result<bool, PasswordError> {
        Ok(hash.strip_prefix("test:") == Some(password))
    }
}
