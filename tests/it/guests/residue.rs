//! What an isolate leaves behind: nothing for the next one to see, and nothing for the server to keep.

use rookery_tests::{Apps, Bundle, Options, Server, kitchen, until};
use serde_json::json;

/// Not a byte that memory is full of by itself.
const MARK: u8 = 0xA7;
/// As many marked bytes in a row are no accident.
const ACCIDENT_BYTES_MAX: usize = 32;

async fn fill(server: &Server, app: &str, kib: usize) {
    let answer = server
        .get(&format!("/{app}/fill?byte={MARK}&kib={kib}"))
        .await;
    assert_eq!(answer.text(), (kib * 1024).to_string());
}

/// The longest run of marked bytes that a guest of the app finds in its memory.
async fn longest_mark(server: &Server, app: &str) -> usize {
    let answer = server.get(&format!("/{app}/scan?byte={MARK}")).await;
    answer.text().parse().unwrap()
}

/// The search is worth something: a guest that goes on living finds the mark that it left itself.
#[tokio::test]
async fn an_isolate_that_is_kept_finds_its_own_mark() {
    let kept = Bundle::component(kitchen()).manifest(json!({ "ttl": 600 }));
    let server = Server::start(Apps::new().with("kept/1.0.0", kept)).await;
    assert!(longest_mark(&server, "kept").await <= ACCIDENT_BYTES_MAX);
    fill(&server, "kept", 4096).await;
    assert!(longest_mark(&server, "kept").await > ACCIDENT_BYTES_MAX);
}

/// Buntime 43. There is one place for an isolate, so each of them lives where the one before it was filled. Small fills
/// stay within what the server clears by hand, large ones go beyond what it gives back to the system.
#[tokio::test]
async fn no_isolate_sees_what_lived_in_its_place_before() {
    const ROUNDS: usize = 200;
    let apps = Apps::new()
        .with("marks/1.0.0", Bundle::component(kitchen()))
        .with("looks/1.0.0", Bundle::component(kitchen()));
    let server = Server::start_with(apps, Options::new().set("POOL_SIZE", 1)).await;
    for round in 0..ROUNDS {
        let kib = [16, 128, 1024, 6144][round % 4];
        // The next one is of another app, and then of the same.
        for app in ["looks", "marks"] {
            fill(&server, "marks", kib).await;
            let found = longest_mark(&server, app).await;
            assert!(
                found <= ACCIDENT_BYTES_MAX,
                "{app} found {found} bytes in round {round}"
            );
        }
    }
}

/// The most memory that the server has in use during as many recycles in a row. Freed memory goes back to the system
/// in batches, so a single look may come before or after one.
async fn highest(server: &Server, recycles: usize) -> u64 {
    let mut highest = 0;
    for _ in 0..recycles {
        fill(server, "kitchen", 1024).await;
        highest = highest.max(server.memory_bytes());
    }
    highest
}

/// Buntime 43, 46. Each isolate touches a MiB. What grows at first is not of the isolates: threads, the allocator's
/// arenas and the histograms have their size after some hundred requests.
#[tokio::test]
async fn ten_thousand_isolates_give_back_what_they_used() {
    const AT_FIRST: usize = 1000;
    const LOOKS: usize = 100;
    const RECYCLES: usize = 10_000;
    let apps = Apps::new().with("kitchen/1.0.0", Bundle::component(kitchen()));
    let server = Server::start(apps).await;
    highest(&server, AT_FIRST).await;
    let began = highest(&server, LOOKS).await;
    highest(&server, RECYCLES - LOOKS).await;
    let ended = highest(&server, LOOKS).await;
    assert!(
        ended.abs_diff(began) <= began / 20,
        "from {} KiB to {} KiB",
        began / 1024,
        ended / 1024
    );
    // The last one may still be told of its end.
    let metrics = until("nobody lives any more", async || {
        let metrics = server.get("/_/metrics").await.json();
        (metrics["activeWorkers"] == 0).then_some(metrics)
    })
    .await;
    assert_eq!(metrics["totalWorkersCreated"], AT_FIRST + LOOKS + RECYCLES);
}
