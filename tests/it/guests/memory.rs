//! What the server lets go of when memory is short.

use std::collections::HashSet;

use rookery_tests::{Apps, Bundle, Options, Server, foreign, kitchen, until};
use serde_json::json;

/// Above what a server has in use that does nothing, and below what the guest fills.
const MEMORY_BYTES_MAX: u64 = 192 << 20;
const FILLED_KIB: u64 = 256 << 10;

/// Whose machine code the server has mapped: each component has a file of its own.
fn mapped(server: &Server) -> usize {
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", server.pid())).unwrap();
    let files = maps
        .lines()
        .filter_map(|line| line.split_whitespace().last());
    let components: HashSet<_> = files.filter(|file| file.ends_with(".cwasm")).collect();
    components.len()
}

#[tokio::test]
async fn a_component_that_nobody_uses_rests_when_memory_is_short_and_wakes_when_it_is_asked_for() {
    let hog = json!({ "ttl": 600, "memory": "512mb", "workers": { "min": 1 } });
    let apps = Apps::new()
        .with("hog/1.0.0", Bundle::component(kitchen()).manifest(hog))
        .with("quiet/1.0.0", Bundle::component(foreign()));
    let options = Options::new().set("ROOKERY_MEMORY_BYTES_MAX", MEMORY_BYTES_MAX);
    let server = Server::start_with(apps, options).await;
    assert_eq!(server.get("/hog/hello").await.status, 200);
    assert_eq!(server.get("/quiet/").await.status, 200);
    assert_eq!(mapped(&server), 2);
    let filled = server
        .get(&format!("/hog/fill?byte=1&kib={FILLED_KIB}"))
        .await;
    assert_eq!(filled.text(), (FILLED_KIB * 1024).to_string());
    // The worker that fills memory is to be kept ready, and keeps its component awake.
    until("the quiet one rests for want of memory", async || {
        let for_want_of_memory = server.log().contains("memory is short: components rest");
        (for_want_of_memory && mapped(&server) == 1).then_some(())
    })
    .await;
    assert_eq!(server.get("/quiet/").await.text(), "Hello, WASI!");
    assert_eq!(server.get("/hog/count").await.status, 200);
}

/// One worker is fewer than the engine gives the memory of back together.
#[tokio::test]
async fn what_an_idle_worker_had_is_given_back_when_memory_is_short() {
    let hog = json!({ "ttl": 600, "memory": "512mb" });
    let hog = Bundle::component(kitchen()).manifest(hog);
    let options = Options::new().set("ROOKERY_MEMORY_BYTES_MAX", MEMORY_BYTES_MAX);
    let server = Server::start_with(Apps::new().with("hog/1.0.0", hog), options).await;
    let filled = server
        .get(&format!("/hog/fill?byte=1&kib={FILLED_KIB}"))
        .await;
    assert_eq!(filled.text(), (FILLED_KIB * 1024).to_string());
    assert!(server.memory_peak_bytes() > FILLED_KIB * 1024);
    until("its memory is given back", async || {
        (server.memory_bytes() < MEMORY_BYTES_MAX).then_some(())
    })
    .await;
    assert_eq!(
        server.get("/hog/count").await.text(),
        "1",
        "it was recycled"
    );
}
