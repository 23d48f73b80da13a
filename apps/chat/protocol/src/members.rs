//! Who is in a room.
//!
//! **Invariant:** a room other than the general one ends with its last member, once: the value says so before it goes, and
//! nobody enters a room whose value says so or is gone.
//! **Invariant:** a member is a session. Two users of one name are two members.

use rookery_sdk::SessionId;
use rookery_sdk::kv::{Bucket, Change, KvError};
use serde::{Deserialize, Serialize};

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
}

#[derive(Clone, Serialize, Deserialize)]
struct Member {
    session: SessionId,
    name: String,
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

    pub(crate) fn count(&self) -> Result<usize, KvError> {
        let roll: Option<Roll> = self.bucket.get_json(&self.key)?;
        Ok(roll.map_or(0, |roll| roll.members.len()))
    }

    /// Adds a member, or finds it there, and answers every member's name; None when the room has ended.
    pub(crate) fn enter(
        &self,
        session: SessionId,
        name: &str,
    ) -> Result<Option<Vec<String>>, KvError> {
        self.change(|roll| {
            if roll.ended {
                return Change::Keep(None);
            }
            if !roll.members.iter().any(|member| member.session == session) {
                roll.members.push(Member {
                    session,
                    name: name.to_owned(),
                });
            }
            let names = roll.members.iter().map(|member| member.name.clone());
            Change::Write((), Some(names.collect()))
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
                members: Vec::new(),
                ended: !self.lasting,
            });
            match decide(&mut roll) {
                Change::Write((), answer) => Change::Write(roll, answer),
                Change::Keep(answer) => Change::Keep(answer),
            }
        })
    }
}
