//! Preparations that fail, hang, panic or are many.

#![allow(clippy::unwrap_used)]

mod stage;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rookery_supervisor::{Change, Event, RETRY_PAUSE_FIRST, Watching};
use stage::{PATIENCE, Stage, publish, reason, states};
use tokio::time::{Instant, timeout};

#[tokio::test(start_paused = true)]
async fn a_failure_that_passes_is_tried_again_by_itself() {
    let before = Instant::now();
    let stage = Stage::new(&[("chat/1.0.0", "twice")]);
    stage.settled().await;
    let deployments = stage.supervisor.deployments();
    assert_eq!(
        states(&deployments),
        ["chat@1.0.0 refused"],
        "refused is settled, too"
    );
    assert_eq!(reason(&deployments), "the database is away");
    let deployments = stage.until_states(&["chat@1.0.0 live"]).await;
    assert_eq!(deployments.failures.preparations, 2);
    assert!(before.elapsed() >= RETRY_PAUSE_FIRST);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_stays_is_tried_ever_more_rarely() {
    let stage = Stage::new(&[("chat/1.0.0", "bad")]);
    stage.settled().await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let tries = stage.script.begun.load(Ordering::SeqCst);
    assert!((12..40).contains(&tries), "{tries} tries in an hour");
}

#[tokio::test(start_paused = true)]
async fn a_refused_build_is_tried_at_once_when_its_files_are_touched() {
    let stage = Stage::new(&[("chat/1.0.0", "twice")]);
    stage.settled().await;
    let before = Instant::now();
    for _ in 0..2 {
        // The same bytes again: it was not the fault of the files.
        stage.publish("chat/1.0.0", "twice");
        let begun = stage.script.begun.load(Ordering::SeqCst);
        let is_tried = || stage.script.begun.load(Ordering::SeqCst) > begun;
        stage.until(|_| is_tried()).await;
    }
    stage.until_states(&["chat@1.0.0 live"]).await;
    assert!(
        before.elapsed() < Duration::from_secs(2),
        "{:?}",
        before.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_refusal() {
    let stage = Stage::new(&[("bad/1.0.0", "panic"), ("chat/1.0.0", "one")]);
    stage.settled().await;
    let deployments = stage.supervisor.deployments();
    assert_eq!(
        states(&deployments),
        ["bad@1.0.0 refused", "chat@1.0.0 live"]
    );
    assert_eq!(reason(&deployments), "the preparation panicked");
}

#[tokio::test(start_paused = true)]
async fn a_preparation_that_hangs_is_refused_at_its_deadline() {
    let before = Instant::now();
    let stage = Stage::with(&[("bad/1.0.0", "hang"), ("chat/1.0.0", "one")], |config| {
        config.watching = Watching::Looks;
        config.prepare_deadline = Duration::from_secs(20);
    });
    stage.settled().await;
    let deployments = stage.supervisor.deployments();
    assert_eq!(
        states(&deployments),
        ["bad@1.0.0 refused", "chat@1.0.0 live"]
    );
    assert_eq!(reason(&deployments), "was not ready within 20s");
    assert!(before.elapsed() >= Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_withdrawn_gives_its_turn_to_the_next() {
    let stage = Stage::with(&[("a/1.0.0", "hang"), ("b/1.0.0", "one")], |config| {
        config.watching = Watching::Looks;
        config.preparing_max = 1;
    });
    stage
        .until_states(&["a@1.0.0 warming", "b@1.0.0 staged"])
        .await;
    std::fs::remove_dir_all(stage.path("a")).unwrap();
    stage.until_states(&["b@1.0.0 live"]).await;
    assert_eq!(stage.script.at_once.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn no_more_are_prepared_at_once_than_may_be() {
    let names: Vec<String> = (0..10).map(|app| format!("app{app}/1.0.0")).collect();
    let components: Vec<_> = names.iter().map(|name| (name.as_str(), "gated")).collect();
    let stage = Stage::with(&components, |config| {
        config.watching = Watching::Looks;
        config.preparing_max = 3;
    });
    let count = |deployments: &_, state: &str| {
        let states = states(deployments);
        states.iter().filter(|one| one.ends_with(state)).count()
    };
    for live in 0..8 {
        stage
            .until(|now| count(now, "warming") == 3 && count(now, "live") == live)
            .await;
        stage.script.gate.add_permits(1);
    }
    stage.script.gate.add_permits(2);
    stage.settled().await;
    assert_eq!(stage.script.at_once_max.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn events_tell_the_way_of_a_revision() {
    let stage = Stage::new(&[]);
    stage.settled().await;
    let mut events = stage.supervisor.events();
    stage.publish("chat/1.0.0", "one");
    stage.until_states(&["chat@1.0.0 live"]).await;
    std::fs::remove_dir_all(stage.path("chat")).unwrap();
    let mut way = Vec::new();
    while way.last() != Some(&"retired") {
        let event = timeout(PATIENCE, events.recv()).await.unwrap().unwrap();
        let Event::Revision { label, change, .. } = event else {
            continue;
        };
        assert_eq!(&*label, "chat@1.0.0");
        way.push(match change {
            Change::Staged => "staged",
            Change::Warming => "warming",
            Change::Live { .. } => "live",
            Change::Refused { .. } => "refused",
            Change::Draining => "draining",
            Change::Retired => "retired",
        });
    }
    assert_eq!(way, ["staged", "warming", "live", "draining", "retired"]);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_the_tasks_and_leaves_the_table() {
    let stage = Stage::new(&[("chat/1.0.0", "one"), ("slow/1.0.0", "hang")]);
    stage.until(|_| stage.serving("chat", "*").is_some()).await;
    stage.shutdown.request();
    assert!(stage.tasks.drain(PATIENCE).await.is_empty());
    assert!(stage.serving("chat", "*").is_some());
    let pool = stage.serving("chat", "*").unwrap().pool.clone().unwrap();
    assert!(pool.acquire().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn deployments_are_shown_in_camel_case() {
    let stage = Stage::new(&[("chat/1.0.0", "one"), ("news/1.0.0", "bad")]);
    stage.settled().await;
    let shown = serde_json::to_value(stage.supervisor.deployments()).unwrap();
    let chat = &shown["apps"][0];
    assert_eq!(chat["name"], "chat");
    assert_eq!(chat["unpinned"], "1.0.0");
    let revision = &chat["revisions"][0];
    assert_eq!(revision["state"], "live");
    assert_eq!(revision["kind"], "wasm");
    assert_eq!(revision["folder"], "chat/1.0.0");
    assert_eq!(revision["digest"].as_str().map(str::len), Some(12));
    assert!(revision["since"].as_u64() > Some(1_600_000_000_000));
    assert_eq!(
        shown["apps"][1]["revisions"][0]["reason"],
        "cannot compile bad"
    );
    assert_eq!(shown["apps"][1]["unpinned"], serde_json::Value::Null);
    assert_eq!(shown["failures"]["preparations"], 1);
    assert_eq!(shown["ready"], true);
}

#[tokio::test]
async fn a_rule_whose_variable_is_missing_refuses_its_bundle_and_names_the_variable() {
    let stage = Stage::with(&[("chat/1.0.0", "one")], |config| {
        config.watching = Watching::Looks;
        let variables = [("API_URL", "http://127.0.0.1:1"), ("SECRET", "s")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        config.variables = Arc::new(BTreeMap::from(variables));
    });
    let rules = |folder: &str, target: &str| {
        let manifest = format!(
            r#"{{"proxy": {{"^/api/": {{"target": "{target}"}}}}, "grants": {{"env": ["API_URL", "NOWHERE"]}}}}"#
        );
        publish(
            stage.apps.path(),
            folder,
            &[("worker.config.json", &manifest)],
        );
    };
    rules("good/1.0.0", "${API_URL}");
    rules("missing/1.0.0", "${NOWHERE}");
    rules("taken/1.0.0", "http://b/${SECRET}");
    let deployments = stage
        .until(|deployments| {
            states(deployments).len() == 4 && {
                let states = states(deployments);
                states
                    .iter()
                    .all(|state| !state.ends_with("staged") && !state.ends_with("warming"))
            }
        })
        .await;
    assert_eq!(
        states(&deployments),
        [
            "chat@1.0.0 live",
            "good@1.0.0 live",
            "missing@1.0.0 refused",
            "taken@1.0.0 refused"
        ]
    );
    let reasons: Vec<&str> = deployments
        .apps
        .iter()
        .filter_map(|app| app.revisions[0].reason.as_deref())
        .collect();
    let [missing, taken] = reasons[..] else {
        panic!("{reasons:?}")
    };
    assert!(
        missing.contains("NOWHERE") && missing.contains(r#"proxy["^/api/"].target"#),
        "{missing}"
    );
    assert!(
        taken.contains("SECRET") && !taken.contains("http://b/s"),
        "{taken}"
    );
    let table = stage.supervisor.table();
    let good = table.iter().find(|(app, ..)| *app == "good").unwrap().2;
    assert_eq!(good.rules.as_ref().unwrap().rules().len(), 1);
    assert!(good.pool.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_goes_live_starts_the_workers_that_are_to_be_ready() {
    let stage = Stage::new(&[]);
    let manifest = r#"{"workers": {"min": 2}, "ttl": 60}"#;
    let files = [("app.wasm", "one"), ("worker.config.json", manifest)];
    publish(stage.apps.path(), "chat/1.0.0", &files);
    stage.until_states(&["chat@1.0.0 live"]).await;
    let revision = stage.serving("chat", "*").unwrap();
    let pool = revision.pool.clone().unwrap();
    // Nobody sweeps here: without the supervisor they would come with the first request.
    while pool.workers().is_none_or(|now| now.workers < 2) {
        tokio::task::yield_now().await;
    }
    assert_eq!(pool.snapshot().requests, 0);
}
