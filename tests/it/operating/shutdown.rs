//! The end: what is under way is finished, and nothing new begins.

use rookery_tests::{Apps, Bundle, Options, Server, Ws, kitchen, until};

async fn server() -> Server {
    Server::start(Apps::new().with("kitchen/1.0.0", Bundle::component(kitchen()))).await
}

/// Waits until the server says that it takes no more: by its readiness, or by taking no more connections.
async fn until_not_ready(server: &Server) {
    until("the server is not ready any more", async || {
        let ready = server.call("GET", "/ready").try_send().await;
        (!ready.is_ok_and(|answer| answer.status == 200)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_answer_under_way_is_finished_and_then_the_server_ends_well() {
    for signal in ["TERM", "INT"] {
        let mut server = server().await;
        let (mut upload, call) = server.call("POST", "/kitchen/echo").upload();
        assert!(upload.send("before, ").await);
        let mut answer = call.open().await;
        assert_eq!(answer.chunk().await.unwrap(), "before, ");
        server.signal(signal);
        until_not_ready(&server).await;
        assert!(upload.send("and after").await);
        drop(upload);
        assert_eq!(answer.rest().await, b"and after");
        assert!(server.exited().await.success(), "{signal}");
    }
}

/// Buntime 69. For half a second after the signal the port is open and says so.
#[tokio::test]
async fn readiness_is_taken_back_before_the_port_is() {
    let server = server().await;
    server.signal("TERM");
    let last = until("the server is not ready any more", async || {
        let ready = server.call("GET", "/ready").try_send().await;
        match ready {
            Ok(answer) if answer.status == 200 => None,
            other => Some(other.map(|answer| answer.status.as_u16())),
        }
    })
    .await;
    assert_eq!(last.unwrap(), 503);
}

#[tokio::test]
async fn sessions_are_told_that_the_server_goes() {
    let mut server = server().await;
    let mut ws = Ws::open(&server, "/kitchen/ws").await;
    assert_eq!(ws.ask("echo here").await, "here");
    server.signal("TERM");
    assert_eq!(ws.closed().await, 1001);
    assert!(server.exited().await.success());
}

#[tokio::test]
async fn a_stream_of_statistics_holds_nobody_up() {
    let mut server = server().await;
    let mut viewer = server.call("GET", "/_/sse").open().await;
    assert!(viewer.chunk().await.is_some());
    server.signal("TERM");
    while viewer.chunk().await.is_some() {}
    assert!(server.exited().await.success());
}

/// The answer never comes, so only the grace, or a second signal, ends the wait for it.
#[tokio::test]
async fn what_is_not_done_within_the_grace_is_cut_off() {
    let apps = Apps::new().with("kitchen/1.0.0", Bundle::component(kitchen()));
    let mut server =
        Server::start_with(apps, Options::new().set("ROOKERY_DRAIN_GRACE_SECS", 1)).await;
    let (_upload, call) = server.call("POST", "/kitchen/echo").upload();
    let _answer = call.open().await;
    server.signal("TERM");
    assert!(server.exited().await.success());
}

#[tokio::test]
async fn a_second_signal_quits_at_once() {
    let mut server = server().await;
    let (_upload, call) = server.call("POST", "/kitchen/echo").upload();
    let _answer = call.open().await;
    server.signal("TERM");
    until_not_ready(&server).await;
    server.signal("TERM");
    assert!(
        !server.exited().await.success(),
        "it was cut short, and says so"
    );
}

/// A log line that cannot be written is lost, and nothing else is.
#[tokio::test]
async fn a_server_whose_log_nobody_reads_still_serves_and_still_ends() {
    let apps = Apps::new().with("kitchen/1.0.0", Bundle::component(kitchen()));
    let mut server = Server::start_with(apps, Options::unheard()).await;
    assert_eq!(server.get("/kitchen/panic").await.status, 500);
    assert_eq!(server.get("/kitchen/hello").await.status, 200);
    server.signal("TERM");
    assert!(server.exited().await.success());
}
