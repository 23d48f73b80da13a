//! What an isolate leaves behind: nothing for the next one to see, and nothing for the server to keep.

use rookery_tests::{Apps, Bundle, Options, Server, kitchen};
use serde_json::json;

/// Not a byte that memory is full of by itself.
const MARK: u8 = 0xA7;
/// As many marked bytes in a row are no accident.
const ACCIDENT_BYTES_MAX: usize = 32;
const MIB: u64 = 1024 * 1024;

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

/// Buntime 43, 46. Each isolate touches a MiB, so two thousand that left something behind would be seen.
#[tokio::test]
async fn what_isolates_used_is_given_back() {
    const BEFORE: usize = 200;
    const AFTER: usize = 2000;
    const SLACK: u64 = 8 * MIB;
    let apps = Apps::new().with("kitchen/1.0.0", Bundle::component(kitchen()));
    let server = Server::start(apps).await;
    for _ in 0..BEFORE {
        fill(&server, "kitchen", 1024).await;
    }
    let before = server.memory_bytes();
    for _ in BEFORE..AFTER {
        fill(&server, "kitchen", 1024).await;
    }
    let after = server.memory_bytes();
    assert!(
        after <= before + before / 20 + SLACK,
        "from {} MiB to {} MiB",
        before / MIB,
        after / MIB
    );
    let metrics = server.get("/_/metrics").await.json();
    assert_eq!(metrics["totalWorkersCreated"], AFTER);
    assert_eq!(metrics["activeWorkers"], 0);
}
