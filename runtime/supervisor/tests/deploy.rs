//! From a folder to a revision that serves, and back.

#![allow(clippy::unwrap_used)]

mod stage;

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rookery_supervisor::{Prerelease, Watching};
use stage::{PATIENCE, Stage, publish, reason, states};
use tokio::time::{Instant, timeout};

/// Of which a change on disk has to be live.
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn what_is_there_at_the_start_is_live_when_it_is_settled() {
    let stage = Stage::new(&[
        ("chat/1.0.0", "one"),
        ("chat@2.0.0", "two"),
        ("@acme/news/1.0.0", "x"),
    ]);
    assert!(!stage.supervisor.ready());
    stage.settled().await;
    assert!(stage.supervisor.ready());
    assert_eq!(
        states(&stage.supervisor.deployments()),
        [
            "@acme/news@1.0.0 live",
            "chat@2.0.0 live",
            "chat@1.0.0 live"
        ]
    );
    let label = |app, version| stage.serving(app, version).map(|one| one.bundle.label());
    assert_eq!(label("chat", "*").unwrap(), "chat@2.0.0");
    assert_eq!(label("chat", "1").unwrap(), "chat@1.0.0");
    assert_eq!(label("@acme/news", "*").unwrap(), "@acme/news@1.0.0");
    assert_eq!(label("chat", "3"), None);
}

/// On a machine that is so busy that two seconds pass between two looks.
#[tokio::test(start_paused = true)]
async fn what_is_there_at_the_start_is_live_when_it_is_settled_however_long_that_takes() {
    let stage = Stage::new(&[("chat/1.0.0", "one")]);
    // Long enough for all who can go on, and shorter than any pause of theirs.
    let others = || tokio::time::sleep(Duration::from_millis(1));
    others().await;
    for _ in 0..100 {
        tokio::time::advance(2 * SECOND).await;
        others().await;
        if stage.supervisor.ready() {
            break;
        }
    }
    assert!(stage.supervisor.ready());
    assert_eq!(states(&stage.supervisor.deployments()), ["chat@1.0.0 live"]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_apps_directory_is_settled_at_once() {
    let stage = Stage::new(&[]);
    stage.settled().await;
    assert_eq!(stage.supervisor.deployments().reports, []);
}

#[tokio::test(start_paused = true)]
async fn a_rename_into_place_is_live_within_a_second_without_any_event() {
    let stage = Stage::new(&[("chat/1.0.0", "one")]);
    stage.settled().await;
    let before = Instant::now();
    stage.publish("chat/1.1.0", "two");
    stage
        .until_states(&["chat@1.1.0 live", "chat@1.0.0 live"])
        .await;
    assert!(before.elapsed() <= SECOND, "{:?}", before.elapsed());
}

#[tokio::test]
async fn an_event_brings_the_look_forward() {
    let stage = Stage::with(&[("chat/1.0.0", "one")], |config| {
        // Nothing but events is left.
        config.rescan = Duration::from_secs(3600);
    });
    stage.settled().await;
    let mut changed = stage.supervisor.changed();
    for (folder, version) in [
        ("chat/1.1.0", "1.1.0"),
        ("news/1.0.0", "1.0.0"),
        ("chat/1.1.0", "1.1.0"),
    ] {
        changed.borrow_and_update();
        stage.publish(
            folder,
            &format!("component of {folder} at {:?}", Instant::now()),
        );
        timeout(PATIENCE, changed.changed()).await.unwrap().unwrap();
        let app = folder.split('/').next().unwrap();
        assert!(stage.serving(app, version).is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_rescan_brings_the_look_forward() {
    let stage = Stage::with(&[], |config| {
        config.watching = Watching::Looks;
        config.poll = Duration::from_secs(3600);
    });
    stage.settled().await;
    let before = Instant::now();
    stage.publish("chat/1.0.0", "one");
    stage.supervisor.rescan();
    stage.until_states(&["chat@1.0.0 live"]).await;
    assert!(before.elapsed() <= SECOND, "{:?}", before.elapsed());
}

/// A copy is looked at 50 ms after it began to move, and has to look the same for 100 more.
#[tokio::test(start_paused = true)]
async fn a_bundle_does_not_wait_for_the_one_that_came_just_before_it() {
    let stage = Stage::with(&[], |config| {
        config.watching = Watching::Looks;
        config.poll = Duration::from_secs(3600);
    });
    stage.settled().await;
    tokio::time::sleep(SECOND).await;
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        let before = Instant::now();
        stage.publish(&format!("chat/{version}"), version);
        stage.supervisor.rescan();
        let label = format!("chat@{version} live");
        let is_live = |deployments: &_| states(deployments).contains(&label);
        stage.until(is_live).await;
        let took = before.elapsed();
        assert!(took <= Duration::from_millis(200), "{version}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_half_written_folder_is_reported_and_never_served() {
    let stage = Stage::new(&[]);
    stage.settled().await;
    let folder = stage.path("chat/1.0.0");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("worker.config.json"),
        r#"{"entrypoint": "dist/app.wasm"}"#,
    )
    .unwrap();
    let deployments = stage
        .until(|deployments| !deployments.reports.is_empty())
        .await;
    assert_eq!(deployments.reports[0].folder, "chat/1.0.0");
    assert_eq!(states(&deployments), [""; 0]);
    assert_eq!(stage.script.begun.load(Ordering::SeqCst), 0);
    fs::create_dir(folder.join("dist")).unwrap();
    fs::write(folder.join("dist/app.wasm"), "whole").unwrap();
    let deployments = stage.until_states(&["chat@1.0.0 live"]).await;
    assert_eq!(deployments.reports, []);
}

#[tokio::test(start_paused = true)]
async fn a_swap_keeps_the_old_build_until_the_new_one_is_live() {
    let stage = Stage::new(&[("chat/1.0.0", "one")]);
    stage.settled().await;
    let old = stage.serving("chat", "1.0.0").unwrap();
    let mut changed = stage.supervisor.changed();
    changed.borrow_and_update();

    stage.publish("chat/1.0.0", "gated two");
    stage
        .until_states(&["chat@1.0.0 warming", "chat@1.0.0 live"])
        .await;
    assert_eq!(stage.serving("chat", "1.0.0").unwrap().id, old.id);
    assert!(!changed.has_changed().unwrap());

    stage.script.gate.add_permits(1);
    timeout(PATIENCE, changed.changed()).await.unwrap().unwrap();
    let new = stage.serving("chat", "1.0.0").unwrap();
    assert_ne!(new.id, old.id);
    assert_ne!(new.bundle.digest, old.bundle.digest);
    stage.until_states(&["chat@1.0.0 live"]).await;
    let refused = old.pool.as_ref().unwrap().acquire().await;
    assert!(refused.is_err(), "the old pool takes nothing any more");
}

#[tokio::test(start_paused = true)]
async fn a_bad_build_leaves_the_old_one_serving() {
    let stage = Stage::new(&[("chat/1.0.0", "one")]);
    stage.settled().await;
    let old = stage.serving("chat", "1.0.0").unwrap();
    stage.publish("chat/1.0.0", "bad two");
    let deployments = stage
        .until_states(&["chat@1.0.0 refused", "chat@1.0.0 live"])
        .await;
    assert_eq!(reason(&deployments), "cannot compile bad two");
    assert!(deployments.failures.preparations >= 1);
    assert_eq!(stage.serving("chat", "1.0.0").unwrap().id, old.id);
    stage.publish("chat/1.0.0", "three");
    stage.until_states(&["chat@1.0.0 live"]).await;
    assert_ne!(stage.serving("chat", "1.0.0").unwrap().id, old.id);
}

#[tokio::test(start_paused = true)]
async fn a_broken_manifest_leaves_the_old_build_serving() {
    let stage = Stage::new(&[("chat/1.0.0", "one")]);
    stage.settled().await;
    fs::write(
        stage.path("chat/1.0.0/worker.config.json"),
        r#"{"timeout": "soon"}"#,
    )
    .unwrap();
    let deployments = stage
        .until(|deployments| !deployments.reports.is_empty())
        .await;
    assert_eq!(states(&deployments), ["chat@1.0.0 live"]);
    assert!(
        deployments.reports[0].reason.contains("timeout"),
        "{deployments:?}"
    );
    let shown = serde_json::to_string(&deployments).unwrap();
    assert!(
        !shown.contains(&*stage.apps.path().to_string_lossy()),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_taken_back_is_forgotten() {
    let stage = Stage::new(&[("chat/1.0.0", "one")]);
    stage.settled().await;
    let old = stage.serving("chat", "1.0.0").unwrap();
    stage.publish("chat/1.0.0", "hang two");
    stage
        .until_states(&["chat@1.0.0 warming", "chat@1.0.0 live"])
        .await;
    stage.publish("chat/1.0.0", "one");
    stage.until_states(&["chat@1.0.0 live"]).await;
    assert_eq!(stage.serving("chat", "1.0.0").unwrap().id, old.id);
    assert_eq!(stage.supervisor.deployments().failures.preparations, 0);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_removed_drains_its_revision() {
    let stage = Stage::new(&[("chat/1.0.0", "one"), ("chat/2.0.0", "two")]);
    stage.settled().await;
    let old = stage.serving("chat", "2.0.0").unwrap();
    let lease = old.pool.as_ref().unwrap().acquire().await.unwrap();
    fs::remove_dir_all(stage.path("chat/2.0.0")).unwrap();
    stage
        .until_states(&["chat@2.0.0 draining", "chat@1.0.0 live"])
        .await;
    assert!(stage.serving("chat", "2.0.0").is_none());
    assert_eq!(stage.supervisor.revisions().len(), 2);
    let unpinned = stage.supervisor.deployments().apps[0].unpinned.clone();
    assert_eq!(unpinned.as_deref(), Some("1.0.0"));
    drop(lease);
    let deployments = stage.until_states(&["chat@1.0.0 live"]).await;
    assert_eq!(deployments.failures.drains, 0);
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_with_its_grace() {
    let stage = Stage::new(&[("chat/1.0.0", "one")]);
    stage.settled().await;
    let old = stage.serving("chat", "1.0.0").unwrap();
    let _lease = old.pool.as_ref().unwrap().acquire().await.unwrap();
    fs::remove_dir_all(stage.path("chat")).unwrap();
    stage.until_states(&["chat@1.0.0 draining"]).await;
    let deployments = stage.until_states(&[]).await;
    assert_eq!(deployments.failures.drains, 1);
}

#[tokio::test(start_paused = true)]
async fn an_apps_directory_that_goes_away_takes_nothing_down() {
    let stage = Stage::new(&[("chat/1.0.0", "one")]);
    stage.settled().await;
    let old = stage.serving("chat", "1.0.0").unwrap();
    let away = stage.apps.path().with_extension("away");
    fs::rename(stage.apps.path(), &away).unwrap();
    let deployments = stage
        .until(|deployments| !deployments.reports.is_empty())
        .await;
    assert_eq!(states(&deployments), ["chat@1.0.0 live"]);
    fs::rename(&away, stage.apps.path()).unwrap();
    stage.publish("chat/2.0.0", "two");
    let deployments = stage
        .until_states(&["chat@2.0.0 live", "chat@1.0.0 live"])
        .await;
    assert_eq!(deployments.reports, []);
    assert_eq!(stage.serving("chat", "1.0.0").unwrap().id, old.id);
}

#[tokio::test(start_paused = true)]
async fn an_apps_directory_may_come_later() {
    let stage = Stage::new(&[]);
    fs::remove_dir(stage.apps.path()).unwrap();
    stage.settled().await;
    assert_eq!(stage.supervisor.deployments().reports.len(), 1);
    publish(stage.apps.path(), "chat/1.0.0", &[("app.wasm", "one")]);
    stage.until_states(&["chat@1.0.0 live"]).await;
}

#[tokio::test(start_paused = true)]
async fn links_are_followed_inside_and_refused_outside() {
    let stage = Stage::new(&[(".releases/7", "one")]);
    let outside = tempfile::tempdir().unwrap();
    publish(outside.path(), "2.0.0", &[("app.wasm", "two")]);
    fs::create_dir(stage.path("chat")).unwrap();
    symlink("../.releases/7", stage.path("chat/1.0.0")).unwrap();
    symlink(outside.path().join("2.0.0"), stage.path("chat/2.0.0")).unwrap();
    stage.until_states(&["chat@1.0.0 live"]).await;
    let reports = stage.supervisor.deployments().reports;
    assert_eq!(
        reports[0].reason,
        "is a link that leaves the apps directory"
    );
}

#[tokio::test(start_paused = true)]
async fn a_kind_without_a_runtime_is_refused_and_not_tried_again() {
    let stage = Stage::new(&[]);
    publish(
        stage.apps.path(),
        "api/1.0.0",
        &[("index.ts", "export default {}")],
    );
    publish(stage.apps.path(), "page/1.0.0", &[("index.html", "<p>")]);
    let deployments = stage
        .until_states(&["api@1.0.0 refused", "page@1.0.0 live"])
        .await;
    assert_eq!(
        reason(&deployments),
        "is of a kind that this server was not set up to run"
    );
    tokio::time::advance(Duration::from_secs(3600)).await;
    stage.publish("chat/1.0.0", "one");
    stage.until(|deployments| deployments.apps.len() == 3).await;
    assert_eq!(stage.supervisor.deployments().failures.preparations, 1);
    assert!(stage.serving("page", "*").unwrap().pool.is_none());
}

#[tokio::test(start_paused = true)]
async fn prereleases_come_last_unless_the_operator_says_otherwise() {
    let versions = [("chat/1.0.0", "one"), ("chat/2.0.0-rc.1", "two")];
    for (prerelease, expected) in [
        (Prerelease::Last, "1.0.0"),
        (Prerelease::Equal, "2.0.0-rc.1"),
    ] {
        let stage = Stage::with(&versions, |config| {
            config.watching = Watching::Looks;
            config.prerelease = prerelease;
        });
        stage.settled().await;
        let deployments = stage.supervisor.deployments();
        assert_eq!(deployments.apps[0].unpinned.as_deref(), Some(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_bundles_are_served() {
    let stage = Stage::new(&[]);
    for app in 0..100 {
        for version in 0..10 {
            let folder = format!("app{app}/1.{version}.0");
            publish(stage.apps.path(), &folder, &[("index.html", "one")]);
        }
    }
    stage
        .until(|_| stage.supervisor.table().iter().count() == 1000)
        .await;
    assert_eq!(stage.supervisor.deployments().reports, []);
}
