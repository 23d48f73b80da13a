//! A component that this project did not build.

use rookery_tests::{Apps, Bundle, Connect, Server, foreign};

#[tokio::test]
async fn a_component_of_another_making_runs_unchanged() {
    let server =
        Server::start(Apps::new().with("foreign/1.0.0", Bundle::component(foreign()))).await;
    for path in ["/foreign/", "/foreign@1/any/path?any=query"] {
        let answer = server.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (200, "Hello, WASI!"),
            "{path}"
        );
        assert_eq!(answer.header("x-rookery-version"), "1.0.0");
    }
    let post = server
        .call("POST", "/foreign/")
        .body("not looked at")
        .send()
        .await;
    assert_eq!(post.text(), "Hello, WASI!");
}

/// It exports no sessions, so there is nobody to hold them.
#[tokio::test]
async fn a_component_without_sessions_is_offered_none() {
    let server =
        Server::start(Apps::new().with("foreign/1.0.0", Bundle::component(foreign()))).await;
    Connect::to(&server, "/foreign/ws").refused().await;
}
