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
use crate::rooms::{GENERAL, written_bytes};

/// The roll is one value, which has a mebibyte at most: some thousands of members, by their names.
const ROLL_BYTES_MAX: usize = 900 * 1024;
/// What a member has beside its name.
const MEMBER_BYTES: usize = 64;

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

impl Roll {
    fn bytes(&self) -> usize {
        let members = self.members.iter();
        members.map(|member| member_bytes(&member.name)).sum()
    }
}

fn member_bytes(name: &str) -> usize {
    written_bytes(name) + MEMBER_BYTES
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

/// What became of a wish to enter.
#[derive(Debug, PartialEq)]
pub(crate) enum Entered {
    Here(Present),
    /// The room has as many members as it may have.
    Full,
    /// The room has ended.
    Ended,
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
    /// in the room.
    pub(crate) fn enter(
        &self,
        session: SessionId,
        name: &str,
        stream: u64,
    ) -> Result<Entered, KvError> {
        self.change(|roll| {
            if roll.ended {
                return Change::Keep(Entered::Ended);
            }
            // A roll without a stream is of an edition that noted none: its members are there.
            if roll.stream != stream && roll.stream != 0 {
                roll.members.clear();
            }
            roll.stream = stream;
            let is_full = roll.bytes() + member_bytes(name) > ROLL_BYTES_MAX;
            let known = roll.members.iter_mut();
            match known.into_iter().find(|member| member.session == session) {
                Some(member) => member.status = Status::Online,
                None if is_full => return Change::Keep(Entered::Full),
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
            Change::Write((), Entered::Here(present))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rookery_sdk::App;
    use rookery_sdk::kv;
    use rookery_sdk::testing::Host;

    use super::*;

    fn member(session: u64) -> Member {
        Member {
            session: serde_json::from_value(session.into()).unwrap(),
            // The longest name, as it is longest in JSON.
            name: "\u{1}".repeat(50),
            status: Status::Online,
        }
    }

    #[test]
    fn a_room_is_full_before_its_roll_is_too_large_to_be_kept() {
        let host = Host::new(App::new());
        host.run(|| {
            let bucket = kv::bucket().unwrap();
            let most = ROLL_BYTES_MAX / member_bytes(&member(0).name);
            let roll = Roll {
                members: (0..most as u64 - 1).map(member).collect(),
                ended: false,
                stream: 1,
            };
            let members = Members::of(&bucket, GENERAL);
            bucket.set_json(&members.key, &roll).unwrap();
            let enter = |session| {
                let Member { session, name, .. } = member(session);
                members.enter(session, &name, 1).unwrap()
            };
            let (last, late) = (u64::MAX - 1, u64::MAX);
            assert!(matches!(enter(last), Entered::Here(present) if present.names.len() == most));
            assert_eq!(enter(late), Entered::Full);
            assert!(
                matches!(enter(last), Entered::Here(_)),
                "who is in it may enter again"
            );
            assert!(bucket.get(&members.key).unwrap().unwrap().len() < 1024 * 1024);
            members.leave(member(last).session).unwrap();
            assert!(matches!(enter(late), Entered::Here(_)));
        });
    }
}
