//! Bundles of scripts, and looks at the processes that run them.

use std::path::Path;

use rookery_tests::{Apps, Bundle, Options, Server, installed, repository, until};
use serde_json::{Value, json};

/// What runs a script.
pub const RUNTIMES: [&str; 3] = ["bun", "deno", "node"];

/// The script that does what it is told, run by this runtime, in one process that is kept.
pub fn script(runtime: &str) -> Bundle {
    script_with(runtime, json!({}))
}

/// The same with more in its manifest, or other things.
pub fn script_with(runtime: &str, more: Value) -> Bundle {
    installed(runtime);
    let mut manifest = json!({
        "runtime": runtime,
        "ttl": 600,
        "workers": { "max": 1 },
        "grants": { "env": ["SCRIPT_DIARY"] },
    });
    for (key, value) in more.as_object().unwrap() {
        manifest[key] = value.clone();
    }
    Bundle::of_folder(&fixture("script")).manifest(manifest)
}

/// An app of one file.
pub fn file(name: &str, source: &str, manifest: Value) -> Bundle {
    Bundle::empty().manifest(manifest).file(name, source)
}

/// A folder of the fixtures.
pub fn fixture(name: &str) -> std::path::PathBuf {
    repository().join("tests/fixtures").join(name)
}

/// A server with the script as an app of each runtime's name.
pub async fn every_runtime() -> Server {
    every_runtime_with(Options::new()).await
}

/// The same with settings.
pub async fn every_runtime_with(options: Options) -> Server {
    let apps = RUNTIMES.iter().fold(Apps::new(), |apps, runtime| {
        apps.with(&format!("{runtime}/1.0.0"), script(runtime))
    });
    Server::start_with(apps, options).await
}

/// The process that answers for the app.
pub async fn pid(server: &Server, app: &str) -> u32 {
    let answer = server.get(&format!("/{app}/pid")).await;
    let text = answer.text();
    text.parse()
        .unwrap_or_else(|_| panic!("{app} answered {} {text}", answer.status))
}

/// One of the pool's figures.
pub async fn metric(server: &Server, name: &str) -> u64 {
    let metrics = server.get("/_/metrics").await.json();
    metrics[name].as_u64().unwrap()
}

/// What the script says that it saw.
pub async fn seen(server: &Server, app: &str, what: &str) -> u64 {
    let seen = server.get(&format!("/{app}/seen")).await.json();
    seen[what].as_u64().unwrap()
}

/// Sends a process a signal, such as `KILL`.
pub fn signal(pid: u32, name: &str) {
    let kill = std::process::Command::new("sh")
        .args(["-c", &format!("kill -{name} {pid}")])
        .status();
    assert!(kill.unwrap().success());
}

/// Waits until a process runs no more.
pub async fn gone(pid: u32) {
    until(&format!("process {pid} is gone"), async || {
        (!runs(pid)).then_some(())
    })
    .await;
}

/// Whether a process runs: one that ended and was not buried by its parent does not.
fn runs(pid: u32) -> bool {
    let status = Path::new("/proc").join(pid.to_string()).join("status");
    let Ok(status) = std::fs::read_to_string(status) else {
        return false;
    };
    let state = status.lines().find_map(|line| line.strip_prefix("State:"));
    !state.is_some_and(|state| state.trim_start().starts_with(['Z', 'X']))
}
