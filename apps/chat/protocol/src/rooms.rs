//! Which rooms there are.
//!
//! A room has a name, which clients use, and a key, which nothing else ever had. Everything about the room is kept under
//! the key. So a room that ended can be cleaned up at leisure while another of the same name has already begun.
//!
//! **Invariant:** the list is one value, changed by compare-and-swap: of two clients who create a room at once, one does.

use rookery_sdk::kv::{Bucket, Change, KvError};
use rookery_sdk::{now_ms, topic};
use serde::{Deserialize, Serialize};

use crate::id;
use crate::members::Members;
use crate::reply::Listed;

const LIST_KEY: &str = "rooms";
/// The list is one value, which is read whenever a room is looked for; most lists are much smaller than they may be.
const ROOMS_MAX: usize = 1_000;
/// A value has a mebibyte at most, and a client that can go no further must be told so.
const LIST_BYTES_MAX: usize = 512 * 1024;
/// What a room has beside texts of its clients: an id, a time, and the names of the fields.
const ROOM_BYTES: usize = 128;
/// The most bytes that a character takes for each that it has: a control character is written `\u0001`.
const ESCAPED_BYTES: usize = 6;

/// The room that is always there.
pub(crate) const GENERAL: &str = "general";

/// A room, as the list has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Room {
    pub(crate) id: String,
    pub(crate) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) created_by: String,
    pub(crate) created_at: u64,
}

impl Room {
    /// How much of the list it takes, at most.
    fn bytes(&self) -> usize {
        let description = self.description.as_deref().unwrap_or_default();
        let texts = [&self.id, description, &self.created_by];
        texts.into_iter().map(written_bytes).sum::<usize>() + ROOM_BYTES
    }
}

/// How much a text takes as JSON, at most.
pub(crate) fn written_bytes(text: &str) -> usize {
    let plain = |byte: &u8| !byte.is_ascii_control() && !matches!(byte, b'"' | b'\\');
    let plain = text.bytes().filter(plain).count();
    plain + (text.len() - plain) * ESCAPED_BYTES
}

/// What became of a wish to create a room.
#[derive(Debug, PartialEq)]
pub(crate) enum Created {
    Made(String),
    /// A room of this name is there already, under this key.
    Exists(String),
    TooMany,
}

/// The rooms of a namespace.
pub(crate) struct Rooms<'a> {
    bucket: &'a Bucket,
}

impl<'a> Rooms<'a> {
    pub(crate) fn of(bucket: &'a Bucket) -> Rooms<'a> {
        Rooms { bucket }
    }

    /// Every room in the order of creation, with the number of its members.
    pub(crate) fn list(&self) -> Result<Vec<Listed>, KvError> {
        let rooms = self.all()?;
        let rooms = rooms
            .into_iter()
            .map(|room| Listed {
                // Who is in a room is subscribed to its topic. The roll may still know of people from before a restart.
                user_count: topic(&topic_of(&room.key)).subscribers(),
                id: room.id,
                description: room.description,
                created_at: room.created_at,
            })
            .collect();
        Ok(rooms)
    }

    /// The key of a room.
    pub(crate) fn find(&self, id: &str) -> Result<Option<String>, KvError> {
        let rooms = self.all()?;
        let room = rooms.into_iter().find(|room| room.id == id);
        Ok(room.map(|room| room.key))
    }

    /// Makes a room, unless there is one.
    pub(crate) fn create(
        &self,
        id: &str,
        description: Option<&str>,
        created_by: &str,
    ) -> Result<Created, KvError> {
        let room = Room {
            id: id.to_owned(),
            key: id::now(),
            description: description.map(str::to_owned),
            created_by: created_by.to_owned(),
            created_at: now_ms(),
        };
        // Before the room is listed, since a room without this value has ended.
        let members = Members::of(self.bucket, &room.key);
        members.begin()?;
        let created = self.change(|rooms| {
            if let Some(known) = rooms.iter().find(|known| known.id == id) {
                return Change::Keep(Created::Exists(known.key.clone()));
            }
            let bytes: usize = rooms.iter().map(Room::bytes).sum();
            if rooms.len() >= ROOMS_MAX || bytes + room.bytes() > LIST_BYTES_MAX {
                return Change::Keep(Created::TooMany);
            }
            rooms.push(room.clone());
            Change::Write((), Created::Made(room.key.clone()))
        });
        if !matches!(created, Ok(Created::Made(_))) {
            members.erase()?;
        }
        created
    }

    /// Takes a room that ended off the list. Anyone who meets it there may do so.
    pub(crate) fn remove(&self, key: &str) -> Result<(), KvError> {
        self.change(|rooms| {
            let before = rooms.len();
            rooms.retain(|room| room.key != key);
            if rooms.len() == before {
                Change::Keep(())
            } else {
                Change::Write((), ())
            }
        })
    }

    fn all(&self) -> Result<Vec<Room>, KvError> {
        match self.bucket.get_json(LIST_KEY)? {
            Some(rooms) => Ok(rooms),
            None => self.change(|rooms| Change::Write((), rooms.clone())),
        }
    }

    /// Changes the list, which begins with the general room.
    fn change<R>(
        &self,
        mut decide: impl FnMut(&mut Vec<Room>) -> Change<(), R>,
    ) -> Result<R, KvError> {
        self.bucket.change(LIST_KEY, |old: Option<Vec<Room>>| {
            let mut rooms = old.unwrap_or_else(|| vec![general()]);
            match decide(&mut rooms) {
                Change::Write((), answer) => Change::Write(rooms, answer),
                Change::Keep(answer) => Change::Keep(answer),
            }
        })
    }
}

/// The topic that a room's members are subscribed to.
pub(crate) fn topic_of(key: &str) -> String {
    format!("room:{key}")
}

fn general() -> Room {
    Room {
        id: GENERAL.to_owned(),
        key: GENERAL.to_owned(),
        description: Some("General chat room for everyone".to_owned()),
        created_by: "system".to_owned(),
        created_at: now_ms(),
    }
}
