//! A hub with one namespace, and clients that keep what they are sent.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use rookery_bundle::Namespace;
use rookery_contract::{Event, EventKind, Opened, Payload, PublishOptions, SessionId};
use rookery_hub::{
    Arrival, Attach, Attached, Batch, EventsDone, Hub, HubConfig, Publisher, ReadyQueue,
    SessionLimits,
};
use rookery_lifecycle::{Shutdown, Tasks};

pub struct Room {
    pub hub: Arc<Hub>,
    pub ready: Arc<ReadyQueue>,
    pub namespace: Namespace,
}

impl Room {
    /// Must be called in a runtime.
    pub fn new() -> Room {
        Room::with(HubConfig::default())
    }

    pub fn with(config: HubConfig) -> Room {
        Room {
            hub: Hub::new(config, &Tasks::new(), Shutdown::new()),
            ready: ReadyQueue::new(),
            namespace: namespace("chat@1"),
        }
    }

    pub fn publisher(&self) -> Publisher {
        self.hub.publisher(&self.namespace)
    }

    pub fn client(&self) -> Client {
        self.client_with(SessionLimits::default())
    }

    pub fn arrival(&self) -> Arrival {
        self.hub.arrive(self.attach(SessionLimits::default()))
    }

    fn attach(&self, limits: SessionLimits) -> Attach {
        Attach {
            namespace: self.namespace.clone(),
            ready: Arc::clone(&self.ready),
            opened: Opened::default(),
            limits,
        }
    }

    pub fn client_with(&self, limits: SessionLimits) -> Client {
        Client(self.hub.attach(self.attach(limits)))
    }

    /// A client whose `Opened` the guest has seen, subscribed to these topics.
    pub async fn member(&self, topics: &[&str]) -> Client {
        self.member_with(SessionLimits::default(), topics).await
    }

    pub async fn member_with(&self, limits: SessionLimits, topics: &[&str]) -> Client {
        let client = self.client_with(limits);
        self.settle_all().await;
        for topic in topics {
            self.publisher().subscribe(client.id(), topic).unwrap();
        }
        client
    }

    /// The next batch; it must be there.
    pub async fn take(&self) -> Batch {
        assert!(!self.ready.is_empty(), "nothing waits");
        self.ready.take(64).await.unwrap()
    }

    /// Lets the guest go through all that waits, and gives it.
    pub async fn settle_all(&self) -> Vec<Event> {
        let mut events = Vec::new();
        while !self.ready.is_empty() {
            let batch = self.take().await;
            events.extend_from_slice(batch.events());
            self.ready.finish(batch, EventsDone::All);
        }
        events
    }
}

pub fn namespace(name: &str) -> Namespace {
    Namespace::parse(name).unwrap()
}

/// An attached client.
pub struct Client(pub Attached);

impl Client {
    pub fn id(&self) -> SessionId {
        self.0.id()
    }

    pub fn says(&self, text: &str) -> rookery_hub::Received {
        self.0.push_message(self::text(text))
    }

    /// Everything that was written to it since the last time, a letter or word each; `!1000` is a close.
    pub fn reads(&self) -> Vec<String> {
        let mut chunks = VecDeque::new();
        self.0.take_chunks(&mut chunks, usize::MAX);
        chunks.iter().flat_map(frames).collect()
    }
}

pub fn text(text: &str) -> Payload {
    Payload::Text(text.into())
}

pub fn plain() -> PublishOptions {
    PublishOptions::default()
}

pub fn all_but(session: SessionId) -> PublishOptions {
    PublishOptions {
        except: Some(session),
        ..plain()
    }
}

/// What an event is, in short: `opened`, `message:hello`, `again:hello`, `timer:name`, `closed:1000`.
pub fn short(event: &Event) -> String {
    match &event.kind {
        EventKind::Opened(_) => "opened".into(),
        EventKind::Message {
            payload,
            redelivered,
        } => {
            let text = String::from_utf8_lossy(payload.as_bytes()).into_owned();
            format!("{}:{text}", if *redelivered { "again" } else { "message" })
        }
        EventKind::Timer { name } => format!("timer:{name}"),
        EventKind::Resumed { from_version } => format!("resumed:{from_version}"),
        EventKind::Closed { code, .. } => format!("closed:{code}"),
    }
}

pub fn shorts(events: &[Event]) -> Vec<String> {
    events.iter().map(short).collect()
}

/// Decodes a chunk of whole frames.
fn frames(chunk: &Bytes) -> Vec<String> {
    let mut rest = &chunk[..];
    let mut frames = Vec::new();
    while let [first, length, after @ ..] = rest {
        let extended = match length {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let (bytes, after) = after.split_at(extended);
        let length = match extended {
            0 => usize::from(*length),
            _ => bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte)),
        };
        let (payload, next) = after.split_at(length);
        frames.push(match first {
            0x88 => format!("!{}", u16::from_be_bytes([payload[0], payload[1]])),
            _ => String::from_utf8(payload.to_vec()).unwrap(),
        });
        rest = next;
    }
    assert!(rest.is_empty(), "a chunk ends within a frame");
    frames
}
