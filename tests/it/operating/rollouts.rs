//! Requests and sessions that are spread over versions: by operators, by files, and back by the server itself.

mod kept;
mod reversed;
mod spared;

use std::fs;
use std::process::{Command, Output};

use rookery_tests::{Answer, Apps, Bundle, Connect, Options, Server, Ws, kitchen, rookery, until};
use serde_json::{Value, json};

/// What only the later version is granted: by it a session tells where it is.
const LATER: &str = "KITCHEN_VERSION";
const FILE: &str = "kitchen.rollout.json";

fn early() -> Bundle {
    Bundle::component(kitchen()).manifest(json!({ "ttl": 60 }))
}

fn later(grants: &[&str]) -> Bundle {
    Bundle::component(kitchen()).manifest(json!({ "ttl": 60, "grants": { "env": grants } }))
}

/// A server whose unpinned path leads to 1.0.0, and that has 1.1.0.
async fn server(grants: &[&str], options: Options) -> Server {
    let apps = Apps::new()
        .with("kitchen/1.0.0", early())
        .with("kitchen/1.1.0", later(grants));
    fs::write(apps.path(FILE), r#"{"weights": {"1.0.0": 100}}"#).unwrap();
    Server::start_with(apps, options.set(LATER, "later")).await
}

async fn post(server: &Server, act: &str, body: &Value) -> Value {
    let path = format!("/_/deployments/kitchen/{act}");
    let answer = server
        .call("POST", &path)
        .body(body.to_string())
        .send()
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["rollout"].clone()
}

async fn spread(server: &Server, early: f64, later: f64, sessions: &str) {
    let weights = json!({ "1.0.0": early, "1.1.0": later });
    let body = json!({ "weights": weights, "sessions": sessions });
    post(server, "promote", &body).await;
    // The front door follows the table a moment later.
    until("the share is followed", async || {
        let answer = server.get("/kitchen/hello").await;
        let is_spread = answer.header("vary").contains("cookie");
        (is_spread == (early > 0.0 && later > 0.0)).then_some(())
    })
    .await;
}

fn version(answer: &Answer) -> String {
    answer.header("x-rookery-version").to_owned()
}

async fn rollout(server: &Server) -> Value {
    server.get("/_/deployments/kitchen/rollout").await.json()["rollout"].clone()
}

/// The next thing that is no news of a move.
async fn hear(ws: &mut Ws) -> Option<String> {
    loop {
        let text = ws.try_hear().await?;
        if !text.starts_with("resumed from ") {
            return Some(text);
        }
    }
}

async fn is_later(ws: &mut Ws) -> bool {
    ws.say(format!("env {LATER}")).await;
    hear(ws).await.expect("it is open") == "later"
}

/// Runs the binary beside the server, which goes on meanwhile.
async fn run(server: &Server, args: &[&str]) -> Output {
    let mut command = Command::new(rookery());
    command
        .args(args)
        .env("ROOKERY_URL", format!("http://{}", server.address()))
        .env_remove("ROOKERY_ADMIN_TOKEN");
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap());
    ran.await.unwrap()
}

fn said(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(both).unwrap()
}

#[tokio::test]
async fn requests_are_spread_by_weight_and_a_client_stays_with_its_version() {
    let server = server(&[LATER], Options::new()).await;
    spread(&server, 80.0, 20.0, "follow").await;
    let mut later = 0;
    for _ in 0..600 {
        later += usize::from(version(&server.get("/kitchen/hello").await) == "1.1.0");
    }
    let metrics = server.get("/_/metrics.prom").await;
    let line = r#"rookery_rollout_weight_percent{app="kitchen",version="1.1.0"} 20"#;
    assert!(metrics.text().lines().any(|one| one == line));
    // Six standard deviations around the fifth.
    assert!((61..=179).contains(&later), "{later} of 600");
    for _ in 0..10 {
        let first = server.get("/kitchen@1/hello").await;
        let cookie = first.header("set-cookie").to_owned();
        let (lot, rest) = cookie.split_once(';').unwrap();
        assert_eq!(rest, " Path=/kitchen@1; HttpOnly; SameSite=Lax");
        for _ in 0..10 {
            let call = server.call("GET", "/kitchen@1/hello").header("cookie", lot);
            let again = call.send().await;
            assert_eq!(version(&again), version(&first));
            assert_eq!(again.header("set-cookie"), "", "it has one");
        }
    }
    // Whoever asks for a version is no part of it, and neither is a range with one version in it.
    for (path, expected) in [("@1.1.0", "1.1.0"), ("@1.0.0", "1.0.0"), ("@~1.0", "1.0.0")] {
        let answer = server.get(&format!("/kitchen{path}/hello")).await;
        assert_eq!(
            (version(&answer).as_str(), answer.header("set-cookie")),
            (expected, "")
        );
    }
}

#[tokio::test]
async fn sessions_move_in_the_same_shares_and_stay_when_they_are_told_to() {
    let server = server(&[LATER], Options::new()).await;
    let mut sessions = Vec::new();
    for lot in 0..200 {
        // Spread over all lots, as chance would.
        let cookie = format!("rookery-lot={:04x}", lot * 327);
        let connect = Connect::to(&server, "/kitchen/ws").header("cookie", &cookie);
        sessions.push(connect.open().await.0);
    }
    let mut on_later = vec![false; sessions.len()];
    for share in [10.0, 40.0] {
        spread(&server, 100.0 - share, share, "follow").await;
        let expected = share / 100.0 * 200.0;
        let mut count = 0;
        for (ws, was) in sessions.iter_mut().zip(&mut on_later) {
            let is = is_later(ws).await;
            assert!(is || !*was, "a session left the version whose share grew");
            *was = is;
            count += usize::from(is);
        }
        let off = (count as f64 - expected).abs();
        assert!(off <= 42.0, "{count} of 200 at {share} %");
        assert!(count > 0);
    }
    let pinned = &mut Ws::open(&server, "/kitchen@1.0.0/ws").await;
    spread(&server, 0.0, 100.0, "keep").await;
    for (ws, was) in sessions.iter_mut().zip(&on_later) {
        assert_eq!(is_later(ws).await, *was, "it is where it was");
    }
    let mut new = Ws::open(&server, "/kitchen/ws").await;
    assert!(is_later(&mut new).await);
    post(&server, "promote", &json!({ "version": "1.1.0" })).await;
    for ws in &mut sessions {
        until("it follows", async || is_later(ws).await.then_some(())).await;
    }
    assert!(!is_later(pinned).await, "it asked for its version");
}

#[tokio::test]
async fn a_file_that_is_edited_by_hand_counts_and_a_broken_one_is_told() {
    let server = server(&[LATER], Options::new()).await;
    let write = |text: &str| {
        // As an editor does it.
        let staged = server.apps().path(".edited");
        fs::write(&staged, text).unwrap();
        fs::rename(staged, server.apps().path(FILE)).unwrap();
    };
    let until_version = async |expected: &str| {
        until(expected, async || {
            let answer = server.get("/kitchen/hello").await;
            (version(&answer) == expected).then_some(())
        })
        .await;
    };
    until_version("1.0.0").await;
    write(r#"{"weights": {"1.1.0": 100}, "tags": {"old": "1.0.0"}}"#);
    until_version("1.1.0").await;
    assert_eq!(version(&server.get("/kitchen@old/hello").await), "1.0.0");
    write(r#"{"weights": {"1.1.0": 100"#);
    let report = until("it is reported", async || {
        let told = server.get("/_/deployments").await.json();
        let mut reports = told["reports"].as_array().unwrap().iter();
        reports.find(|report| report["folder"] == FILE).cloned()
    })
    .await;
    let reason = report["reason"].as_str().unwrap();
    assert!(reason.starts_with("EOF while parsing"), "{reason}");
    assert!(rollout(&server).await["fault"].is_string());
    assert_eq!(version(&server.get("/kitchen/hello").await), "1.1.0");
    // A restart finds what a command wrote.
    post(&server, "promote", &json!({ "version": "1.0.0" })).await;
    let server = server.again(Options::new()).await;
    assert_eq!(version(&server.get("/kitchen/hello").await), "1.0.0");
    assert_eq!(version(&server.get("/kitchen@old/hello").await), "1.0.0");
}

#[tokio::test]
async fn commands_change_a_rollout_and_say_what_to_do_when_they_cannot() {
    let server = server(&[LATER], Options::new()).await;
    let check = async |args: &[&str], code: i32, expected: &str| {
        let output = run(&server, args).await;
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(expected), "{args:?}: {said}");
    };
    check(
        &["canary", "kitchen@1.1.0", "--window", "10m"],
        0,
        "1.1.0       5 %  canary, step 1 of 4",
    )
    .await;
    check(
        &["canary", "kitchen@1.0.0"],
        1,
        "`rookery rollback kitchen` ends it",
    )
    .await;
    check(&["promote", "kitchen"], 0, "1.1.0     100 %").await;
    check(&["rollback", "kitchen"], 0, "1.0.0     100 %").await;
    check(
        &["promote", "kitchen", "1.0.0=75", "1.1.0=25"],
        0,
        "1.1.0      25 %",
    )
    .await;
    check(&["promote", "kitchen", "1.0.0=75"], 1, "add up to 75 %").await;
    check(
        &["promote", "kitchen@3.0.0"],
        1,
        "what does: 1.1.0, 1.0.0\n  `rookery deploy DIR`",
    )
    .await;
    check(
        &["promote", "nobody@1.0.0"],
        1,
        "`rookery list` shows what is deployed",
    )
    .await;
    check(&["promote", "nobody"], 1, "there is no app nobody").await;
    check(
        &["promote", "kitchen@new"],
        64,
        "such as chat or chat@1.2.3",
    )
    .await;
    check(
        &["rollback", "kitchen@1.0.0"],
        64,
        "rookery promote kitchen@1.0.0",
    )
    .await;
    check(
        &["canary", "kitchen@1.1.0", "--steps", "50,5"],
        1,
        "steps: 1 to 32 percentages",
    )
    .await;
    check(
        &["tag", "kitchen@1.1.0", "next"],
        0,
        "/kitchen@next leads to 1.1.0",
    )
    .await;
    let tagged = until("the tag leads", async || {
        let answer = server.get("/kitchen@next/hello").await;
        (answer.status == 200).then_some(answer)
    });
    assert_eq!(version(&tagged.await), "1.1.0");
    check(
        &["tag", "kitchen", "--remove", "next"],
        0,
        "no tag next any more",
    )
    .await;
    check(
        &["tag", "kitchen", "--remove", "next"],
        1,
        "has no tag `next`",
    )
    .await;
    let shown = run(&server, &["promote", "kitchen@1.1.0", "--json"]).await;
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["rollout"]["weights"], json!({ "1.1.0": 100.0 }));
    let log = server.log();
    assert!(
        log.contains("audit") && log.contains("/_/deployments/kitchen/promote"),
        "{log}"
    );
}

/// Taking away what clients are led to is said twice, however they are led there.
#[tokio::test]
async fn what_a_weight_a_tag_or_no_rollout_at_all_leads_to_is_in_use() {
    let in_use = async |server: &Server, version: &str, expected: &str| {
        let removed = run(server, &["remove", &format!("kitchen@{version}")]).await;
        let said = said(&removed);
        assert!(
            !removed.status.success() && said.contains(expected),
            "{said}"
        );
    };
    let first = server(&[LATER], Options::new()).await;
    in_use(&first, "1.0.0", "100 % of /kitchen lead to it").await;
    post(
        &first,
        "tag",
        &json!({ "name": "next", "version": "1.1.0" }),
    )
    .await;
    in_use(&first, "1.1.0", "the tag next leads to it").await;
    // The last file that was good is in force, also for a server that finds a wrong one when it starts.
    fs::write(first.apps().path(FILE), "{").unwrap();
    let again = first.again(Options::new()).await;
    assert!(rollout(&again).await["fault"].is_string());
    assert_eq!(version(&again.get("/kitchen/hello").await), "1.0.0");
    in_use(&again, "1.0.0", "100 % of /kitchen lead to it").await;
    // One that never was good spreads nothing, and the highest version is what everybody gets.
    let apps = Apps::new()
        .with("kitchen/1.0.0", early())
        .with("kitchen/1.1.0", early());
    fs::write(apps.path(FILE), "{").unwrap();
    let never = Server::start(apps).await;
    assert!(rollout(&never).await["fault"].is_string());
    assert_eq!(version(&never.get("/kitchen/hello").await), "1.1.0");
    in_use(&never, "1.1.0", "/kitchen leads to it").await;
}
