//! Whether an app lives, asked of the host.

use rookery_tests::{Apps, Bundle, Server, kitchen};
use serde_json::json;

/// Buntime 39.
#[tokio::test]
async fn an_app_with_a_worker_is_well_on_its_health_path() {
    let apps = Apps::new()
        .with("kitchen/1.0.0", Bundle::component(kitchen()))
        .with("site/1.0.0", Bundle::site("a site"))
        .with(
            "moved/1.0.0",
            Bundle::component(kitchen()).manifest(json!({ "health": "/up" })),
        )
        .with(
            "own/1.0.0",
            Bundle::component(kitchen()).manifest(json!({ "health": false })),
        );
    let server = Server::start(apps).await;
    for path in ["/kitchen/health", "/site/health", "/moved/up"] {
        let answer = server.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (200, "OK"),
            "{path}"
        );
    }
    for path in ["/moved/health", "/own/health"] {
        assert_eq!(
            server.get(path).await.status,
            404,
            "{path} is the app's own"
        );
    }
}
