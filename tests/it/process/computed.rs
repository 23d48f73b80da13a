//! What processes computed, as the operator sees it.

use rookery_tests::{Apps, Server, until};
use serde_json::json;

use super::stage::{gone, pid, script_with};

/// Each is gone before anybody looks at it for the second time.
#[tokio::test]
async fn what_processes_computed_that_serve_one_request_is_counted_for_their_version() {
    let fresh = script_with("bun", json!({ "ttl": 0 }));
    let server = Server::start(Apps::new().with("bun/1.0.0", fresh)).await;
    gone(pid(&server, "bun").await).await;
    until("it is counted", async || {
        let stats = server.get("/_/stats").await.json();
        let computed_ms = stats["revisions"][0]["cpuTimeMs"].as_f64()?;
        (computed_ms > 0.0).then_some(())
    })
    .await;
}
