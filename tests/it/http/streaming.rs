//! Bodies that pass through, piece by piece, without being held.

use bytes::Bytes;
use rookery_tests::{Apps, Bundle, Events, PATIENCE, Server, Versions, kitchen, until};
use serde_json::json;
use tokio::time::Instant;

const MIB: usize = 1024 * 1024;

fn apps() -> Apps {
    Apps::new().with("kitchen/1.0.0", Bundle::component(kitchen()))
}

/// Buntime 37.
#[tokio::test]
async fn a_body_of_100_mb_streams_through_a_guest_in_little_memory() {
    streams_in_little_memory(100 * MIB).await;
}

/// Buntime 37. By command, since it takes its time: `cargo test -p rookery-tests --test it -- --ignored a_body_of_1_gb`.
#[tokio::test]
#[ignore = "moves a gigabyte"]
async fn a_body_of_1_gb_streams_through_a_guest_in_little_memory() {
    streams_in_little_memory(1024 * MIB).await;
}

/// Within 64 MiB: far less than the body, which would be held at least once if it were held at all, and far more than
/// the buffers on its way (a socket's, hyper's, one isolate's) ever take.
async fn streams_in_little_memory(bytes: usize) {
    const PIECE: usize = MIB / 16;
    let bundle = Bundle::component(kitchen());
    let bundle = bundle.manifest(json!({ "maxBodySize": bytes, "timeout": 600 }));
    let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await;
    // Everything that is made once is made before it is measured.
    let warm = server.call("POST", "/kitchen/echo").body("warm");
    assert_eq!(warm.send().await.text(), "warm");
    let before = server.memory_peak_bytes();
    let (mut upload, call) = server.call("POST", "/kitchen/echo").upload();
    let piece = Bytes::from(vec![b'p'; PIECE]);
    let sending = tokio::spawn(async move {
        for _ in 0..bytes / PIECE {
            assert!(upload.send(piece.clone()).await);
        }
    });
    let mut answer = call.open().await;
    let mut received = 0;
    while let Some(chunk) = answer.chunk().await {
        assert!(chunk.iter().all(|byte| *byte == b'p'));
        received += chunk.len();
    }
    sending.await.unwrap();
    assert_eq!(received, bytes);
    let grown = server.memory_peak_bytes() - before;
    assert!(
        grown < 64 * MIB as u64,
        "grew by {} MiB",
        grown / MIB as u64
    );
}

#[tokio::test]
async fn an_answer_of_100_mb_streams_to_a_slow_reader_in_little_memory() {
    let server = Server::start(apps()).await;
    assert_eq!(server.get("/kitchen/big?bytes=1").await.body.len(), 1);
    let before = server.memory_peak_bytes();
    let mut answer = server
        .call("GET", &format!("/kitchen/big?bytes={}", 100 * MIB))
        .open()
        .await;
    assert!(answer.chunk().await.is_some());
    // While nobody reads this one, another comes and goes.
    assert_eq!(
        server.get("/kitchen/big?bytes=1000000").await.body.len(),
        1_000_000
    );
    let mut received = 0;
    while let Some(chunk) = answer.chunk().await {
        received += chunk.len();
    }
    assert!(received > 99 * MIB, "{received}");
    let grown = server.memory_peak_bytes() - before;
    assert!(
        grown < 64 * MIB as u64,
        "grew by {} MiB",
        grown / MIB as u64
    );
}

/// Buntime 36. No clock is needed to see that nothing is kept back: the guest sends its next piece only when the client,
/// who has seen the one before, asks for it.
#[tokio::test]
async fn each_of_five_pieces_arrives_before_the_next_is_made() {
    let server = Server::start(apps()).await;
    for version in [Versions::Http1, Versions::Http2] {
        let (mut upload, call) = server.call("POST", "/kitchen/echo").upload();
        let mut answer = call.version(version).open().await;
        for piece in ["one", "two", "three", "four", "five"] {
            assert!(upload.send(piece).await);
            assert_eq!(answer.chunk().await.unwrap(), piece, "{version:?}");
        }
        drop(upload);
        assert!(answer.rest().await.is_empty(), "{version:?}");
    }
}

/// Buntime 36. The guest makes an event of what the client sends, and the client sends only after it has seen the event before:
/// if anything on the way waited for more, this would wait for ever.
#[tokio::test]
async fn events_of_a_guest_arrive_one_by_one_as_they_are_made() {
    let server = Server::start(apps()).await;
    let (mut upload, call) = server.call("POST", "/kitchen/sse").upload();
    let open = tokio::spawn(call.open());
    assert!(upload.send("event 0").await);
    let mut events = Events::of(open.await.unwrap());
    assert_eq!(events.next().await.as_deref(), Some("event 0"));
    for number in 1..50 {
        let sent = format!("event {number}");
        assert!(upload.send(sent.clone()).await);
        assert_eq!(events.next().await, Some(sent));
    }
    drop(upload);
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn the_head_of_an_answer_does_not_wait_for_its_body() {
    let server = Server::start(apps()).await;
    let (mut upload, call) = server.call("POST", "/kitchen/echo").upload();
    // Nothing of the body was sent yet, so nothing of the answer's can be there.
    let mut answer = call.open().await;
    assert_eq!(answer.status, 200);
    assert!(upload.send("now").await);
    assert_eq!(answer.chunk().await.unwrap(), "now");
}

/// A timeout is for a guest that says nothing; one that goes on speaking may go on.
#[tokio::test]
async fn a_stream_outlives_the_timeout_while_it_moves() {
    let bundle = Bundle::component(kitchen()).manifest(json!({ "timeout": "1s" }));
    let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await;
    let (mut upload, call) = server.call("POST", "/kitchen/echo").upload();
    let mut answer = call.open().await;
    let begun = Instant::now();
    while begun.elapsed().as_millis() < 2500 {
        assert!(upload.send("on and on").await);
        assert_eq!(answer.chunk().await.unwrap(), "on and on");
    }
    drop(upload);
    assert!(answer.rest().await.is_empty());
}

/// How many isolates live, as the operator sees it.
async fn until_alive(server: &Server, count: u64) {
    until(&format!("{count} isolates live"), async || {
        let metrics = server.get("/_/metrics").await.json();
        (metrics["activeWorkers"] == count).then_some(())
    })
    .await;
}

/// Buntime 36. A second is what it may take; the bound here is for a machine that does much else, and the guests would
/// go on for ten minutes.
#[tokio::test]
async fn a_client_that_leaves_stops_its_guest_whatever_that_does() {
    let bundle = Bundle::component(kitchen()).manifest(json!({ "timeout": 600 }));
    let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await;
    let (mut upload, call) = server.call("POST", "/kitchen/echo").upload();
    let mut streaming = call.open().await;
    assert!(upload.send("under way").await);
    assert_eq!(streaming.chunk().await.unwrap(), "under way");
    until_alive(&server, 1).await;
    let left = Instant::now();
    drop((streaming, upload));
    until_alive(&server, 0).await;
    assert!(left.elapsed() < PATIENCE / 12, "{:?}", left.elapsed());
    for busy in ["/kitchen/sleep?ms=600000", "/kitchen/loop"] {
        let waiting = tokio::spawn(server.call("GET", busy).try_send());
        until_alive(&server, 1).await;
        let left = Instant::now();
        waiting.abort();
        until_alive(&server, 0).await;
        assert!(
            left.elapsed() < PATIENCE / 12,
            "{busy}: {:?}",
            left.elapsed()
        );
    }
}

/// Buntime 36. With one worker and a client that left, the next request gets that worker only if leaving freed it.
#[tokio::test]
async fn a_client_that_leaves_frees_its_worker() {
    let manifest = json!({ "workers": { "max": 1 }, "timeout": 600, "queue": { "timeout": 30 } });
    let bundle = Bundle::component(kitchen()).manifest(manifest);
    let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await;
    let (upload, call) = server.call("POST", "/kitchen/echo").upload();
    let streaming = call.open().await;
    drop((streaming, upload));
    assert_eq!(
        server.get("/kitchen/hello").await.status,
        200,
        "after a stream"
    );
    let (mut upload, call) = server.call("POST", "/kitchen/length").upload();
    let waiting = tokio::spawn(call.send());
    assert!(upload.send("the guest waits for more").await);
    waiting.abort();
    drop(upload);
    assert_eq!(
        server.get("/kitchen/hello").await.status,
        200,
        "after an upload that broke off"
    );
}
