//! What an idle session costs the hub: the growth of this process's memory for each of many sessions that were served
//! once and are in a room of 32. Linux only.
//!
//! `cargo bench -p rookery-hub --bench idle`.

use std::collections::VecDeque;
use std::sync::Arc;

use rookery_bundle::Namespace;
use rookery_contract::{Opened, Payload, PublishOptions};
use rookery_hub::{Attach, Attached, EventsDone, Hub, HubConfig, ReadyQueue, SessionLimits};
use rookery_lifecycle::{Shutdown, Tasks};

const SESSIONS: usize = 100_000;
const ROOM: usize = 32;
const PAGE_BYTES: usize = 4096;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let hub = Hub::new(HubConfig::default(), &Tasks::new(), Shutdown::new());
    let namespace = Namespace::parse("bench@1").expect("it is valid");
    let ready = ReadyQueue::new();
    let mut sessions: Vec<Attached> = Vec::with_capacity(SESSIONS);
    let before = resident_bytes();
    for number in 0..SESSIONS {
        sessions.push(hub.attach(Attach {
            namespace: namespace.clone(),
            ready: Arc::clone(&ready),
            opened: opened(),
            limits: SessionLimits::default(),
        }));
        let session = &sessions[number];
        serve(&ready).await;
        session.push_message(hello());
        serve(&ready).await;
        let topic = format!("room-{}", number / ROOM);
        let mut publisher = hub.publisher(&namespace);
        publisher
            .subscribe(session.id(), &topic)
            .expect("there is room");
        publisher.attach(session.id(), "a name".into());
        publisher
            .publish(&topic, &hello(), &PublishOptions::default())
            .expect("it fits");
        drop(publisher);
        let mut chunks = VecDeque::new();
        for member in &sessions[number / ROOM * ROOM..] {
            member.take_chunks(&mut chunks, usize::MAX);
            chunks.clear();
        }
    }
    let grown = resident_bytes().saturating_sub(before);
    println!(
        "{} bytes a session, {SESSIONS} sessions in rooms of {ROOM}",
        grown / SESSIONS
    );
}

fn hello() -> Payload {
    Payload::Text("hello".into())
}

fn opened() -> Opened {
    Opened {
        path: "/ws".to_owned(),
        headers: vec![("user-agent".to_owned(), "x".repeat(100)); 10],
        ..Opened::default()
    }
}

async fn serve(ready: &Arc<ReadyQueue>) {
    while !ready.is_empty() {
        let batch = ready.take(64).await.expect("the queue is open");
        ready.finish(batch, EventsDone::All);
    }
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * PAGE_BYTES
}
