//! `rookery migrate`: a bundle's migrations by command, without a server and beside one.

use std::path::Path;
use std::process::{Command, Output};

use rookery_tests::{Apps, Bundle, Options, Server, rookery};
use serde_json::{Value, json};

use super::notes::notes;

const USAGE: i32 = 64;
const UP: &str = "migrations/0002_add_marks.up.sql";
const DOWN: &str = "migrations/0002_add_marks.down.sql";

/// The example and a second migration.
fn with_marks() -> Bundle {
    notes()
        .manifest(json!({}))
        .file(UP, "CREATE TABLE marks (note BIGINT NOT NULL);")
        .file(DOWN, "DROP TABLE marks;")
}

/// Runs the command for the bundle in this place.
fn migrate(apps: &Apps, data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(rookery());
    command.arg("migrate").args(arguments);
    command.arg("--json").arg("--data-dir").arg(data);
    command
        .arg(apps.path("notes/1.0.0"))
        .current_dir(apps.outside());
    command.env_remove("ROOKERY_DATA_DIR").output().unwrap()
}

fn told(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn error(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn states(output: &Output) -> Vec<String> {
    let told = told(output);
    let all = told["migrations"].as_array().unwrap().iter();
    all.map(|one| one["state"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn migrations_are_run_and_taken_back_by_command() {
    let apps = Apps::new().with("notes/1.0.0", with_marks());
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let run = |arguments: &[&str]| migrate(&apps, &data, arguments);
    assert_eq!(states(&run(&["status"])), ["pending", "pending"]);
    let nothing = json!({"bundle": "notes@1.0.0", "namespace": "notes@1", "takenBack": []});
    assert_eq!(told(&run(&["down"])), nothing);
    assert!(!data.exists(), "who only looks makes nothing");
    let both = json!(["0001_create_notes", "0002_add_marks"]);
    assert_eq!(told(&run(&["up"]))["ran"], both);
    assert_eq!(told(&run(&["up"]))["ran"], json!([]));
    assert_eq!(states(&run(&["status"])), ["ran", "ran"]);
    let last = told(&run(&["down", "--steps", "1"]))["takenBack"].clone();
    assert_eq!(last, json!(["0002_add_marks"]));
    assert_eq!(states(&run(&["status"])), ["ran", "pending"]);
    let rest = told(&run(&["down", "--steps", "9"]))["takenBack"].clone();
    assert_eq!(rest, json!(["0001_create_notes"]));
    assert_eq!(told(&run(&["up"]))["ran"], both);
}

#[test]
fn what_was_changed_after_it_was_run_is_refused_either_way() {
    let apps = Apps::new().with("notes/1.0.0", with_marks());
    let data = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| migrate(&apps, data.path(), arguments);
    told(&run(&["up"]));
    let changed = with_marks().file(UP, "CREATE TABLE marks (note TEXT);");
    apps.publish("notes/1.0.0", &changed);
    assert_eq!(states(&run(&["status"])), ["ran", "changed"]);
    for way in ["up", "down"] {
        let said = error(&run(&[way]));
        assert!(said.contains("0002_add_marks was changed"), "{way}: {said}");
    }
}

#[test]
fn a_script_that_fails_leaves_nothing_and_says_why() {
    let broken = "CREATE TABLE marks (note BIGINT); INSERT INTO nowhere VALUES (1);";
    let apps = Apps::new().with("notes/1.0.0", with_marks().file(UP, broken));
    let data = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| migrate(&apps, data.path(), arguments);
    let said = error(&run(&["up"]));
    assert!(
        said.contains("0002_add_marks failed: no such table"),
        "{said}"
    );
    assert_eq!(states(&run(&["status"])), ["ran", "pending"]);
    apps.publish("notes/1.0.0", &with_marks());
    assert_eq!(told(&run(&["up"]))["ran"], json!(["0002_add_marks"]));
    // Without a script there is no way back, and nothing is done of it.
    let one_way = with_marks().file(DOWN, "");
    apps.publish("notes/1.0.0", &one_way);
    std::fs::remove_file(apps.path("notes/1.0.0").join(DOWN)).unwrap();
    let said = error(&run(&["down", "--steps", "2"]));
    assert!(said.contains("0002_add_marks has no down script"), "{said}");
    assert_eq!(states(&run(&["status"])), ["ran", "ran"]);
}

#[test]
fn the_arguments_are_judged_before_anything_is_opened() {
    let apps = Apps::new().with("notes/1.0.0", with_marks());
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let hostile = migrate(&apps, &data, &["up", "--table", "a; DROP TABLE notes"]);
    assert_eq!(hostile.status.code(), Some(USAGE), "{hostile:?}");
    let none = migrate(&apps, &data, &["down", "--steps", "0"]);
    assert_eq!(none.status.code(), Some(USAGE), "{none:?}");
    assert!(!data.exists());
    let other = migrate(&apps, &data, &["up", "--table", "other_history"]);
    assert!(other.status.success(), "{other:?}");
    assert_eq!(
        states(&migrate(&apps, &data, &["status"])),
        ["pending", "pending"]
    );
    let in_memory = with_marks().manifest(json!({"database": {"url": "sqlite::memory:"}}));
    apps.publish("notes/1.0.0", &in_memory);
    let said = error(&migrate(&apps, &data, &["up"]));
    assert!(said.contains("is in memory"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_goes_on_beside_the_command_and_both_agree_on_what_was_run() {
    let data = tempfile::tempdir().unwrap();
    let options = Options::new().set("ROOKERY_DATA_DIR", data.path().display());
    let apps = Apps::new().with("notes/1.0.0", notes().manifest(json!({})));
    let server = Server::start_with(apps, options).await;
    let post = async || {
        let call = server.call("POST", "/notes/notes/a");
        call.body(r#"{"text":"hi"}"#).send().await.status
    };
    assert_eq!(post().await, 201);
    let next = Apps::new().with("notes/1.0.0", with_marks());
    let folder = data.path().to_owned();
    let (ran, status) = tokio::join!(
        tokio::task::spawn_blocking(move || {
            let first = migrate(&next, &folder, &["status"]);
            let states_before = states(&first);
            let ran = told(&migrate(&next, &folder, &["up"]))["ran"].clone();
            (states_before, ran)
        }),
        async {
            let mut all = Vec::new();
            for _ in 0..20 {
                all.push(post().await);
            }
            all
        }
    );
    let (before, ran) = ran.unwrap();
    assert_eq!(before, ["ran", "pending"], "the server ran the first");
    assert_eq!(ran, json!(["0002_add_marks"]));
    assert!(status.iter().all(|status| *status == 201), "{status:?}");
    // The server takes the version as it is: all that it wants was run.
    server.apps().publish("notes/1.1.0", &with_marks());
    rookery_tests::until("the next version", async || {
        let answer = server.get("/notes/notes/a").await;
        (answer.header("x-rookery-version") == "1.1.0").then_some(())
    })
    .await;
}
