//! The command line, as a person meets it first.

use std::path::Path;
use std::process::{Command, Output};

use rookery_tests::{Apps, Bundle, Options, Server, rookery, until};
use serde_json::{Value, json};

const USAGE: i32 = 64;

/// Runs the binary in a folder.
fn run(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(rookery());
    command
        .args(args)
        .current_dir(dir)
        .env_remove("ROOKERY_ADMIN_TOKEN");
    command.output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn every_error_of_the_settings_is_named_before_a_port_is_bound() {
    let apps = Apps::new();
    let output = run(
        apps.outside(),
        &[
            "serve",
            "--port",
            "many",
            "--host",
            "nowhere",
            "--version-fallback",
            "maybe",
        ],
    );
    assert_eq!(output.status.code(), Some(USAGE));
    let said = String::from_utf8(output.stderr).unwrap();
    for wrong in ["many", "nowhere", "maybe"] {
        assert!(said.contains(wrong), "{said}");
    }
}

#[test]
fn an_open_door_without_a_token_is_refused() {
    let apps = Apps::new();
    let output = run(
        apps.outside(),
        &["serve", "--port", "0", "--host", "0.0.0.0"],
    );
    assert_eq!(output.status.code(), Some(USAGE));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("ROOKERY_ADMIN_TOKEN")
    );
}

#[test]
fn check_says_what_a_server_would_refuse() {
    let bad = Bundle::site("x").manifest(json!({ "ttll": 1 }));
    let apps = Apps::new()
        .with("app/1.0.0", Bundle::site("x"))
        .with("app/2.0.0", bad);
    let output = run(apps.outside(), &["check", "--json", "apps"]);
    assert!(!output.status.success());
    let verdicts = json(&output);
    assert_eq!(
        (&verdicts[0]["bundle"], &verdicts[0]["accepted"]),
        (&"app@1.0.0".into(), &true.into())
    );
    assert_eq!(verdicts[1]["accepted"], false);
    assert!(verdicts[1]["errors"][0].as_str().unwrap().contains("ttll"));
}

const REBUILT: &str = r#"//! An app after its first change.

use rookery_sdk::{App, Request};

fn app() -> App {
    App::new().get("/news", |_: &mut Request| "changed")
}

rookery_sdk::export!(app);
"#;

/// The first ten minutes of an author: make an app, see it, change it, see the change.
#[tokio::test]
async fn a_new_app_is_served_by_up_as_it_is_and_again_when_it_changes() {
    let apps = Apps::new();
    let made = run(apps.outside(), &["new", "greeter"]);
    assert!(made.status.success(), "{made:?}");
    let server = Server::start_with(apps, Options::up()).await;
    let answer = server.get("/greeter/").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-rookery-version"), "0.1.0");
    let source = server.apps().path("greeter/0.1.0/src/lib.rs");
    std::fs::write(source, REBUILT).unwrap();
    until("the change is served", async || {
        (server.get("/greeter/news").await.text() == "changed").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_in_words() {
    let server = Server::start_with(Apps::new(), Options::new()).await;
    let port = server.address().port().to_string();
    let output = run(server.apps().outside(), &["serve", "--port", &port]);
    assert!(!output.status.success());
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("cannot listen")
    );
}
