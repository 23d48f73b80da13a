//! The chat's client with lines in and lines out.

use serde_json::Value;

use super::stage::{Plain, Way, pipe, server, url};

fn lines(output: &std::process::Output) -> Vec<String> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn every_piped_line_is_said_and_the_client_ends_when_all_were_acknowledged() {
    let server = server().await;
    for app in ["chat@1.0.0", "chat@1.1.0"] {
        let mut bob = Plain::join(&server, "Bob", app).await;
        let url = url(&server, app);
        let input = b"first\n/second is no command\n\nthird without an end";
        let output = pipe(
            &["--url", &url, "--user", "Ada", "--room", app, "--plain"],
            input,
        )
        .await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        for text in ["first", "/second is no command", "third without an end"] {
            assert_eq!(bob.hear("message.received").await["text"], text, "{app}");
        }
        assert_eq!(bob.hear("room.userLeft").await["username"], "Ada", "{app}");
        assert!(
            lines(&output)
                .iter()
                .any(|line| line.ends_with(" Ada: first")),
            "{output:?}"
        );
    }
}

#[tokio::test]
async fn events_are_lines_of_json_and_control_characters_of_others_are_none() {
    let server = server().await;
    let mut bob = Plain::join(&server, "Bob", "r").await;
    bob.say("r", "\u{1b}[2Jclear\u{9b}31m").await;
    let url = url(&server, "chat");
    let output = pipe(
        &["--url", &url, "--user", "Ada", "--room", "r", "--json"],
        b"hi\n",
    )
    .await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let events: Vec<Value> = lines(&output)
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let joined = events
        .iter()
        .find(|event| event["event"] == "joined")
        .unwrap();
    assert_eq!(joined["users"], serde_json::json!(["Bob", "Ada"]));
    let texts: Vec<&Value> = events
        .iter()
        .filter(|event| event["event"] == "message")
        .map(|event| &event["text"])
        .collect();
    assert_eq!(texts, ["\u{fffd}[2Jclear\u{fffd}31m", "hi"]);
}

#[tokio::test]
async fn who_is_refused_or_not_reached_is_told_by_the_exit_code() {
    let server = server().await;
    let nowhere = format!("ws://{}/no-such-app/ws", server.address());
    let output = pipe(&["--url", &nowhere, "--plain"], b"hi\n").await;
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let elsewhere = format!("ws://{}/chat/elsewhere", server.address());
    let output = pipe(&["--url", &elsewhere, "--plain"], b"hi\n").await;
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let mut way = Way::to(&server).await;
    way.cut().await;
    let output = pipe(&["--url", &way.url("chat"), "--patience", "1"], b"hi\n").await;
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let output = pipe(&["--user", ""], b"").await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let long = Box::leak("x".repeat(2_001).into_boxed_str()).as_bytes();
    let output = pipe(&["--url", &url(&server, "chat"), "--plain"], long).await;
    assert_eq!(output.status.code(), Some(5), "{output:?}");
}
