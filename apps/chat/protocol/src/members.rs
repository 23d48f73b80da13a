//! Who is in a room.
//!
//! **Invariant:** a room other than the general one ends with its last member, once: the value says so before it goes, and
//! nobody enters a room whose value says so or is gone.
//! **Invariant:** a member is a session. Two users of one name are two members.
//! **Invariant:** members are of one stream of the room's topic. A topic begins a new stream when nobody was subscribed to
//! it any more, as after a restart of the server; members of an earlier stream are gone, and cannot have said so.

use rookery_sdk::SessionId;
use rookery_sdk::kv::{Bucket, Change, KvError};
use serde::{Deserialize, Serialize};

use crate::command::Status;
use crate::rooms::GENERAL;

/// A room's members in the order of joining.
pub(crate) struct Members<'a> {
    bucket: &'a Bucket,
    key: String,
    /// The general room never ends.
    lasting: bool,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Roll {
    members: Vec<Member>,
    ended: bool,
    /// The epoch of the topic that the members are subscribed to.
    stream: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Member {
    session: SessionId,
    name: String,
    #[serde(default)]
    status: Status,
}

/// Who is in a room that a member entered, in the order of joining.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Present {
    pub(crate) names: Vec<String>,
    pub(crate) statuses: Vec<Status>,
}

/// What became of a member who left.
#[derive(Debug, PartialEq)]
pub(crate) enum Left {
    /// It had this name.
    Gone(String),
    /// It had this name and was the last: the room has ended.
    Ended(String),
    NotThere,
}

impl<'a> Members<'a> {
    /// The members of the room with this key.
    pub(crate) fn of(bucket: &'a Bucket, key: &str) -> Members<'a> {
        Members {
            bucket,
            key: format!("room:{key}"),
            lasting: key == GENERAL,
        }
    }

    /// Opens a room that nobody knows of yet.
    pub(crate) fn begin(&self) -> Result<(), KvError> {
        self.bucket.set_json(&self.key, &Roll::default())
    }

    /// Adds a member who is subscribed to this stream of the room's topic, or finds it there: it is online. Answers who is
    /// in the room; None when the room has ended.
    pub(crate) fn enter(
        &self,
        session: SessionId,
        name: &str,
        stream: u64,
    ) -> Result<Option<Present>, KvError> {
        self.change(|roll| {
            if roll.ended {
                return Change::Keep(None);
            }
            // A roll without a stream is of an edition that noted none: its members are there.
            if roll.stream != stream && roll.stream != 0 {
                roll.members.clear();
            }
            roll.stream = stream;
            let known = roll.members.iter_mut();
            match known.into_iter().find(|member| member.session == session) {
                Some(member) => member.status = Status::Online,
                None => roll.members.push(Member {
                    session,
                    name: name.to_owned(),
                    status: Status::Online,
                }),
            }
            let members = &roll.members;
            let present = Present {
                names: members.iter().map(|member| member.name.clone()).collect(),
                statuses: members.iter().map(|member| member.status).collect(),
            };
            Change::Write((), Some(present))
        })
    }

    /// Keeps what a member wants to be seen as, for those who come later.
    pub(crate) fn set_status(&self, session: SessionId, status: Status) -> Result<(), KvError> {
        self.change(|roll| {
            let mut members = roll.members.iter_mut();
            match members.find(|member| member.session == session) {
                Some(member) if member.status != status => {
                    member.status = status;
                    Change::Write((), ())
                }
                _ => Change::Keep(()),
            }
        })
    }

    /// Removes a member.
    pub(crate) fn leave(&self, session: SessionId) -> Result<Left, KvError> {
        let lasting = self.lasting;
        self.change(|roll| {
            let at = roll
                .members
                .iter()
                .position(|member| member.session == session);
            let Some(at) = at else {
                return Change::Keep(Left::NotThere);
            };
            let name = roll.members.remove(at).name;
            roll.ended = roll.members.is_empty() && !lasting;
            let left = if roll.ended {
                Left::Ended(name)
            } else {
                Left::Gone(name)
            };
            Change::Write((), left)
        })
    }

    /// Gives a member another name, and answers the one it had.
    pub(crate) fn rename(&self, session: SessionId, name: &str) -> Result<Option<String>, KvError> {
        self.change(|roll| {
            let members = &mut roll.members;
            match members.iter_mut().find(|member| member.session == session) {
                Some(member) => {
                    let old = std::mem::replace(&mut member.name, name.to_owned());
                    Change::Write((), Some(old))
                }
                None => Change::Keep(None),
            }
        })
    }

    /// Forgets a room that ended.
    pub(crate) fn erase(&self) -> Result<(), KvError> {
        self.bucket.delete(&self.key)
    }

    fn change<R>(&self, mut decide: impl FnMut(&mut Roll) -> Change<(), R>) -> Result<R, KvError> {
        self.bucket.change(&self.key, |old: Option<Roll>| {
            let mut roll = old.unwrap_or_else(|| Roll {
                ended: !self.lasting,
                ..Roll::default()
            });
            match decide(&mut roll) {
                Change::Write((), answer) => Change::Write(roll, answer),
                Change::Keep(answer) => Change::Keep(answer),
            }
        })
    }
}
