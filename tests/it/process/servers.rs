//! Servers that listen by themselves and know nothing of being hosted.

use rookery_tests::{Apps, Bundle, Closed, Options, Server, Ws, installed, until};
use serde_json::{Value, json};

use super::stage::{file, fixture, gone};

async fn relay() -> Server {
    installed("bun");
    let relay = Bundle::of_folder(&fixture("bunrelay"));
    Server::start(Apps::new().with("relay/1.0.0", relay)).await
}

async fn login(server: &Server, name: &str) -> String {
    let call = server.call("POST", "/relay/auth/login");
    let answer = call.body(json!({ "name": name }).to_string()).send().await;
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(
        answer.header("set-cookie"),
        format!("token={token}; HttpOnly; Path=/")
    );
    token
}

async fn enter(server: &Server, name: &str, room: &str) -> Ws {
    let token = login(server, name).await;
    let mut ws = Ws::open(server, "/relay/ws").await;
    ws.say_json(json!({ "type": "auth", "token": token })).await;
    assert_eq!(
        ws.hear_json().await,
        json!({ "type": "welcome", "name": name })
    );
    ws.say_json(json!({ "type": "join", "room": room })).await;
    assert_eq!(
        ws.hear_json().await,
        json!({ "type": "joined", "room": room })
    );
    ws
}

fn said(event: &Value) -> (&str, &str) {
    let message = &event["message"];
    (
        message["by"].as_str().unwrap(),
        message["text"].as_str().unwrap(),
    )
}

#[tokio::test]
async fn a_chat_server_with_sqlite_runs_as_it_is() {
    let server = relay().await;
    // Its pages find their way back below the app.
    let page = server.get("/relay/").await;
    assert_eq!(page.header("content-type"), "text/html;charset=utf-8");
    assert!(page.text().contains("<h1>Relay</h1>"));
    let (mut ada, mut bob) = (
        enter(&server, "ada", "lobby").await,
        enter(&server, "bob", "lobby").await,
    );
    let hi = json!({ "type": "send", "room": "lobby", "id": "1", "text": "hi" });
    for _ in 0..2 {
        ada.say_json(hi.clone()).await;
        assert_eq!(ada.hear_json().await["type"], "sent");
    }
    bob.say_json(json!({ "type": "send", "room": "lobby", "id": "2", "text": "hello" }))
        .await;
    // Bob hears of it once, however often Ada said it.
    assert_eq!(said(&bob.hear_json().await), ("ada", "hi"));
    let sent = bob.hear_json().await;
    assert_eq!(
        (&sent["type"], said(&sent)),
        (&json!("sent"), ("bob", "hello"))
    );
    assert_eq!(said(&ada.hear_json().await), ("bob", "hello"));
    let history = server.get("/relay/rooms/lobby/messages").await;
    assert_eq!(history.status, 401);
    let token = login(&server, "ada").await;
    let history = server
        .call("GET", "/relay/rooms/lobby/messages")
        .header("authorization", &format!("Bearer {token}"))
        .send()
        .await
        .json();
    let texts = history.as_array().unwrap().iter();
    let texts: Vec<_> = texts.map(|message| &message["text"]).collect();
    assert_eq!(texts, ["hi", "hello"]);
}

#[tokio::test]
async fn a_chat_server_closes_whom_it_does_not_know_with_its_own_code() {
    let server = relay().await;
    let mut ws = Ws::open(&server, "/relay/ws").await;
    ws.say_json(json!({ "type": "join", "room": "lobby" }))
        .await;
    let ended = Closed {
        code: 4401,
        reason: "log in first".to_owned(),
    };
    assert_eq!(ws.ended().await, ended);
}

const PIDS: &str = r#"
import { createServer } from "node:http";
import { spawn } from "node:child_process";
const child = spawn("sleep", ["1000"]);
createServer((request, response) => {
  if (request.url === "/exit") process.exit(3);
  const { PORT, HOST, SOCKET, BASE_PATH, SERVER_SECRET } = process.env;
  response.end(JSON.stringify({ pid: process.pid, child: child.pid, url: request.url, PORT, HOST, SOCKET, BASE_PATH, SERVER_SECRET }));
}).listen(LISTEN);
"#;

fn server_of(listen: &str) -> Bundle {
    installed("node");
    let manifest = json!({ "command": "node server.mjs", "ttl": 600, "workers": { "max": 1 } });
    file("server.mjs", &PIDS.replace("LISTEN", listen), manifest)
}

#[tokio::test]
async fn a_server_may_listen_on_the_port_or_on_the_socket() {
    let apps = Apps::new()
        .with(
            "port/1.0.0",
            server_of("Number(process.env.PORT), '127.0.0.1'"),
        )
        .with("socket/1.0.0", server_of("process.env.SOCKET"));
    let options = Options::new().set("SERVER_SECRET", "tell nobody");
    let server = Server::start_with(apps, options).await;
    for app in ["port", "socket"] {
        let answer = server.get(&format!("/{app}/a/path?q=1")).await.json();
        assert_eq!(answer["url"], "/a/path?q=1", "{app}");
        assert_eq!(answer["BASE_PATH"], format!("/{app}"));
        assert_eq!(answer["SERVER_SECRET"], Value::Null, "{app}");
    }
}

/// Buntime 50.
#[tokio::test]
async fn a_server_that_exits_is_started_again_and_leaves_no_child() {
    let apps = Apps::new().with("app/1.0.0", server_of("Number(process.env.PORT)"));
    let server = Server::start(apps).await;
    let pids = |answer: Value| {
        let pid = |name: &str| u32::try_from(answer[name].as_u64().unwrap()).unwrap();
        (pid("pid"), pid("child"))
    };
    let (first, child) = pids(server.get("/app/").await.json());
    assert!(server.get("/app/exit").await.status.is_server_error());
    let (second, _) = pids(server.get("/app/").await.json());
    assert_ne!(first, second);
    gone(child).await;
}

/// Buntime 49.
#[tokio::test]
async fn a_server_that_does_not_start_is_an_error_with_what_it_said() {
    installed("node");
    let dies = "console.error('the disk is full'); process.exit(3)";
    let command = |command: &str| json!({ "command": command, "ttl": 600 });
    let apps = Apps::new()
        .with(
            "dies/1.0.0",
            file("server.mjs", dies, command("node server.mjs")),
        )
        .with(
            "lacks/1.0.0",
            Bundle::empty().manifest(command("no-such-program --port")),
        );
    let server = Server::start(apps).await;
    for (app, reason) in [("dies", "the disk is full"), ("lacks", "no-such-program")] {
        let answer = server.get(&format!("/{app}/")).await;
        // A command that is not there may be refused before it is asked for.
        assert!([404, 502].contains(&answer.status.as_u16()), "{app}");
        until(&format!("the log has {reason:?}"), async || {
            server.log().contains(reason).then_some(())
        })
        .await;
    }
}
