//! Rollouts: by commands, by files, and by the judge.

#![allow(clippy::unwrap_used)]

mod stage;

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use rookery_bundle::AppName;
use rookery_routing::{Fallback, Lot, Selector, Sessions, Share, Weights};
use rookery_supervisor::rollout::{Answered, Change, Plan, RolloutError, RolloutStatus};
use rookery_supervisor::{Deployments, Watching};
use semver::Version;
use stage::Stage;
use tokio::time::{Instant, sleep};

const BOTH: [(&str, &str); 2] = [("chat/1.0.0", "one"), ("chat@1.1.0", "two")];
const FILE: &str = "chat.rollout.json";

fn chat() -> AppName {
    AppName::parse("chat").unwrap()
}

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

async fn roll(stage: &Stage, change: Change) -> Result<RolloutStatus, RolloutError> {
    stage.supervisor.roll(&chat(), change).await
}

async fn promote(stage: &Stage, text: &str) -> RolloutStatus {
    let version = Some(version(text));
    roll(stage, Change::Promote { version }).await.unwrap()
}

fn canary(text: &str) -> Change {
    Change::Canary(Plan::of(version(text)))
}

/// How many percent of all who ask for no version get this one.
fn percent(stage: &Stage, text: &str) -> f64 {
    let table = stage.supervisor.table();
    let lots =
        (0..10_000_u64).map(|draw| Lot::drawn(draw.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48));
    let led = lots.filter(|lot| {
        let led = table.resolve_for("chat", &Selector::None, Fallback::None, || *lot);
        *led.unwrap().version == version(text)
    });
    led.count() as f64 / 100.0
}

#[track_caller]
fn check_percent(stage: &Stage, text: &str, expected: f64) {
    let percent = percent(stage, text);
    assert!((percent - expected).abs() < 2.0, "{text} has {percent} %");
}

fn rollout(deployments: &Deployments) -> RolloutStatus {
    deployments.apps[0].rollout.clone().expect("a rollout")
}

#[tokio::test(start_paused = true)]
async fn a_command_is_in_force_and_on_disk_when_it_returns() {
    let stage = Stage::new(&BOTH);
    stage.settled().await;
    assert_eq!(stage.supervisor.rollouts().len(), 0);
    check_percent(&stage, "1.1.0", 100.0);
    let status = promote(&stage, "1.0.0").await;
    assert_eq!(status.weights["1.0.0"], 100.0);
    check_percent(&stage, "1.0.0", 100.0);
    let text = fs::read_to_string(stage.path(FILE)).unwrap();
    assert!(text.contains(r#""1.0.0": 100"#), "{text}");
    let status = roll(&stage, canary("1.1.0")).await.unwrap();
    assert_eq!(
        (status.weights["1.0.0"], status.weights["1.1.0"]),
        (95.0, 5.0)
    );
    check_percent(&stage, "1.1.0", 5.0);
    let deployments = stage.supervisor.deployments();
    assert_eq!(deployments.apps[0].unpinned.as_deref(), Some("1.0.0"));
    assert_eq!(rollout(&deployments).canary.unwrap().share, 5.0);
    // What is on disk is what is in force, so no look at it changes anything.
    sleep(Duration::from_secs(5)).await;
    check_percent(&stage, "1.1.0", 5.0);
    roll(&stage, Change::Rollback).await.unwrap();
    check_percent(&stage, "1.1.0", 0.0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_changes_nothing_and_writes_nothing() {
    let stage = Stage::new(&BOTH);
    stage.settled().await;
    let refused = roll(&stage, Change::Rollback).await.unwrap_err();
    assert!(matches!(refused, RolloutError::NothingBefore { .. }));
    let nobody = AppName::parse("nobody").unwrap();
    let refused = stage
        .supervisor
        .roll(&nobody, canary("1.0.0"))
        .await
        .unwrap_err();
    assert!(matches!(refused, RolloutError::NoSuchApp { .. }));
    assert!(!stage.path(FILE).exists());
    assert_eq!(stage.supervisor.rollouts().len(), 0);
}

/// Nobody is to meet a version at a restart that has no share.
#[tokio::test(start_paused = true)]
async fn a_file_that_is_there_at_the_start_is_in_force_from_the_first_table_on() {
    let stage = Stage::with(&BOTH, |config| {
        config.watching = Watching::Looks;
        fs::write(
            config.apps_dirs[0].join(FILE),
            r#"{"weights": {"1.0.0": 100}}"#,
        )
        .unwrap();
    });
    let mut changed = stage.supervisor.changed();
    changed.changed().await.unwrap();
    let table = stage.supervisor.table();
    for lot in (0..1000).map(Lot::drawn) {
        if let Some(led) = table.resolve_for("chat", &Selector::None, Fallback::None, || lot)
            && table.versions("chat").count() == 2
        {
            assert_eq!(*led.version, version("1.0.0"));
        }
    }
    stage.settled().await;
    check_percent(&stage, "1.0.0", 100.0);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_edited_by_hand_is_followed_and_a_broken_one_is_told() {
    let stage = Stage::new(&BOTH);
    stage.settled().await;
    let write = |text: &str| fs::write(stage.path(FILE), text).unwrap();
    let until_share = async |expected: f64| {
        stage
            .until(|_| (percent(&stage, "1.1.0") - expected).abs() < 2.0)
            .await
    };
    write(r#"{"weights": {"1.0.0": 70, "1.1.0": 30}}"#);
    until_share(30.0).await;
    write(r#"{"weights": {"1.0.0": 70, "1.1.0": 40}}"#);
    let told = stage.until(|told| !told.reports.is_empty()).await;
    assert_eq!(told.reports[0].folder, FILE);
    assert_eq!(told.reports[0].app.as_deref(), Some("chat"));
    let reason =
        "weights: the weights add up to 110 %, not to 100 %; what was in force before still is";
    assert_eq!(told.reports[0].reason, reason);
    assert!(rollout(&stage.supervisor.deployments()).fault.is_some());
    check_percent(&stage, "1.1.0", 30.0);
    write(r#"{"weights": {"1.0.0": 20, "1.1.0": 80}}"#);
    let told = until_share(80.0).await;
    assert!(
        rollout(&stage.supervisor.deployments()).fault.is_none(),
        "{told:?}"
    );
    fs::remove_file(stage.path(FILE)).unwrap();
    until_share(100.0).await;
    assert_eq!(stage.supervisor.rollouts().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_scoped_app_and_one_bundle_have_their_files_beside_them() {
    let stage = Stage::new(&[("@team/chat@1.0.0", "one"), ("@team/chat/1.1.0", "two")]);
    stage.settled().await;
    let app = AppName::parse("@team/chat").unwrap();
    let version = Some(version("1.0.0"));
    let promoted = stage.supervisor.roll(&app, Change::Promote { version });
    promoted.await.unwrap();
    assert!(stage.path("@team/chat.rollout.json").is_file());
    sleep(Duration::from_secs(2)).await;
    let deployments = stage.supervisor.deployments();
    assert_eq!(deployments.apps[0].unpinned.as_deref(), Some("1.0.0"));
    assert_eq!(deployments.reports, []);
}

#[tokio::test(start_paused = true)]
async fn a_tag_of_a_command_comes_before_a_link_of_that_name() {
    let stage = Stage::new(&[("chat/1.0.0", "one"), ("chat/1.1.0", "two")]);
    symlink("1.0.0", stage.path("chat/next")).unwrap();
    symlink("1.0.0", stage.path("chat/old")).unwrap();
    stage.settled().await;
    let tag = |name: &str, text: &str| Change::Tag {
        name: name.to_owned(),
        version: version(text),
    };
    roll(&stage, tag("next", "1.1.0")).await.unwrap();
    let tags = |deployments: &Deployments| deployments.apps[0].tags.clone();
    let told = stage.supervisor.deployments();
    assert_eq!(
        (&*tags(&told)["next"], &*tags(&told)["old"]),
        ("1.1.0", "1.0.0")
    );
    assert!(
        told.apps[0].rollout.is_none(),
        "a tag alone spreads nothing"
    );
    let name = "next".to_owned();
    roll(&stage, Change::Untag { name }).await.unwrap();
    assert_eq!(tags(&stage.supervisor.deployments())["next"], "1.0.0");
    roll(&stage, tag("latest", "1.0.0")).await.unwrap();
    let told = stage.supervisor.deployments();
    assert_eq!(told.apps[0].unpinned.as_deref(), Some("1.0.0"));
}

/// Counts this for a version, as the front door would.
fn answer(stage: &Stage, text: &str, how: Answered, times: usize) {
    let revision = stage.serving("chat", text).unwrap();
    for _ in 0..times {
        revision.tally.answered(how, Duration::from_millis(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_canary_has_nothing_within_two_seconds_and_the_reason_is_kept() {
    let stage = Stage::new(&BOTH);
    stage.settled().await;
    promote(&stage, "1.0.0").await;
    let plan = Plan {
        sessions: Sessions::Keep,
        ..Plan::of(version("1.1.0"))
    };
    roll(&stage, Change::Canary(plan)).await.unwrap();
    let mut events = stage.supervisor.events();
    sleep(Duration::from_secs(10)).await;
    let before = Instant::now();
    answer(&stage, "1.0.0", Answered::Well, 200);
    answer(&stage, "1.1.0", Answered::Well, 5);
    answer(&stage, "1.1.0", Answered::ByFault, 5);
    let told = stage.until(|told| rollout(told).canary.is_none()).await;
    assert!(
        before.elapsed() < Duration::from_secs(2),
        "{:?}",
        before.elapsed()
    );
    check_percent(&stage, "1.1.0", 0.0);
    let status = rollout(&told);
    let last = status.last.unwrap();
    assert_eq!((&*last.version, last.how), ("1.1.0", "reversed"));
    assert!(last.reason.contains("5 of 10 (50.00 %)"), "{}", last.reason);
    assert_eq!(status.sessions, "follow");
    let mut heard = String::new();
    while let Ok(event) = events.try_recv() {
        heard.push_str(&format!("{event:?}\n"));
    }
    assert!(heard.contains("1.1.0 is reversed: "), "{heard}");
    sleep(Duration::from_secs(1)).await;
    let text = fs::read_to_string(stage.path(FILE)).unwrap();
    assert!(
        text.contains("reversed") && text.contains("5 of 10"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_good_canary_takes_its_steps_and_then_has_everything() {
    let stage = Stage::new(&BOTH);
    stage.settled().await;
    promote(&stage, "1.0.0").await;
    roll(&stage, canary("1.1.0")).await.unwrap();
    for share in [5.0, 25.0, 50.0, 100.0] {
        assert_eq!(
            rollout(&stage.supervisor.deployments()).weights["1.1.0"],
            share
        );
        check_percent(&stage, "1.1.0", share);
        sleep(Duration::from_secs(58)).await;
        assert_eq!(
            rollout(&stage.supervisor.deployments()).weights["1.1.0"],
            share
        );
        answer(&stage, "1.0.0", Answered::Well, 100);
        answer(&stage, "1.1.0", Answered::Well, 100);
        sleep(Duration::from_secs(3)).await;
    }
    let status = rollout(&stage.supervisor.deployments());
    assert_eq!(
        (status.canary, status.last.unwrap().how),
        (None, "promoted")
    );
    assert_eq!(status.weights["1.1.0"], 100.0);
    let previous = status.previous.unwrap();
    assert_eq!(previous["1.0.0"], 100.0);
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_is_not_asked_waits_and_says_so() {
    let stage = Stage::new(&BOTH);
    stage.settled().await;
    roll(&stage, canary("1.1.0")).await.unwrap();
    sleep(Duration::from_secs(600)).await;
    let canary = rollout(&stage.supervisor.deployments()).canary.unwrap();
    assert_eq!((canary.step, canary.left_ms), (0, 0));
    assert_eq!(
        canary.waits.as_deref(),
        Some("was asked 0 times in this step, 20 are needed")
    );
    // Nor is one that does not serve any more judged.
    fs::remove_dir_all(stage.path("chat@1.1.0")).unwrap();
    stage.until(|told| told.apps[0].revisions.len() == 1).await;
    check_percent(&stage, "1.0.0", 100.0);
    sleep(Duration::from_secs(1)).await;
    let canary = rollout(&stage.supervisor.deployments()).canary.unwrap();
    assert_eq!(canary.waits.as_deref(), Some("1.1.0 does not serve"));
    assert_eq!(
        canary.held.as_deref(),
        Some("1.1.0 does not serve, and 10 windows of 1m are over")
    );
}

#[tokio::test(start_paused = true)]
async fn weights_are_set_as_they_are_and_end_a_canary() {
    let stage = Stage::new(&BOTH);
    stage.settled().await;
    roll(&stage, canary("1.1.0")).await.unwrap();
    let share = Share::of_percent(40.0).unwrap();
    let parts = [(version("1.1.0"), share), (version("1.0.0"), share.rest())];
    let change = Change::Weights {
        weights: Weights::new(parts).unwrap(),
        sessions: Sessions::Follow,
    };
    let status = roll(&stage, change).await.unwrap();
    assert_eq!(
        (status.canary, status.last.unwrap().how),
        (None, "replaced")
    );
    check_percent(&stage, "1.1.0", 40.0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_in_force_and_told_and_written_later() {
    let stage = Stage::new(&BOTH);
    stage.settled().await;
    // A folder is in the way of the file.
    fs::create_dir(stage.path(FILE)).unwrap();
    let version = Some(version("1.0.0"));
    let refused = roll(&stage, Change::Promote { version }).await.unwrap_err();
    assert!(
        matches!(&refused, RolloutError::NotWritten { file, .. } if file == FILE),
        "{refused:?}"
    );
    check_percent(&stage, "1.0.0", 100.0);
    fs::remove_dir(stage.path(FILE)).unwrap();
    sleep(Duration::from_secs(3)).await;
    let text = fs::read_to_string(stage.path(FILE)).unwrap();
    assert!(text.contains(r#""1.0.0": 100"#), "{text}");
    check_percent(&stage, "1.0.0", 100.0);
}

#[tokio::test(start_paused = true)]
async fn a_canary_goes_on_after_a_restart_with_the_step_that_it_was_in() {
    let text = r#"{"weights": {"1.0.0": 100}, "sessions": "keep",
        "canary": {"version": "1.1.0", "steps": [10, 40, 70], "step": 1, "window": "30s"}}"#;
    let stage = Stage::with(&BOTH, |config| {
        config.watching = Watching::Looks;
        fs::write(config.apps_dirs[0].join(FILE), text).unwrap();
    });
    stage.settled().await;
    check_percent(&stage, "1.1.0", 40.0);
    let status = rollout(&stage.supervisor.deployments());
    assert_eq!(status.sessions, "keep");
    let canary = status.canary.unwrap();
    assert_eq!((canary.step, canary.window_ms), (1, 30_000));
    assert!(
        canary.left_ms > 29_000,
        "its window begins anew: {}",
        canary.left_ms
    );
    sleep(Duration::from_secs(1)).await;
    answer(&stage, "1.1.0", Answered::Well, 30);
    sleep(Duration::from_secs(30)).await;
    check_percent(&stage, "1.1.0", 70.0);
    let text = fs::read_to_string(stage.path(FILE)).unwrap();
    assert!(text.contains(r#""step": 2"#), "{text}");
}
