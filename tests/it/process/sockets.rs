//! WebSockets that a process keeps itself.

use rookery_tests::{Closed, Connect, Server, Ws, until};

use super::stage::every_runtime;

async fn hello(server: &Server, app: &str, name: &str) -> Ws {
    let mut ws = Ws::open(server, &format!("/{app}/ws?name={name}")).await;
    assert_eq!(ws.hear().await, format!("hello {name}"));
    ws
}

/// Buntime 42.
#[tokio::test]
async fn text_bytes_and_close_codes_go_both_ways() {
    let server = every_runtime().await;
    for app in ["bun", "deno"] {
        let mut ws = hello(&server, app, &format!("{app}-ada")).await;
        assert_eq!(ws.ask("here").await, "here", "{app}");
        ws.send(vec![0, 159, 146, 150].into()).await;
        assert_eq!(ws.next().await, vec![0, 159, 146, 150].into(), "{app}");
        let large = "l".repeat(100_000);
        assert_eq!(ws.ask(&large).await, large, "{app}");
        ws.say("bye").await;
        let ended = Closed {
            code: 4001,
            reason: "as you wish".to_owned(),
        };
        assert_eq!(ws.ended().await, ended, "{app}");

        let name = format!("{app}-bob");
        let mut ws = hello(&server, app, &name).await;
        ws.close(4002, "enough").await;
        let left = format!("{name} left with 4002 enough");
        until(&left, async || server.log().contains(&left).then_some(())).await;
    }
}

/// Buntime 42.
#[tokio::test]
async fn what_one_client_publishes_another_hears() {
    let server = every_runtime().await;
    let mut ada = hello(&server, "bun", "ada").await;
    let mut bob = hello(&server, "bun", "bob").await;
    ada.say("all: good morning").await;
    assert_eq!(bob.hear().await, "good morning");
    bob.say("all: to you as well").await;
    assert_eq!(ada.hear().await, "to you as well");
}

/// Between the two lies a tunnel that keeps little, so an app soon feels that its client does not read.
#[tokio::test]
async fn an_app_learns_that_its_client_takes_more_again() {
    let server = every_runtime().await;
    let mut ws = hello(&server, "bun", "ada").await;
    ws.say("flood").await;
    let mut pieces = 0;
    loop {
        let heard = ws.hear().await;
        if heard == "drained" {
            break;
        }
        assert!(heard.len() == 65536 && heard.bytes().all(|byte| byte == b'f'));
        pieces += 1;
    }
    assert!(pieces > 0);
}

/// A client whose connection breaks, without a close frame.
#[tokio::test]
async fn an_app_learns_that_a_socket_broke() {
    let server = every_runtime().await;
    for app in ["bun", "deno"] {
        let name = format!("{app}-eve");
        drop(hello(&server, app, &name).await);
        let left = format!("{name} left with ");
        until(&left, async || server.log().contains(&left).then_some(())).await;
    }
}

#[tokio::test]
async fn an_app_may_refuse_a_handshake() {
    let server = every_runtime().await;
    let refused = Connect::to(&server, "/node/ws").refused().await;
    assert_eq!(refused, 426);
    until("the log says why", async || {
        let log = server.log();
        log.contains("nobody calls them under node").then_some(())
    })
    .await;
    let refused = Connect::to(&server, "/bun/elsewhere").refused().await;
    assert_eq!(refused, 404);
}
