//! Who is writing in a room, in the order of starting.
//!
//! **Invariant:** kept by session. The seed kept it by name, and two users of one name stopped each other.

use rookery_sdk::SessionId;
use rookery_sdk::kv::{Bucket, Change, KvError};
use serde::{Deserialize, Serialize};

pub(crate) struct Typing<'a> {
    bucket: &'a Bucket,
    key: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct Writer {
    session: SessionId,
    name: String,
}

impl<'a> Typing<'a> {
    /// The typing state of the room with this key.
    pub(crate) fn of(bucket: &'a Bucket, key: &str) -> Typing<'a> {
        Typing {
            bucket,
            key: format!("typing:{key}"),
        }
    }

    /// Lists a writer, and answers every name.
    pub(crate) fn start(&self, session: SessionId, name: &str) -> Result<Vec<String>, KvError> {
        self.bucket.change(&self.key, |old: Option<Vec<Writer>>| {
            let mut writers = old.unwrap_or_default();
            if !writers.iter().any(|writer| writer.session == session) {
                writers.push(Writer {
                    session,
                    name: name.to_owned(),
                });
            }
            let names = names(&writers);
            Change::Write(writers, names)
        })
    }

    /// Takes a writer off the list, and answers the names that are left.
    pub(crate) fn stop(&self, session: SessionId) -> Result<Vec<String>, KvError> {
        self.bucket.change(&self.key, |old: Option<Vec<Writer>>| {
            let mut writers = old.unwrap_or_default();
            let before = writers.len();
            writers.retain(|writer| writer.session != session);
            let names = names(&writers);
            if writers.len() == before {
                Change::Keep(names)
            } else {
                Change::Write(writers, names)
            }
        })
    }

    /// Forgets a room that ended.
    pub(crate) fn erase(&self) -> Result<(), KvError> {
        self.bucket.delete(&self.key)
    }
}

fn names(writers: &[Writer]) -> Vec<String> {
    writers.iter().map(|writer| writer.name.clone()).collect()
}
