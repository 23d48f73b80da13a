//! What the server does between a client and a process that speaks HTTP and WebSocket itself.

use rookery_tests::{Apps, Options, Raw, Server, Ws, until};

use super::stage::script;

async fn bun(options: Options) -> Server {
    Server::start_with(Apps::new().with("bun/1.0.0", script("bun")), options).await
}

#[tokio::test]
async fn a_server_that_goes_closes_the_sockets_of_its_processes_with_1001() {
    let mut server = bun(Options::new()).await;
    let mut ws = Ws::open(&server, "/bun/ws?name=ada").await;
    assert_eq!(ws.hear().await, "hello ada");
    server.signal("TERM");
    assert_eq!(ws.ended().await.code, 1001);
    assert!(server.exited().await.success());
}

#[tokio::test]
async fn a_version_that_goes_closes_its_sockets_with_1012_when_its_grace_is_over() {
    let server = bun(Options::new().set("ROOKERY_DRAIN_GRACE_SECS", 2)).await;
    let mut ws = Ws::open(&server, "/bun/ws?name=ada").await;
    assert_eq!(ws.hear().await, "hello ada");
    server.apps().remove("bun/1.0.0");
    until("the version is gone", async || {
        (server.get("/bun/pid").await.status == 404).then_some(())
    })
    .await;
    assert_eq!(ws.ask("still here").await, "still here", "within the grace");
    assert_eq!(ws.ended().await.code, 1012);
}

#[tokio::test]
async fn a_client_cannot_name_away_what_its_server_is_told_of_it() {
    let server = bun(Options::new()).await;
    let answer = Raw::exchange(
        server.address(),
        "GET /bun/headers HTTP/1.1\r\nHost: h\r\nX-Mine: 1\r\n\
         Connection: close, x-mine, x-forwarded-for, x-request-id\r\n\r\n",
    )
    .await;
    assert!(
        answer.contains(r#"["x-forwarded-for","127.0.0.1"]"#),
        "{answer}"
    );
    assert!(answer.contains(r#"["x-request-id","#), "{answer}");
    assert!(!answer.contains("x-mine"), "{answer}");
}
