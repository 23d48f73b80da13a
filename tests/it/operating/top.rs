//! `rookery top`, in a terminal and in a pipe.

use std::process::{Command, Output};

use rookery_tests::{Apps, Bundle, Server, kitchen, rookery};
use serde_json::Value;

use crate::chat::stage::Terminal;

async fn server() -> Server {
    let kept = Bundle::component(kitchen()).manifest(serde_json::json!({ "ttl": 600 }));
    let apps = Apps::new()
        .with("kitchen/1.0.0", kept)
        .with("pages/2.0.0", Bundle::site("x"));
    Server::start(apps).await
}

fn url(server: &Server) -> String {
    format!("http://{}", server.address())
}

fn open(server: &Server, more: &[&str]) -> Terminal {
    let url = url(server);
    let mut args = vec!["top", "--server", &url, "--interval", "100ms"];
    args.extend(more);
    Terminal::run(&rookery(), &args)
}

async fn run(server: &Server, args: &[&str]) -> Output {
    let mut command = Command::new(rookery());
    command
        .arg("top")
        .args(args)
        .args(["--server", &url(server), "--interval", "100ms"])
        .env_remove("ROOKERY_ADMIN_TOKEN");
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    ended.await.unwrap()
}

#[tokio::test]
async fn what_happens_is_seen_filtered_and_left_cleanly() {
    let server = server().await;
    let mut top = open(&server, &[]);
    top.sees("2 of 2 revisions").await;
    top.sees("● live").await;
    assert!(top.is_taken());
    assert_eq!(server.get("/kitchen/panic").await.status, 500);
    top.sees("kitchen@1.0.0").await;
    top.sees("a guest that was asked to panic").await;
    top.press("/pag\r");
    top.sees("1 of 2 revisions with “pag”").await;
    top.press("l");
    top.sees("log ").await;
    top.press("/\u{7f}\u{7f}\u{7f}kitchen\r");
    top.sees("1 of 2 revisions with “kitchen”").await;
    assert_eq!(server.get("/kitchen/hello").await.status, 200);
    top.press("w");
    top.sees("workers of kitchen@1.0.0").await;
    top.sees("idle ").await;
    top.press("\t");
    top.sees("nobody has opened a session yet").await;
    top.press("\t");
    top.sees("no proxy rule has been asked").await;
    top.press("\t");
    top.sees("no app has a rollout").await;
    top.press("q");
    assert_eq!(top.ended().await, 0);
    top.is_restored().await;
}

#[tokio::test]
async fn ctrl_c_and_a_signal_leave_the_terminal_as_it_was() {
    let server = server().await;
    let mut top = open(&server, &["--filter", "kitchen"]);
    top.sees("1 of 2 revisions").await;
    top.press("\u{3}");
    assert_eq!(top.ended().await, 0);
    top.is_restored().await;
    let mut top = open(&server, &[]);
    top.sees("2 of 2 revisions").await;
    top.signal("TERM");
    assert_eq!(top.ended().await, 0);
    top.is_restored().await;
}

#[tokio::test]
async fn a_server_that_goes_away_is_said_and_waited_for() {
    let mut server = server().await;
    let mut top = open(&server, &[]);
    top.sees("● live").await;
    server.signal("TERM");
    server.exited().await;
    top.sees("○ ").await;
    top.press("q");
    assert_eq!(top.ended().await, 0);
    top.is_restored().await;
}

#[tokio::test]
async fn what_a_guest_writes_moves_no_cursor() {
    let server = server().await;
    let mut top = open(&server, &[]);
    top.sees("● live").await;
    top.press("l");
    let escape = "/kitchen/log?text=%1b%5b2J%1b%5d0%3bpwned%07";
    assert_eq!(server.get(escape).await.status, 200);
    top.sees("]0;pwned").await;
    assert!(!top.was_sent("\u{1b}]0;pwned"));
    top.sees("2 of 2 revisions").await;
    top.press("q");
    assert_eq!(top.ended().await, 0);
}

#[tokio::test]
async fn in_a_pipe_it_is_a_table_or_json() {
    let server = server().await;
    for _ in 0..5 {
        assert_eq!(server.get("/kitchen/hello").await.status, 200);
    }
    let plain = run(&server, &[]).await;
    let text = String::from_utf8(plain.stdout).unwrap();
    assert!(plain.status.success(), "{text}");
    assert!(
        text.contains("APP") && text.contains("kitchen") && !text.contains('\u{1b}'),
        "{text}"
    );
    let twice = run(&server, &["--plain", "--count", "2", "--sort", "name"]).await;
    let text = String::from_utf8(twice.stdout).unwrap();
    assert_eq!(text.matches("\nAPP").count(), 2, "{text}");
    let json = run(&server, &["--json", "--filter", "kitchen live"]).await;
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let revisions = json["revisions"].as_array().unwrap();
    assert_eq!(revisions.len(), 1);
    assert_eq!(
        (
            &revisions[0]["app"],
            &revisions[0]["share"],
            &revisions[0]["workers"]
        ),
        (&"kitchen".into(), &100.0.into(), &1.into())
    );
    let worker = &revisions[0]["workerList"][0];
    assert_eq!(
        (&worker["state"], &worker["requests"]),
        (&"idle".into(), &5.into())
    );
}

#[tokio::test]
async fn without_a_server_it_says_so_and_leaves_the_terminal_alone() {
    let mut top = Terminal::run(&rookery(), &["top", "--server", "http://127.0.0.1:1"]);
    top.sees("is a server running at http://127.0.0.1:1?").await;
    assert_eq!(top.ended().await, 1);
    top.is_restored().await;
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let script = Command::new(rookery())
            .args(["completions", shell])
            .output()
            .unwrap();
        let script = String::from_utf8(script.stdout).unwrap();
        for word in ["deploy", "remove", "top", "completions"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}
