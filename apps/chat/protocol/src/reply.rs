//! What the server sends. Keys are in the seed's order, absent fields are left out.

use rookery_sdk::Error;
use serde::Serialize;

use crate::command::Status;
use crate::history::Said;
use crate::id;

/// What stands beside a payload, behind everything that the seed has there. Its clients take no notice of it.
#[derive(Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Beside<'a> {
    /// The name of the request that this answers, if that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<&'a str>,
    /// Where the client goes on after this, in the room's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<&'a str>,
    /// What the users of a room are seen as, in the order of their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) statuses: Option<&'a [Status]>,
}

/// A server event's payload.
pub(crate) trait Reply: Serialize {
    const CHANNEL: &'static str;

    /// The frame, with a message id of its own.
    fn encode(&self, beside: Beside<'_>) -> Result<String, Error> {
        Ok(serde_json::to_string(&Frame {
            kind: "message",
            channel: Self::CHANNEL,
            payload: self,
            message_id: id::now(),
            metadata: Metadata {
                event_name: Self::CHANNEL,
            },
            beside,
        })?)
    }
}

#[derive(Serialize)]
struct Frame<'a, P: ?Sized> {
    #[serde(rename = "type")]
    kind: &'static str,
    channel: &'static str,
    payload: &'a P,
    #[serde(rename = "messageId")]
    message_id: String,
    metadata: Metadata,
    #[serde(flatten)]
    beside: Beside<'a>,
}

#[derive(Serialize)]
struct Metadata {
    #[serde(rename = "eventName")]
    event_name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthSuccess<'a> {
    pub(crate) username: &'a str,
    pub(crate) user_id: &'a str,
}

impl Reply for AuthSuccess<'_> {
    const CHANNEL: &'static str = "auth.success";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthError<'a> {
    pub(crate) code: &'a str,
    pub(crate) message: &'a str,
}

impl Reply for AuthError<'_> {
    const CHANNEL: &'static str = "auth.error";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure<'a> {
    pub(crate) code: &'a str,
    pub(crate) message: String,
}

impl Reply for Failure<'_> {
    const CHANNEL: &'static str = "error";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoomCreated<'a> {
    pub(crate) room_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<&'a str>,
    pub(crate) created_by: &'a str,
}

impl Reply for RoomCreated<'_> {
    const CHANNEL: &'static str = "room.created";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoomList {
    pub(crate) rooms: Vec<Listed>,
}

impl Reply for RoomList {
    const CHANNEL: &'static str = "room.list";
}

/// A room in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) user_count: u32,
    pub(crate) created_at: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoomJoined<'a> {
    pub(crate) room_id: &'a str,
    pub(crate) users: &'a [String],
    pub(crate) recent_messages: &'a [Said],
}

impl Reply for RoomJoined<'_> {
    const CHANNEL: &'static str = "room.joined";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserJoined<'a> {
    pub(crate) room_id: &'a str,
    pub(crate) username: &'a str,
}

impl Reply for UserJoined<'_> {
    const CHANNEL: &'static str = "room.userJoined";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserLeft<'a> {
    pub(crate) room_id: &'a str,
    pub(crate) username: &'a str,
}

impl Reply for UserLeft<'_> {
    const CHANNEL: &'static str = "room.userLeft";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageReceived<'a> {
    pub(crate) id: &'a str,
    pub(crate) text: &'a str,
    pub(crate) room_id: &'a str,
    pub(crate) username: &'a str,
    pub(crate) timestamp: u64,
}

impl Reply for MessageReceived<'_> {
    const CHANNEL: &'static str = "message.received";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageHistory<'a> {
    pub(crate) room_id: &'a str,
    pub(crate) messages: &'a [Said],
    pub(crate) has_more: bool,
}

impl Reply for MessageHistory<'_> {
    const CHANNEL: &'static str = "message.history";
}

/// What was missed: of the extras, so that the first protocol's clients never get one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageRecovered<'a> {
    pub(crate) room_id: &'a str,
    pub(crate) messages: &'a [Said],
    pub(crate) has_more: bool,
    pub(crate) complete: bool,
}

impl Reply for MessageRecovered<'_> {
    const CHANNEL: &'static str = "message.recovered";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TypingUpdate<'a> {
    pub(crate) room_id: &'a str,
    pub(crate) users_typing: &'a [String],
}

impl Reply for TypingUpdate<'_> {
    const CHANNEL: &'static str = "typing.update";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PresenceUpdate<'a> {
    pub(crate) username: &'a str,
    pub(crate) status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_seen: Option<u64>,
}

impl Reply for PresenceUpdate<'_> {
    const CHANNEL: &'static str = "presence.update";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RateWarning<'a> {
    pub(crate) remaining: u32,
    pub(crate) reset_time: u64,
    pub(crate) message: &'a str,
}

impl Reply for RateWarning<'_> {
    const CHANNEL: &'static str = "rateLimit.warning";
}
