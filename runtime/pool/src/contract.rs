//! What every implementation of [`Spawn`] and [`Worker`] has to do, as checks that anyone can run against his own.
//!
//! An implementer prepares an app that does four things, and calls [`holds`]:
//!
//! | path | what the app does |
//! | --- | --- |
//! | `/answer` (any path, in truth) | answers 200 with a body that is not empty |
//! | `/stream` | answers at once, with a body that may come in pieces |
//! | `/hang` | says nothing for longer than any deadline here, without using the processor up |
//! | `/fail` | ends its worker without an answer: traps, or exits |
//!
//! ```ignore
//! // In runtime/isolate's tests, and alike in runtime/subprocess's, with rookery-pool's feature `test-util`:
//! #[tokio::test(flavor = "multi_thread")]
//! async fn isolates_keep_the_pools_contract() {
//!     let spawn = isolates.prepare(kitchen_bundle()).await.unwrap();
//!     rookery_pool::contract::holds(spawn).await;
//! }
//! ```
//!
//! **Invariant:** a check that fails panics with the sentence that does not hold.
//! **Absent on purpose:** events of sessions, which have a contract of their own in the SDK, and how fast anything is.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use tokio::time::timeout;

use crate::deadline::Deadline;
use crate::reply::reply;
use crate::worker::{Body, Fault, Invocation, Notice, Spawn, Verdict, Worker};

/// More than anything here takes on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(30);
/// Given to a guest that is to run out of time.
const SHORT: Duration = Duration::from_millis(300);

/// Runs every check, one after the other, each with workers of its own.
///
/// # Panics
/// When one of them does not hold.
pub async fn holds(spawn: Arc<dyn Spawn>) {
    answers(&*spawn).await;
    streams(&*spawn).await;
    stops_at_the_deadline(&*spawn).await;
    tells_of_its_failure(&*spawn).await;
    can_be_dropped_in_the_middle(&*spawn).await;
    if spawn.concurrency() > 1 {
        shares(&*spawn).await;
    }
    hears(&*spawn).await;
    if !spawn.serves_tunnels() {
        says_that_it_has_no_tunnels(&*spawn).await;
    }
}

/// A request is answered, and what is left of the worker is said.
pub async fn answers(spawn: &dyn Spawn) {
    let mut worker = start(spawn).await;
    assert!(worker.is_alive(), "a worker that has started is alive");
    let mut expected = answered(&mut *worker).await;
    for _ in 0..3 {
        if !matches!(expected, Verdict::Reusable) {
            worker = start(spawn).await;
        }
        expected = answered(&mut *worker).await;
    }
}

/// The head goes out before the body is read, and the body comes whole.
pub async fn streams(spawn: &dyn Spawn) {
    let mut worker = start(spawn).await;
    let (reply, answer) = reply();
    let invocation = invocation("/stream", reply, PATIENCE);
    let read = async {
        let response = answer.wait().await.expect("a stream has a head");
        text(response).await
    };
    let (verdict, text) = patient(async { tokio::join!(worker.request(invocation), read) }).await;
    assert!(!text.is_empty(), "the stream came");
    assert!(
        !matches!(verdict, Verdict::Fault(_)),
        "a stream that was read is no fault: {verdict:?}"
    );
}

/// A guest that says nothing is stopped at its deadline, which is said, and the next worker is none the worse.
pub async fn stops_at_the_deadline(spawn: &dyn Spawn) {
    let mut worker = start(spawn).await;
    let (reply, answer) = reply();
    let verdict = patient(worker.request(invocation("/hang", reply, SHORT))).await;
    assert!(
        matches!(verdict, Verdict::Fault(Fault::Timeout(_))),
        "a guest out of time is a timeout, not {verdict:?}"
    );
    assert!(answer.wait().await.is_err(), "it gave no answer");
    drop(worker);
    answered(&mut *start(spawn).await).await;
}

/// A guest that fails is said to have failed, and the next worker is none the worse.
pub async fn tells_of_its_failure(spawn: &dyn Spawn) {
    let mut worker = start(spawn).await;
    let (reply, answer) = reply();
    let (verdict, answer) = patient(async {
        tokio::join!(
            worker.request(invocation("/fail", reply, PATIENCE)),
            answer.wait()
        )
    })
    .await;
    assert!(
        matches!(
            verdict,
            Verdict::Fault(Fault::Trap(_) | Fault::Gone(_) | Fault::NoAnswer | Fault::Memory(_))
        ),
        "a guest that fails is at fault, not {verdict:?}"
    );
    assert!(answer.is_err(), "it gave no answer");
    drop(worker);
    answered(&mut *start(spawn).await).await;
}

/// Whoever loses interest drops the invocation, and that ends it.
pub async fn can_be_dropped_in_the_middle(spawn: &dyn Spawn) {
    let mut worker = start(spawn).await;
    let (reply, answer) = reply();
    let hangs = worker.request(invocation("/hang", reply, PATIENCE));
    assert!(timeout(SHORT, hangs).await.is_err(), "it hangs");
    let left = patient(answer.wait()).await;
    assert!(left.is_err(), "what was dropped answers nobody");
    drop(worker);
    answered(&mut *start(spawn).await).await;
}

/// Handles on one worker are used side by side, and one that ends takes no other with it.
pub async fn shares(spawn: &dyn Spawn) {
    let worker = start(spawn).await;
    let share = || worker.share().expect("a worker that shares gives handles");
    let (mut stuck, mut quick) = (share(), share());
    let (reply, _answer) = reply();
    {
        let mut hangs = std::pin::pin!(stuck.request(invocation("/hang", reply, PATIENCE)));
        tokio::select! {
            verdict = &mut hangs => panic!("it hangs, and is not {verdict:?}"),
            verdict = answered(&mut *quick) => assert!(matches!(verdict, Verdict::Reusable)),
        }
    }
    drop(stuck);
    answered(&mut *quick).await;
    let mut others: Vec<_> = (0..spawn.concurrency()).map(|_| share()).collect();
    for other in &mut others {
        answered(&mut **other).await;
    }
    drop((others, quick));
    assert!(worker.is_alive(), "it goes on without its handles");
    answered(&mut *share()).await;
}

/// A worker that is told something goes on, and one that is told of its end can be dropped.
pub async fn hears(spawn: &dyn Spawn) {
    let mut worker = start(spawn).await;
    patient(worker.tell(Notice::Idle, Deadline::after(PATIENCE))).await;
    assert!(worker.is_alive(), "it goes on after it was idle");
    let mut handle = worker.share();
    match &mut handle {
        Some(handle) => answered(&mut **handle).await,
        None => answered(&mut *worker).await,
    };
    drop(handle);
    patient(worker.tell(Notice::Terminate, Deadline::after(PATIENCE))).await;
}

/// A worker that opens no tunnels says so, and can have other work.
pub async fn says_that_it_has_no_tunnels(spawn: &dyn Spawn) {
    let mut worker = start(spawn).await;
    let answer = worker.tunnel(request("/answer").map(|_| ()), Deadline::after(PATIENCE));
    assert!(
        matches!(patient(answer).await, Err(unopened) if matches!(unopened.fault, Fault::Unsupported(_))),
        "a worker without tunnels says that it does not serve them"
    );
}

async fn start(spawn: &dyn Spawn) -> Box<dyn Worker> {
    let started = patient(spawn.spawn()).await;
    started.unwrap_or_else(|error| panic!("a worker starts: {error}"))
}

async fn answered(worker: &mut dyn Worker) -> Verdict {
    let (reply, answer) = reply();
    let read = async {
        let response = answer.wait().await;
        let response =
            response.unwrap_or_else(|left| panic!("a request is answered: {}", left.fault));
        assert_eq!(response.status(), StatusCode::OK);
        text(response).await
    };
    let run = worker.request(invocation("/answer", reply, PATIENCE));
    let (verdict, text) = patient(async { tokio::join!(run, read) }).await;
    assert!(!text.is_empty(), "the answer has a body");
    assert!(
        !matches!(verdict, Verdict::Fault(_)),
        "an answer is no fault: {verdict:?}"
    );
    verdict
}

async fn text(response: Response<Body>) -> Bytes {
    let body = response.into_body().collect().await;
    let body = body.unwrap_or_else(|error| panic!("a body comes whole: {error}"));
    body.to_bytes()
}

async fn patient<T>(what: impl Future<Output = T>) -> T {
    let done = timeout(PATIENCE, what).await;
    done.expect("nothing takes that long")
}

fn request(path: &'static str) -> Request<Body> {
    let body = Empty::<Bytes>::new().map_err(|never| match never {});
    let mut request = Request::new(body.boxed_unsync());
    *request.uri_mut() = http::Uri::from_static(path);
    let host = http::HeaderValue::from_static("localhost");
    request.headers_mut().insert(http::header::HOST, host);
    request
}

fn invocation(path: &'static str, reply: crate::reply::Reply, within: Duration) -> Invocation {
    Invocation {
        request: request(path),
        reply,
        deadline: Deadline::after(within),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::fake::{FakeSpawn, Step};

    #[tokio::test(start_paused = true)]
    async fn fake_workers_keep_the_contract() {
        holds(FakeSpawn::new()).await;
    }

    #[tokio::test(start_paused = true)]
    async fn fake_workers_that_share_keep_the_contract() {
        let spawn = FakeSpawn::new();
        spawn.concurrency.store(4, Ordering::SeqCst);
        holds(spawn.clone()).await;
        assert_eq!(spawn.alive(), 0);
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "a guest out of time is a timeout")]
    async fn a_worker_that_overstays_and_says_something_else_is_found() {
        let spawn = FakeSpawn::new();
        spawn.then(Step::Fail(Fault::NoAnswer));
        stops_at_the_deadline(&*spawn).await;
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "a request is answered")]
    async fn a_worker_that_does_not_answer_is_found() {
        let spawn = FakeSpawn::new();
        spawn.then(Step::Fail(Fault::NoAnswer));
        answers(&*spawn).await;
    }
}
