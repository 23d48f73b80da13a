//! The log of a running server, seen from elsewhere.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use rookery_tests::{Apps, Bundle, Events, Server, kitchen, rookery, until};
use serde_json::Value;

async fn server() -> Server {
    let guest = Bundle::component(kitchen());
    let apps = Apps::new()
        .with("kitchen/1.0.0", guest.clone())
        .with("other/1.0.0", guest);
    Server::start(apps).await
}

fn command(server: &Server, args: &[&str]) -> Command {
    let mut command = Command::new(rookery());
    command
        .arg("logs")
        .args(args)
        .args(["--server", &format!("http://{}", server.address())])
        .env_remove("ROOKERY_ADMIN_TOKEN");
    command
}

async fn run(server: &Server, args: &[&str]) -> Output {
    let mut command = command(server, args);
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    ended.await.unwrap()
}

async fn lines(server: &Server, query: &str) -> Vec<Value> {
    let answer = server.get(&format!("/_/logs?{query}")).await.json();
    answer["lines"].as_array().unwrap().clone()
}

/// A follower whose lines are read as they come.
struct Follower {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Follower {
    fn open(server: &Server, args: &[&str]) -> Follower {
        let mut child = command(server, args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Follower { child, lines }
    }

    async fn hears(&self, text: &str) -> String {
        until(&format!("a line has {text}"), async || {
            self.lines.try_iter().find(|line| line.contains(text))
        })
        .await
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_last_lines_are_told_by_app_and_by_level() {
    let server = server().await;
    assert_eq!(server.get("/kitchen/panic").await.status, 500);
    let ours = until("the guest's last words are there", async || {
        let lines = lines(&server, "app=kitchen&level=warn").await;
        let has = |text: &str| {
            lines
                .iter()
                .any(|line| line["message"].as_str().unwrap().contains(text))
        };
        (has("a guest that was asked to panic") && has("a request failed")).then_some(lines)
    })
    .await;
    assert!(
        ours.iter()
            .all(|line| line["app"] == "kitchen" && line["version"] == "1.0.0")
    );
    assert!(lines(&server, "app=other&level=warn").await.is_empty());
    let found = lines(&server, "text=BUNDLES%20THAT%20WERE").await;
    assert_eq!(
        found.len(),
        1,
        "the server's own lines are there, too: {found:?}"
    );
    assert_eq!(lines(&server, "lines=1").await.len(), 1);
    assert_eq!(server.get("/_/logs?level=loud").await.status, 400);
}

#[tokio::test]
async fn who_follows_hears_what_comes() {
    let server = server().await;
    let mut events = Events::of(
        server
            .call("GET", "/_/logs?follow&text=asked%20to")
            .open()
            .await,
    );
    assert_eq!(server.get("/kitchen/panic").await.status, 500);
    let line: Value = serde_json::from_str(&events.next().await.unwrap()).unwrap();
    assert_eq!(line["app"], "kitchen");
}

#[tokio::test]
async fn the_command_prints_the_last_lines_for_people_and_for_programs() {
    let server = server().await;
    assert_eq!(server.get("/kitchen/panic").await.status, 500);
    until("the line is there", async || {
        (!lines(&server, "text=asked%20to").await.is_empty()).then_some(())
    })
    .await;
    let plain = run(&server, &["--app", "kitchen", "--grep", "asked to"]).await;
    let text = String::from_utf8(plain.stdout).unwrap();
    assert!(plain.status.success());
    assert!(
        text.contains(" warn  kitchen@1.0.0 ") && !text.contains('\u{1b}'),
        "{text}"
    );
    let json = run(&server, &["--json", "--level", "warn", "-n", "1"]).await;
    let line: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(line["number"].is_u64(), "{line}");
    let wrong = run(&server, &["--level", "loud"]).await;
    let reason = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        !wrong.status.success() && reason.contains("trace, debug, info"),
        "{reason}"
    );
}

#[tokio::test]
async fn the_command_follows_until_it_is_ended() {
    let server = server().await;
    let follower = Follower::open(&server, &["-f", "--app", "kitchen"]);
    follower.hears("live").await;
    assert_eq!(server.get("/kitchen/panic").await.status, 500);
    follower.hears("a guest that was asked to panic").await;
    assert_eq!(server.get("/other/panic").await.status, 500);
    assert_eq!(server.get("/kitchen/fail").await.status, 500);
    let line = follower.hears("asked to").await;
    assert!(
        line.contains("asked to fail"),
        "not what another app said: {line}"
    );
}
