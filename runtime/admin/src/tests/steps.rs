//! A deploy's steps, told while it happens.

use serde_json::{Value, json};

use super::deploys::{packed, site};
use super::{Answer, Server};
use crate::Access;

const LINES: &str = "accept: application/x-ndjson";

impl Server {
    async fn put_told(&self, version: &str, accept: &str, archive: Vec<u8>) -> Answer {
        let line = format!("PUT /_/deployments/{version}");
        self.tell(&line, &[accept], archive).await
    }
}

fn lines(answer: &Answer) -> Vec<Value> {
    let lines = answer.body.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn names(steps: &[Value]) -> Vec<&str> {
    let names = steps.iter().map(|step| step["step"].as_str().unwrap());
    names.collect()
}

#[tokio::test]
async fn every_step_is_told_and_the_last_is_the_answer() {
    let server = Server::new(Access::Open);
    let archive = site("one");
    let bytes = archive.len();
    let told = server.put_told("chat/1.0.0", LINES, archive).await;
    assert_eq!(told.status, 200);
    assert_eq!(told.header("content-type"), Some("application/x-ndjson"));
    let steps = lines(&told);
    let expected = [
        "received",
        "unpacked",
        "manifest",
        "entrypoint",
        "compiled",
        "live",
    ];
    assert_eq!(names(&steps), expected);
    assert_eq!(steps[0]["bytes"], bytes);
    assert_eq!(
        (&steps[1]["files"], &steps[1]["bytes"]),
        (&json!(2), &json!(6))
    );
    assert_eq!(steps[3]["kind"], "static");
    assert_eq!(steps[4]["ms"], 1.5);
    let last = &steps[5];
    assert_eq!(
        (&last["label"], &last["state"]),
        (&json!("chat@1.0.0"), &json!("live"))
    );
    let again = server.put_told("chat/1.0.0", LINES, site("one")).await;
    assert_eq!(names(&lines(&again)).last(), Some(&"unchanged"));
}

#[tokio::test]
async fn what_is_refused_says_how_far_it_came_and_every_reason() {
    let server = Server::new(Access::Open);
    for (archive, expected, reason) in [
        (
            b"hello".to_vec(),
            &["received", "refused"][..],
            "neither a .tar.gz nor a .zip",
        ),
        (
            packed(&[
                ("index.html", "x"),
                ("worker.config.json", r#"{"ttll":1,"timeout":"soon"}"#),
            ]),
            &["received", "unpacked", "refused"],
            "timeout",
        ),
        (
            packed(&[("readme.md", "x")]),
            &["received", "unpacked", "manifest", "refused"],
            "no entrypoint",
        ),
    ] {
        let told = server.put_told("chat/1.0.0", LINES, archive).await;
        let steps = lines(&told);
        assert_eq!(names(&steps), expected);
        let last = steps.last().unwrap();
        assert_eq!((told.status.as_u16(), &last["status"]), (200, &json!(422)));
        assert!(last["reasons"].to_string().contains(reason), "{last}");
    }
    *server.stage.refuses.lock() = Some("it imports what nobody has".to_owned());
    let steps = lines(&server.put_told("chat/1.0.0", LINES, site("x")).await);
    let last = steps.last().unwrap();
    assert_eq!(
        (&last["step"], &last["code"]),
        (&json!("refused"), &json!("BUNDLE_REFUSED"))
    );
    assert!(!server.path("chat").exists());
}

#[tokio::test]
async fn what_is_refused_before_it_was_received_is_answered_as_ever() {
    let server = Server::new(super::locked("s3cret"));
    let told = server.put_told("chat/1.0.0", LINES, site("x")).await;
    assert_eq!(told.outcome(), (401, "UNAUTHORIZED".into()));
    let headers = [
        LINES,
        "authorization: Bearer s3cret",
        "origin: https://evil.example",
    ];
    let told = server
        .tell("PUT /_/deployments/chat/1.0.0", &headers, site("x"))
        .await;
    assert_eq!(told.outcome(), (403, "CROSS_ORIGIN".into()));
}

#[tokio::test]
async fn a_page_gets_the_same_as_events() {
    let server = Server::new(Access::Open);
    let accept = "accept: text/event-stream;q=1, */*";
    let told = server.put_told("chat/1.0.0", accept, site("x")).await;
    assert_eq!(told.header("content-type"), Some("text/event-stream"));
    let events: Vec<Value> = told
        .body
        .split_terminator("\n\n")
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect();
    assert_eq!(names(&events).last(), Some(&"live"));
    // Whoever did not ask for steps gets none.
    let plain = server
        .put_told("chat/2.0.0", "accept: */*", site("x"))
        .await;
    assert_eq!(
        (plain.status.as_u16(), plain.json()["state"].clone()),
        (201, json!("live"))
    );
}
