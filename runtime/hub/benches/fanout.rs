//! Fan-out: from `publish` to bytes taken by the writers, without sockets and without a guest.
//!
//! `cargo bench -p rookery-hub --bench fanout`. Criterion's element is one delivery: a message to one session, so its
//! throughput is deliveries per second on one core.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rookery_bundle::Namespace;
use rookery_contract::{Opened, Payload, PublishOptions, SessionId};
use rookery_hub::{
    Attach, Attached, EventsDone, Hub, HubConfig, Publisher, ReadyQueue, SessionLimits,
};
use rookery_lifecycle::{Shutdown, Tasks};
use tokio::runtime::Runtime;

const MESSAGE_BYTES: usize = 100;

/// A topic with subscribers whose writers take everything.
struct Room {
    _runtime: Runtime,
    hub: Arc<Hub>,
    namespace: Namespace,
    members: Vec<Attached>,
    chunks: VecDeque<Bytes>,
}

impl Room {
    fn new(members: usize) -> Room {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime starts");
        let (hub, namespace, members) = runtime.block_on(async {
            let hub = Hub::new(HubConfig::default(), &Tasks::new(), Shutdown::new());
            let namespace = Namespace::parse("bench@1").expect("it is valid");
            let ready = ReadyQueue::new();
            let members: Vec<_> = (0..members)
                .map(|_| {
                    hub.attach(Attach {
                        namespace: namespace.clone(),
                        ready: Arc::clone(&ready),
                        opened: Opened::default(),
                        limits: SessionLimits::default(),
                    })
                })
                .collect();
            while !ready.is_empty() {
                let batch = ready.take(64).await.expect("the queue is open");
                ready.finish(batch, EventsDone::All);
            }
            (hub, namespace, members)
        });
        let room = Room {
            _runtime: runtime,
            hub,
            namespace,
            members,
            chunks: VecDeque::new(),
        };
        for member in &room.members {
            room.publisher()
                .subscribe(member.id(), "room")
                .expect("there is room");
        }
        room
    }

    fn publisher(&self) -> Publisher {
        self.hub.publisher(&self.namespace)
    }

    fn sender(&self, message: usize) -> SessionId {
        self.members[message % self.members.len()].id()
    }

    fn drain(&mut self) {
        for member in &self.members {
            while member.take_chunks(&mut self.chunks, 64) > 0 {
                black_box(&self.chunks);
                self.chunks.clear();
            }
        }
    }
}

/// What an app does with each message.
#[derive(Clone, Copy)]
enum Style {
    /// Publishes it to everybody.
    All,
    /// Publishes it to everybody but its sender.
    ButSender,
    /// Publishes it to everybody and answers its sender.
    WithAnswer,
}

fn invocation(room: &Room, style: Style, batch: usize, payload: &Payload, answer: &Payload) {
    let mut publisher = room.publisher();
    let mut options = PublishOptions::default();
    for message in 0..batch {
        if let Style::ButSender = style {
            options.except = Some(room.sender(message));
        }
        publisher
            .publish("room", payload, &options)
            .expect("the topic takes it");
        if let Style::WithAnswer = style {
            publisher.send(room.sender(message), answer);
        }
    }
}

fn fanout(criterion: &mut Criterion) {
    let payload = Payload::Text("x".repeat(MESSAGE_BYTES).into());
    let answer = Payload::Text("ok".into());
    let styles = [
        ("all", Style::All),
        ("but_sender", Style::ButSender),
        ("with_answer", Style::WithAnswer),
    ];
    for (name, style) in styles {
        let mut group = criterion.benchmark_group(format!("fanout/{name}"));
        for members in [32, 1000] {
            let mut room = Room::new(members);
            for batch in [1, 16, 64] {
                group.throughput(Throughput::Elements((members * batch) as u64));
                group.bench_function(BenchmarkId::new(members.to_string(), batch), |bencher| {
                    bencher.iter(|| {
                        invocation(&room, style, batch, &payload, &answer);
                        room.drain();
                    });
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, fanout);
criterion_main!(benches);
