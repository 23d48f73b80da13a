//! What an isolate costs: a fresh one with its first byte, a warm call, events one by one and in batches.
//!
//! Runs the examples `hello` and `room`, which it builds first.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use http::Request;
use http_body_util::{BodyExt, Empty};
use rookery_bundle::{AppName, Expect, open};
use rookery_contract::{Event, EventKind, Opened, Payload};
use rookery_host::Services;
use rookery_hub::{Attach, Attached, Batch, EventsDone, Hub, HubConfig, ReadyQueue, SessionLimits};
use rookery_isolate::{CompileCache, EngineConfig, Isolates, Slots};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{Body, Deadline, Invocation, Prepare, Spawn, Worker, reply};
use rookery_storage::Stores;
use tokio::runtime::Runtime;

struct House {
    runtime: Runtime,
    isolates: Isolates,
    hub: Arc<Hub>,
}

impl House {
    fn build() -> House {
        let runtime = Runtime::new().unwrap();
        let _inside = runtime.enter();
        let hub = Hub::new(HubConfig::default(), &Tasks::new(), Shutdown::new());
        let services = Services {
            hub: Arc::clone(&hub),
            stores: Arc::new(Stores::default()),
            environment: Arc::default(),
        };
        let slots = Slots::new(&EngineConfig::default()).unwrap();
        let isolates = Isolates::new(slots, CompileCache::off(), services).unwrap();
        drop(_inside);
        House {
            runtime,
            isolates,
            hub,
        }
    }

    fn spawn_of(&self, example: &str) -> Arc<dyn Spawn> {
        let bundle = open(
            &built(example),
            Expect {
                name: AppName::parse(example).unwrap(),
                version: None,
            },
        );
        let prepared = self.isolates.prepare(Arc::new(bundle.unwrap()));
        self.runtime.block_on(prepared).unwrap()
    }
}

/// Builds an example and gives a bundle of it.
fn built(example: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let rookery = std::env::var("ROOKERY_BIN");
    let folder = root.join("examples").join(example);
    let status = match rookery {
        Ok(rookery) => Command::new(rookery).arg("build").arg(&folder).status(),
        Err(_) => Command::new(env!("CARGO"))
            .current_dir(&root)
            .args(["run", "--release", "--quiet", "--", "build"])
            .arg(&folder)
            .status(),
    };
    assert!(status.unwrap().success(), "the example {example} builds");
    folder
}

fn invocation() -> (Invocation, rookery_pool::Answer) {
    let (reply, answer) = reply();
    let body: Body = Empty::<Bytes>::new()
        .map_err(|never| match never {})
        .boxed_unsync();
    let request = Request::get("http://bench/").body(body).unwrap();
    let deadline = Deadline::after(Duration::from_secs(10));
    let invocation = Invocation {
        request,
        reply,
        deadline,
    };
    (invocation, answer)
}

async fn ask(worker: &mut Box<dyn Worker>) -> Bytes {
    let (invocation, answer) = invocation();
    worker.request(invocation).await;
    let response = answer.wait().await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body().collect().await.unwrap().to_bytes()
}

fn http(c: &mut Criterion) {
    let house = House::build();
    let spawn = house.spawn_of("hello");
    c.bench_function("fresh isolate to first byte", |bench| {
        bench.to_async(&house.runtime).iter(|| async {
            let mut worker = spawn.spawn().await.unwrap();
            ask(&mut worker).await
        });
    });
    c.bench_function("instantiate and drop", |bench| {
        bench
            .to_async(&house.runtime)
            .iter(|| async { spawn.spawn().await.unwrap() });
    });
    let mut worker = house.runtime.block_on(spawn.spawn()).unwrap();
    c.bench_function("warm isolate, one request", |bench| {
        bench.iter(|| house.runtime.block_on(ask(&mut worker)));
    });
}

/// A room with so many sessions, all of which have joined.
fn room(
    house: &House,
    worker: &mut Box<dyn Worker>,
    sessions: usize,
) -> (Arc<ReadyQueue>, Vec<Attached>) {
    let ready = ReadyQueue::new();
    let namespace = rookery_bundle::Namespace::parse("room@0").unwrap();
    let attached: Vec<_> = (0..sessions)
        .map(|number| {
            let opened = Opened {
                path: "/ws".into(),
                query: format!("name=n{number}"),
                ..Opened::default()
            };
            house.hub.attach(Attach {
                namespace: namespace.clone(),
                ready: Arc::clone(&ready),
                opened,
                limits: SessionLimits {
                    outbox_bytes: usize::MAX,
                    ..SessionLimits::default()
                },
            })
        })
        .collect();
    house.runtime.block_on(async {
        while !ready.is_empty() {
            let batch = ready.take(64).await.unwrap();
            let outcome = worker
                .events(batch.events(), Deadline::after(Duration::from_secs(9)))
                .await;
            assert!(
                matches!(outcome.verdict, rookery_pool::Verdict::Reusable),
                "{outcome:?}"
            );
            ready.finish(batch, EventsDone::All);
        }
    });
    (ready, attached)
}

fn drain(sessions: &[Attached]) {
    let mut chunks = std::collections::VecDeque::new();
    for session in sessions {
        while session.take_chunks(&mut chunks, usize::MAX) > 0 {
            chunks.clear();
        }
    }
}

fn events(c: &mut Criterion) {
    let house = House::build();
    let spawn = house.spawn_of("room");
    let mut worker = house.runtime.block_on(spawn.spawn()).unwrap();
    let mut group = c.benchmark_group("events through the guest, room of 32");
    for batch_size in [1, 64] {
        let (ready, sessions) = room(&house, &mut worker, 32);
        group.throughput(Throughput::Elements(batch_size));
        group.bench_function(format!("batches of {batch_size}"), |bench| {
            bench.iter_batched(
                || fill(&house, &ready, &sessions, batch_size),
                |batch| deliver(&house, &mut worker, &ready, &sessions, batch),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn fill(house: &House, ready: &Arc<ReadyQueue>, sessions: &[Attached], count: u64) -> Batch {
    for number in 0..count {
        let session = &sessions[number as usize % sessions.len()];
        session.push_message(Payload::Text(r#"{"text":"good morning everybody"}"#.into()));
    }
    let batch = house.runtime.block_on(ready.take(64)).unwrap();
    assert_eq!(batch.events().len() as u64, count);
    batch
}

fn deliver(
    house: &House,
    worker: &mut Box<dyn Worker>,
    ready: &Arc<ReadyQueue>,
    sessions: &[Attached],
    batch: Batch,
) {
    let deadline = Deadline::after(Duration::from_secs(9));
    let outcome = house
        .runtime
        .block_on(worker.events(batch.events(), deadline));
    assert_eq!(outcome.began, Some(batch.events().len() - 1));
    ready.finish(batch, EventsDone::All);
    drain(sessions);
}

/// An event that nobody hears of, so that only the call is measured.
fn calls(c: &mut Criterion) {
    let house = House::build();
    let spawn = house.spawn_of("room");
    let mut worker = house.runtime.block_on(spawn.spawn()).unwrap();
    let mut group = c.benchmark_group("events of sessions that are gone");
    for count in [1_u64, 64] {
        let events: Vec<Event> = (0..count)
            .map(|number| Event {
                session: rookery_contract::SessionId(u64::MAX - number),
                attachment: Bytes::new(),
                kind: EventKind::Timer {
                    name: "none".into(),
                },
            })
            .collect();
        group.throughput(Throughput::Elements(count));
        group.bench_function(format!("batches of {count}"), |bench| {
            bench.iter(|| {
                let deadline = Deadline::after(Duration::from_secs(9));
                house.runtime.block_on(worker.events(&events, deadline))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, http, events, calls);
criterion_main!(benches);
