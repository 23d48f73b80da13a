//! Claims about what is told of a version that cannot serve, and about tags.

#![allow(clippy::unwrap_used)]

mod stage;

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use rookery_bundle::BrokenManifest;
use rookery_routing::{Fallback, Selector};
use rookery_supervisor::{Refused, Watching};
use stage::{PATIENCE, Stage};
use tokio::time::timeout;

fn refused(stage: &Stage, app: &str, asked: &str, fallback: Fallback) -> Option<Refused> {
    let asked = Selector::parse(asked).unwrap();
    stage.supervisor.refused(app, &asked, fallback)
}

/// Fields of the manifest that are wrong, or why it cannot start.
fn told(refused: Option<Refused>) -> Vec<String> {
    match refused {
        None => Vec::new(),
        Some(Refused::Manifest { label, faults }) => {
            let fields = faults.iter().map(|fault| fault.field.clone());
            std::iter::once(label.to_string()).chain(fields).collect()
        }
        Some(Refused::Preparation {
            label,
            reason,
            lacks,
        }) => {
            let told = [Some(label), Some(reason), lacks];
            told.iter().flatten().map(ToString::to_string).collect()
        }
    }
}

/// Buntime 22.
#[tokio::test(start_paused = true)]
async fn a_path_that_leads_to_a_wrong_manifest_is_told_its_fields() {
    let stage = Stage::new(&[]);
    let wrong = r#"{"timeout": "soon", "ttl": -5}"#;
    for (folder, page, manifest) in [
        ("chat/1.0.0", "index.html", wrong),
        ("news/1.0.0", "index.html", "{"),
        ("void/1.0.0", "nothing.txt", "{}"),
    ] {
        let files = [(page, "x"), ("worker.config.json", manifest)];
        stage::publish(stage.apps.path(), folder, &files);
    }
    stage
        .until(|deployments| deployments.reports.len() == 3)
        .await;
    let told = |app, asked, fallback| told(refused(&stage, app, asked, fallback));
    let expected = ["chat@1.0.0", "timeout", "ttl"];
    for asked in ["", "1.0.0", "1"] {
        assert_eq!(told("chat", asked, Fallback::None), expected, "{asked}");
    }
    assert_eq!(told("chat", "9", Fallback::Highest), expected);
    assert!(told("chat", "9", Fallback::None).is_empty());
    assert_eq!(
        told("news", "", Fallback::None),
        ["news@1.0.0", "worker.config.json"]
    );
    // A folder with nothing to serve is no app, as a folder that is not there.
    assert!(told("void", "", Fallback::Highest).is_empty());
    assert!(told("nobody", "", Fallback::Highest).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_has_to_be_installed_is_told_apart_from_the_reason() {
    let stage = Stage::new(&[("chat/1.0.0", "needs bun")]);
    stage.settled().await;
    let told = told(refused(&stage, "chat", "", Fallback::None));
    assert_eq!(told, ["chat@1.0.0", "no bun in /opt", "install bun"]);
}

/// Buntime 49.
#[tokio::test(start_paused = true)]
async fn a_path_that_leads_to_what_cannot_be_prepared_is_told_why_also_while_it_is_tried_again() {
    let stage = Stage::new(&[("chat/1.0.0", "bad")]);
    stage.settled().await;
    let told = || told(refused(&stage, "chat", "", Fallback::None));
    let expected = ["chat@1.0.0", "cannot compile bad"];
    assert_eq!(told(), expected);
    stage
        .until(|deployments| {
            assert_eq!(told(), expected);
            deployments.apps[0].revisions[0].failures > 2
        })
        .await;
}

/// Buntime 23.
#[tokio::test(start_paused = true)]
async fn a_broken_manifest_is_passed_over_where_the_operator_wants_it() {
    let stage = Stage::with(&[], |config| {
        config.watching = Watching::Looks;
        config.broken_manifest = BrokenManifest::PassedOver;
    });
    let files = [("index.html", "x"), ("worker.config.json", "{")];
    stage::publish(stage.apps.path(), "news/1.0.0", &files);
    let deployments = stage.until_states(&["news@1.0.0 live"]).await;
    let revision = &deployments.apps[0].revisions[0];
    assert!(revision.warnings[0].contains("is not JSON"), "{revision:?}");
}

/// Waits until the path without a selector leads to this version of the chat.
async fn until_unpinned(stage: &Stage, version: &str) {
    let mut changed = stage.supervisor.changed();
    let waited = timeout(PATIENCE, async {
        while unpinned(stage).as_deref() != Some(version) {
            changed.changed().await.unwrap();
        }
    });
    waited.await.unwrap();
}

fn unpinned(stage: &Stage) -> Option<String> {
    let serving = stage.serving("chat", "*")?;
    Some(serving.bundle.version.to_string())
}

/// Buntime 18.
#[tokio::test(start_paused = true)]
async fn a_tag_that_is_moved_leads_on_until_its_new_version_serves() {
    let stage = Stage::new(&[
        ("chat/1.0.0", "one"),
        ("chat/2.0.0", "two"),
        ("chat/3.0.0", "gated"),
    ]);
    symlink("1.0.0", stage.path("chat/latest")).unwrap();
    until_unpinned(&stage, "1.0.0").await;
    let move_to = |version: &str| {
        symlink(version, stage.path("chat/.new")).unwrap();
        fs::rename(stage.path("chat/.new"), stage.path("chat/latest")).unwrap();
    };
    move_to("2.0.0");
    until_unpinned(&stage, "2.0.0").await;
    move_to("3.0.0");
    // Many looks, of which each may see the tag where it is now.
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(unpinned(&stage).as_deref(), Some("2.0.0"));
    stage.script.gate.add_permits(1);
    until_unpinned(&stage, "3.0.0").await;
    move_to("1.0.0");
    until_unpinned(&stage, "1.0.0").await;
    let tags = stage.supervisor.deployments().apps[0].tags.clone();
    assert_eq!(tags["latest"], "1.0.0");
    fs::remove_file(stage.path("chat/latest")).unwrap();
    until_unpinned(&stage, "3.0.0").await;
    assert!(stage.supervisor.deployments().apps[0].tags.is_empty());
}
