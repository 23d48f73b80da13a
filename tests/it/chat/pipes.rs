//! The chat's client with lines in and lines out.

use serde_json::Value;

use super::client::{Speaker, client, finish, pipe};
use super::stage::{Plain, server, url};
use super::way::{Secret, Way};

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

#[tokio::test]
async fn a_chat_in_tls_is_reached_where_the_system_vouches_for_it_and_not_else() {
    let server = server().await;
    let secret = Secret::to(&server).await;
    let url = secret.url();
    let arguments = ["--url", &url, "--user", "Ada", "--room", "r", "--plain"];
    let mut bob = Plain::join(&server, "Bob", "r").await;
    let mut believing = client(&arguments);
    believing.env("SSL_CERT_FILE", &*secret.certificate);
    let output = finish(believing, b"in-secret\n").await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(bob.hear_text("in-secret").await, "Ada");
    // Another that vouches for nobody's chat.
    let other = Secret::to(&server).await;
    let mut doubting = client(&arguments);
    doubting.env("SSL_CERT_FILE", &*other.certificate);
    let output = finish(doubting, b"in-secret\n").await;
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(
        lines(&output)
            .iter()
            .any(|line| line.contains("certificate")),
        "{output:?}"
    );
}

#[tokio::test]
async fn a_pipe_stays_as_long_as_its_input_and_says_what_it_could_not_send() {
    let server = server().await;
    let mut way = Way::to(&server).await;
    let mut bob = Plain::join(&server, "Bob", "r").await;
    let mut ada = Speaker::join(&way.url("chat"), "Ada", "r").await;
    ada.say("one");
    bob.hear_text("one").await;
    bob.say("r", "two").await;
    assert_eq!(ada.texts_to("two").await, ["one", "two"]);
    assert_eq!(ada.finished().await.code(), Some(0));
    let mut ada = Speaker::join(&way.url("chat"), "Ada", "r").await;
    way.cut().await;
    assert_eq!(bob.hear("room.userLeft").await["username"], "Ada");
    ada.say("never-said");
    ada.event("problem").await;
    assert_eq!(ada.interrupted().await.code(), Some(5));
}

#[tokio::test]
async fn an_output_that_nobody_reads_ends_it() {
    let server = server().await;
    let url = url(&server, "chat");
    let mut child = client(&["--url", &url, "--room", "r", "--json"])
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    let output = rookery_tests::within("the client ends", ended)
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(!output.stderr.is_empty());
}

#[tokio::test]
async fn help_tells_the_options_and_the_exit_codes() {
    let output = pipe(&["--help"], b"").await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = lines(&output).join("\n");
    for part in [
        "--url",
        "--user",
        "--room",
        "--json",
        "--plain",
        "CHAT_URL",
        "Examples:",
        "Exit codes:",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
