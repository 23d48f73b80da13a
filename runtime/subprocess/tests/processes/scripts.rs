//! Scripts, with a runtime that is none: what the two sides of a script owe each other.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rookery_bundle::{AppName, Bundle, Expect, parse_version};
use rookery_pool::{Deadline, Notice, Prepare, SpawnError, Worker};
use serde_json::json;
use tempfile::TempDir;

use crate::house::{FIXTURE, House, PATIENCE, is_known, until};

/// A house whose processes find programs in this folder alone.
fn house_with(path: &TempDir) -> House {
    House::with(|config| config.path = path.path().into())
}

fn install(runtime: &str, path: &TempDir) {
    std::os::unix::fs::symlink(FIXTURE, path.path().join(runtime)).unwrap();
}

/// A bundle whose script is this text.
fn script(dir: &Path, text: &str) -> Arc<Bundle> {
    let manifest = json!({"ttl": 600, "workers": {"max": 1}});
    std::fs::write(dir.join("worker.config.json"), manifest.to_string()).unwrap();
    std::fs::write(dir.join("index.mjs"), text).unwrap();
    let expect = Expect {
        name: AppName::parse("script").unwrap(),
        version: parse_version("1.0.0"),
    };
    Arc::new(rookery_bundle::open(dir, expect).unwrap())
}

async fn start(house: &House, dir: &TempDir, text: &str) -> Result<Box<dyn Worker>, SpawnError> {
    let spawn = house
        .processes
        .prepare(script(dir.path(), text))
        .await
        .unwrap();
    spawn.spawn().await
}

async fn reason(house: &House, dir: &TempDir, text: &str) -> String {
    start(house, dir, text)
        .await
        .map(drop)
        .unwrap_err()
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_keep_the_pools_contract() {
    let (path, dir) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    install("bun", &path);
    let house = house_with(&path);
    let spawn = house
        .processes
        .prepare(script(dir.path(), "ready"))
        .await
        .unwrap();
    assert!(spawn.hears_notices() && spawn.serves_tunnels());
    rookery_pool::contract::holds(spawn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_says_itself_why_it_cannot_start() {
    let (path, dir) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    install("bun", &path);
    let house = house_with(&path);
    let failed = reason(&house, &dir, "failed no default export").await;
    assert_eq!(failed, "the app cannot start: no default export");
    let silent = reason(&house, &dir, "silent").await;
    assert!(silent.contains("before it was ready: code 4"), "{silent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_runtime_it_is_said_what_to_install_and_installing_is_enough() {
    let (path, dir) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let house = house_with(&path);
    let spawn = house
        .processes
        .prepare(script(dir.path(), "ready"))
        .await
        .unwrap();
    let missing = spawn.spawn().await.map(drop).unwrap_err().to_string();
    for runtime in ["https://bun.sh", "https://deno.com", "https://nodejs.org"] {
        assert!(missing.contains(runtime), "{missing}");
    }
    assert_eq!(spawn.lacks(), Some(missing));
    install("bun", &path);
    assert_eq!(spawn.lacks(), None);
    assert!(spawn.spawn().await.unwrap().is_alive());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_hears_that_it_is_idle_and_of_its_end() {
    let (path, dir) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    install("bun", &path);
    let house = house_with(&path);
    let mut worker = start(&house, &dir, "ready").await.unwrap();
    let pid = house.pids()[0];
    worker.tell(Notice::Idle, Deadline::after(PATIENCE)).await;
    assert!(worker.is_alive());
    worker
        .tell(Notice::Terminate, Deadline::after(PATIENCE))
        .await;
    assert!(!worker.is_alive());
    let diary = std::fs::read_to_string(dir.path().join("diary")).unwrap();
    assert_eq!(diary, "idle\nterminate\n");
    until("it has ended", async || !is_known(pid)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_is_deaf_is_told_until_the_deadline_and_then_ended() {
    let (path, dir) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    install("bun", &path);
    let house = House::with(|config| {
        config.path = path.path().into();
        config.stop_grace = Duration::from_millis(200);
    });
    let mut worker = start(&house, &dir, "ready").await.unwrap();
    let pid = house.pids()[0];
    crate::house::signal(pid, "STOP");
    worker
        .tell(
            Notice::Terminate,
            Deadline::after(Duration::from_millis(100)),
        )
        .await;
    drop(worker);
    until("it is gone", async || !is_known(pid)).await;
}
