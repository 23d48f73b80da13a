//! Processes that die, and what else does not.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rookery_tests::{Apps, Options, Server, until};
use serde_json::json;
use tokio::time::Instant;

use super::stage::{
    RUNTIMES, every_runtime, every_runtime_with, gone, metric, pid, script_with, seen, signal,
};

/// Buntime 50.
#[tokio::test]
async fn a_process_that_exits_fails_its_request_alone_and_is_replaced() {
    let server = every_runtime().await;
    for (failed, app) in (1..).zip(RUNTIMES) {
        let before = pid(&server, app).await;
        let answer = server.get(&format!("/{app}/exit")).await;
        assert!(answer.status.is_server_error(), "{app}: {}", answer.status);
        let after = pid(&server, app).await;
        assert_ne!(before, after, "{app}");
        assert_eq!(metric(&server, "totalWorkersFailed").await, failed, "{app}");
    }
}

/// Buntime 50. Killed from outside, with requests under way.
#[tokio::test]
async fn a_process_that_is_killed_fails_what_it_had_and_nothing_else() {
    const UNDER_WAY: u64 = 8;
    let apps = Apps::new()
        .with("bun/1.0.0", script_with("bun", json!({})))
        .with("other/1.0.0", script_with("bun", json!({})));
    let server = Server::start(apps).await;
    let (killed, other) = (pid(&server, "bun").await, pid(&server, "other").await);
    let waiting: Vec<_> = (0..UNDER_WAY)
        .map(|_| tokio::spawn(server.call("GET", "/bun/wait").send()))
        .collect();
    until("all are with the app", async || {
        (seen(&server, "bun", "waiting").await == UNDER_WAY).then_some(())
    })
    .await;
    let mut elsewhere = rookery_tests::Events::of(server.call("GET", "/other/events").open().await);
    assert_eq!(elsewhere.next().await.as_deref(), Some("hello"));
    let begun = Instant::now();
    signal(killed, "KILL");
    for one in waiting {
        assert_eq!(one.await.unwrap().status, 502);
    }
    // Far less than any timeout: they failed because it died.
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_ne!(pid(&server, "bun").await, killed);
    assert_eq!(metric(&server, "totalWorkersFailed").await, 1);
    assert_eq!(pid(&server, "other").await, other);
    let call = server.call("POST", "/other/tell").body("still here");
    assert_eq!(call.send().await.text(), "1");
    assert_eq!(elsewhere.next().await.as_deref(), Some("still here"));
}

/// Those who come while it dies were never with it.
#[tokio::test]
async fn a_process_that_is_killed_under_load_fails_no_more_than_it_had() {
    const CLIENTS: u64 = 16;
    const ENOUGH: u64 = 20 * CLIENTS;
    let apps = Apps::new().with("bun/1.0.0", script_with("bun", json!({})));
    let server = Server::start(apps).await;
    let killed = pid(&server, "bun").await;
    let (answers, enough) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
    // Each has at most one request under way, and never stops for a failure.
    let client = async |_| {
        let mut failures = Vec::new();
        while answers.load(Ordering::SeqCst) < enough.load(Ordering::SeqCst) {
            let begun = Instant::now();
            let upload = server.call("POST", "/bun/size").body("five!");
            match upload.send().await {
                answer if answer.status == 200 => assert_eq!(answer.text(), "5"),
                answer => failures.push((begun, answer.status)),
            }
            answers.fetch_add(1, Ordering::SeqCst);
        }
        failures
    };
    let more = async |answered: u64| {
        until("more is answered", async || {
            (answers.load(Ordering::SeqCst) >= answered).then_some(())
        })
        .await;
    };
    let killer = async {
        more(ENOUGH).await;
        signal(killed, "KILL");
        // While a thread of it lives its sockets are open; when it is reaped, none does.
        let known = Path::new("/proc").join(killed.to_string());
        until("it is reaped", async || (!known.exists()).then_some(())).await;
        let dead = Instant::now();
        enough.store(answers.load(Ordering::SeqCst) + ENOUGH, Ordering::SeqCst);
        dead
    };
    let clients = futures_util::future::join_all((0..CLIENTS).map(client));
    let (failures, dead) = tokio::join!(clients, killer);
    for failures in failures {
        // Whoever was with it when it died, and nobody who came when it was dead.
        assert!(failures.len() <= 1, "{failures:?}");
        assert!(failures.iter().all(|(begun, _)| *begun < dead));
        assert!(failures.iter().all(|(_, status)| *status == 502));
    }
    assert_ne!(pid(&server, "bun").await, killed);
    assert_eq!(metric(&server, "totalWorkersFailed").await, 1);
}

/// Buntime 47, 48. A loop that never ends blocks all that its process has; the next request has another process.
#[tokio::test]
async fn an_endless_loop_ends_at_its_deadline() {
    let manifest = json!({ "timeout": 1, "workers": { "max": 2 } });
    let apps = RUNTIMES.iter().fold(Apps::new(), |apps, runtime| {
        let bundle = script_with(runtime, manifest.clone());
        apps.with(&format!("{runtime}/1.0.0"), bundle)
    });
    let server = Server::start(apps).await;
    let mut spinning = Vec::new();
    for app in RUNTIMES {
        let pid = pid(&server, app).await;
        let call = server.call("GET", &format!("/{app}/spin"));
        spinning.push((app, pid, tokio::spawn(call.send())));
    }
    for (app, spinning, answer) in spinning {
        assert_eq!(answer.await.unwrap().status, 504, "{app}");
        until(&format!("{app} answers again"), async || {
            let answer = server.get(&format!("/{app}/pid")).await;
            (answer.status == 200 && answer.text() != spinning.to_string()).then_some(())
        })
        .await;
        gone(spinning).await;
    }
}

/// The server has no time to say anything. One of the processes would not hear it, either.
#[tokio::test]
async fn no_process_outlives_a_server_that_was_killed() {
    let mut server = every_runtime().await;
    let mut pids = Vec::new();
    for app in RUNTIMES {
        pids.push(pid(&server, app).await);
    }
    let spinning = tokio::spawn(server.call("GET", "/bun/spin").try_send());
    server.signal("KILL");
    let killed = Instant::now();
    server.exited().await;
    for pid in pids {
        gone(pid).await;
    }
    // Two seconds on a machine that does nothing else.
    assert!(killed.elapsed() < Duration::from_secs(20));
    let _ = spinning.await;
}

/// Buntime 68.
#[tokio::test]
async fn no_process_has_a_secret_of_the_server() {
    const SECRET: &str = "tell-nobody-of-this-one";
    let options = Options::new()
        .set("SERVER_SECRET", SECRET)
        .set("SCRIPT_DIARY", "/dev/null")
        .set("ROOKERY_ADMIN_TOKEN", format!("{SECRET}-token"));
    let server = every_runtime_with(options).await;
    for app in RUNTIMES {
        let environment = server.get(&format!("/{app}/env")).await;
        assert!(!environment.text().contains(SECRET), "{app}");
        let environment = environment.json();
        let ours = environment.as_object().unwrap().keys();
        let ours: Vec<_> = ours.filter(|name| name.starts_with("ROOKERY_")).collect();
        assert!(ours.is_empty(), "{app}: {ours:?}");
        assert_eq!(environment["SCRIPT_DIARY"], "/dev/null", "{app}");
        assert_eq!(environment["BASE_PATH"], format!("/{app}"));
        // What the system knows of it, and of who started it.
        let pid = pid(&server, app).await;
        for pid in [pid, parent(pid)] {
            let path = Path::new("/proc").join(pid.to_string()).join("environ");
            let environment = std::fs::read(path).unwrap();
            let environment = String::from_utf8_lossy(&environment).into_owned();
            assert!(!environment.contains(SECRET), "{app}: {environment}");
        }
    }
}

/// Who started a process: its guard, which ends it when the server is gone.
fn parent(pid: u32) -> u32 {
    let path = Path::new("/proc").join(pid.to_string()).join("status");
    let status = std::fs::read_to_string(path).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    parent.unwrap().trim().parse().unwrap()
}
