//! What a process finds where it runs.

use std::collections::BTreeMap;

use serde_json::json;

use crate::house::{House, ask};

#[tokio::test(flavor = "multi_thread")]
async fn a_process_has_what_was_granted_and_nothing_of_the_servers_own() {
    let house = House::new();
    let grants = json!({"env": ["GRANTED", "ROOKERY_ADMIN_TOKEN", "MISSING"]});
    let pool = house.pool(json!({ "grants": grants })).await;
    let pid = ask(&pool, "/answer").await.unwrap();
    let text = ask(&pool, "/environment").await.unwrap();
    let environment: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    assert_eq!(environment["GRANTED"], "yes");
    for absent in ["UNGRANTED", "MISSING", "CARGO_MANIFEST_DIR"] {
        assert!(!environment.contains_key(absent), "{absent}");
    }
    let initially = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    assert!(!initially.contains("ROOKERY_") && !initially.contains("secret"));
    let worker = house.workers().pop().unwrap();
    assert_eq!(environment["HOME"], worker.join("home").to_str().unwrap());
    assert_eq!(environment["TMPDIR"], worker.join("tmp").to_str().unwrap());
    assert_eq!(environment["BASE_PATH"], "/app");
    assert!(environment["WORKER_ID"].starts_with("app@1.2.3#"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_runs_in_its_bundle_with_nothing_to_read() {
    let house = House::new();
    let pool = house.pool(json!({})).await;
    let folder = ask(&pool, "/folder").await.unwrap();
    assert_eq!(folder, house.bundle(json!({})).dir.to_str().unwrap());
    let pid = ask(&pool, "/answer").await.unwrap();
    let stdin = std::fs::read_link(format!("/proc/{pid}/fd/0")).unwrap();
    assert_eq!(stdin.to_str(), Some("/dev/null"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_has_limits_and_a_group_of_its_own() {
    let house = House::with(|config| config.files_max = 123);
    let pool = house.pool(json!({})).await;
    let pid = ask(&pool, "/answer").await.unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let limit = |name: &str| -> Vec<&str> {
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        line.split_whitespace().take(2).collect()
    };
    assert_eq!(limit("Max open files"), ["123", "123"]);
    assert_eq!(limit("Max core file size"), ["0", "0"]);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let group = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .nth(2)
        .unwrap();
    assert_eq!(group, pid);
}
