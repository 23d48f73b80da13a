//! Processes that die between the choice of a worker and the connection to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use rookery_contract::Event;
use rookery_pool::{
    Body, Deadline, EventsOutcome, Fault, Invocation, InvokeError, Notice, Pool, Spawn, SpawnError,
    TunnelAnswer, Unopened, Verdict, Worker,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::house::{FIXTURE, House, PATIENCE, ask, echo, is_known, signal, text};

/// How many more processes are killed as soon as somebody is sent there.
type Doom = Arc<AtomicUsize>;

struct Doomed(Arc<dyn Spawn>, Doom);

struct DoomedWorker(Box<dyn Worker>, Doom);

impl DoomedWorker {
    /// Kills it, if that is to be, and waits until nothing of it is there.
    async fn meet_fate(&mut self) {
        let one_less = |left: usize| left.checked_sub(1);
        let (set, get) = (Ordering::SeqCst, Ordering::SeqCst);
        if self.1.fetch_update(set, get, one_less).is_ok() {
            let pid = self.0.process().unwrap();
            signal(pid, "KILL");
            let dead = async {
                while is_known(pid) {
                    tokio::task::yield_now().await;
                }
            };
            timeout(PATIENCE, dead).await.expect("it is dead");
        }
    }
}

#[async_trait::async_trait]
impl Spawn for Doomed {
    async fn spawn(&self) -> Result<Box<dyn Worker>, SpawnError> {
        let worker = self.0.spawn().await?;
        Ok(Box::new(DoomedWorker(worker, Arc::clone(&self.1))))
    }

    fn serves_sessions(&self) -> bool {
        self.0.serves_sessions()
    }

    fn concurrency(&self) -> usize {
        self.0.concurrency()
    }

    fn serves_tunnels(&self) -> bool {
        self.0.serves_tunnels()
    }
}

#[async_trait::async_trait]
impl Worker for DoomedWorker {
    async fn request(&mut self, invocation: Invocation) -> Verdict {
        self.meet_fate().await;
        self.0.request(invocation).await
    }

    async fn events(&mut self, events: &[Event], deadline: Deadline) -> EventsOutcome {
        self.0.events(events, deadline).await
    }

    async fn tunnel(
        &mut self,
        request: Request<()>,
        deadline: Deadline,
    ) -> Result<TunnelAnswer, Unopened> {
        self.meet_fate().await;
        self.0.tunnel(request, deadline).await
    }

    async fn tell(&mut self, notice: Notice, deadline: Deadline) {
        self.0.tell(notice, deadline).await;
    }

    fn share(&self) -> Option<Box<dyn Worker>> {
        let handle = self.0.share()?;
        Some(Box::new(DoomedWorker(handle, Arc::clone(&self.1))))
    }

    fn is_alive(&self) -> bool {
        self.0.is_alive()
    }
}

/// A pool of native servers, and how many of them are doomed from now on.
async fn pool(house: &House, manifest: Value) -> (Arc<Pool>, Doom) {
    let doom = Doom::default();
    let between = |spawn| Arc::new(Doomed(spawn, Arc::clone(&doom))) as Arc<dyn Spawn>;
    (house.pool_of(manifest, between).await, doom)
}

fn upload() -> Request<Body> {
    let body = Full::new(Bytes::from("seven b")).map_err(|never| match never {});
    let request = Request::post("/upload").header("host", "localhost");
    request.body(body.boxed_unsync()).unwrap()
}

/// Over a port, over a socket, and with a process for each request.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_when_its_process_has_just_died_is_answered_by_another_one() {
    for manifest in [
        json!({}),
        json!({"command": [FIXTURE, "serve", "--socket"]}),
        json!({"ttl": 0}),
    ] {
        let house = House::new();
        let (pool, doom) = pool(&house, manifest).await;
        // The second time there is a connection that rests.
        for failed in [1, 2] {
            doom.store(1, Ordering::SeqCst);
            let answer = pool.request(upload()).await.unwrap();
            assert_eq!(text(answer).await, "7");
            assert_eq!(doom.load(Ordering::SeqCst), 0);
            assert_eq!(house.totals.failed.get(), failed);
        }
        doom.store(1, Ordering::SeqCst);
        ask(&pool, "/answer").await.unwrap();
        assert_eq!(doom.load(Ordering::SeqCst), 0);
        assert_eq!(house.totals.failed.get(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_comes_when_its_process_has_just_died_is_answered_by_another_one() {
    let house = House::new();
    let (pool, doom) = pool(&house, json!({})).await;
    ask(&pool, "/answer").await.unwrap();
    doom.store(1, Ordering::SeqCst);
    drop(echo(&pool).await);
    assert_eq!(doom.load(Ordering::SeqCst), 0);
    assert_eq!(house.totals.failed.get(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_outlives_two_processes_and_no_more() {
    let house = House::new();
    let (pool, doom) = pool(&house, json!({})).await;
    doom.store(4, Ordering::SeqCst);
    let failed = ask(&pool, "/answer").await.unwrap_err();
    let InvokeError::Fault { fault, .. } = &failed else {
        panic!("{failed}");
    };
    assert!(matches!(fault, Fault::Gone(_)), "{fault}");
    assert_eq!(doom.load(Ordering::SeqCst), 1);
    assert_eq!(house.totals.failed.get(), 3);
}
