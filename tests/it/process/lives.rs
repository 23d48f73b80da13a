//! How long a process lives, and what it is told of it.

use std::process::Command;

use rookery_tests::{Apps, Bundle, Options, Server, installed, rookery, until};
use serde_json::{Value, json};

use super::stage::{RUNTIMES, file, gone, metric, pid, script_with};

async fn with(manifest: Value) -> Server {
    Server::start(Apps::new().with("bun/1.0.0", script_with("bun", manifest))).await
}

/// What the script counted, over so many requests.
async fn counts(server: &Server, requests: usize) -> Vec<u32> {
    let mut counts = Vec::new();
    for _ in 0..requests {
        counts.push(server.get("/bun/count").await.text().parse().unwrap());
    }
    counts
}

/// Buntime 43.
#[tokio::test]
async fn without_a_time_to_live_every_request_has_a_fresh_process() {
    let server = with(json!({ "ttl": 0 })).await;
    assert_eq!(counts(&server, 3).await, [1; 3]);
    let (first, second) = (pid(&server, "bun").await, pid(&server, "bun").await);
    assert_ne!(first, second);
    gone(first).await;
    gone(second).await;
}

/// Buntime 43. It works, and is what nobody should want without knowing.
#[test]
fn check_says_what_a_process_for_each_request_costs() {
    let apps = Apps::new()
        .with(
            "fresh/1.0.0",
            file("index.js", "export default {}", json!({})),
        )
        .with(
            "kept/1.0.0",
            file("index.js", "export default {}", json!({ "ttl": 60 })),
        );
    let output = Command::new(rookery())
        .args(["check", "--json"])
        .arg(apps.dir())
        .output()
        .unwrap();
    let verdicts: Value = serde_json::from_slice(&output.stdout).unwrap();
    let warns = |at: usize| verdicts[at]["warnings"].to_string().contains("ttl");
    assert_eq!((warns(0), warns(1)), (true, false), "{verdicts}");
}

/// Buntime 44.
#[tokio::test]
async fn with_a_time_to_live_a_process_keeps_its_state() {
    let server = with(json!({ "ttl": 600 })).await;
    assert_eq!(counts(&server, 4).await, [1, 2, 3, 4]);
    assert!(metric(&server, "hits").await >= 3);
    until("four requests are counted", async || {
        let stats = server.get("/_/stats").await.json();
        (stats["workers"]["bun@1.0.0"]["requestCount"] == 4).then_some(())
    })
    .await;
}

/// Buntime 46.
#[tokio::test]
async fn a_process_is_replaced_after_as_many_requests_as_it_may_have() {
    let server = with(json!({ "maxRequests": 3 })).await;
    let first = pid(&server, "bun").await;
    assert_eq!(counts(&server, 2).await, [1, 2]);
    let second = pid(&server, "bun").await;
    assert_ne!(first, second);
    gone(first).await;
}

/// Buntime 46. The old one is not ended under the requests that it still has.
#[tokio::test]
async fn a_process_that_is_replaced_finishes_what_it_has_begun() {
    let server = with(json!({ "maxRequests": 2, "workers": { "max": 2 } })).await;
    let mut events = rookery_tests::Events::of(server.call("GET", "/bun/events").open().await);
    assert_eq!(events.next().await.as_deref(), Some("hello"));
    let first = pid(&server, "bun").await;
    let second = pid(&server, "bun").await;
    assert_ne!(first, second);
    // The stream is the first one's: it goes on until we leave, and then so does its process.
    drop(events);
    gone(first).await;
}

/// Buntime 54.
#[tokio::test]
async fn a_script_is_told_once_that_it_is_idle_and_again_after_new_work() {
    let apps = RUNTIMES.iter().fold(Apps::new(), |apps, runtime| {
        let manifest = json!({ "idleTimeout": "300ms", "workers": { "min": 1, "max": 1 } });
        apps.with(&format!("{runtime}/1.0.0"), script_with(runtime, manifest))
    });
    let server = Server::start(apps).await;
    for app in RUNTIMES {
        for count in ["1", "2"] {
            assert_eq!(server.get(&format!("/{app}/count")).await.text(), count);
            let told = format!("idle after {count}");
            until(&format!("{app} is told: {told}"), async || {
                let log = server.log();
                let line = log
                    .lines()
                    .find(|line| line.contains(&told) && line.contains(app));
                line.map(drop)
            })
            .await;
        }
    }
}

/// Buntime 54.
#[tokio::test]
async fn a_script_is_told_of_its_end_and_given_time_for_it() {
    for app in RUNTIMES {
        let apps = Apps::new().with(
            &format!("{app}/1.0.0"),
            script_with(app, json!({ "maxRequests": 2 })),
        );
        let diary = apps.outside().join("diary");
        let options = Options::new().set("SCRIPT_DIARY", diary.display());
        let mut server = Server::start_with(apps, options).await;
        let read = || std::fs::read_to_string(&diary).unwrap_or_default();
        for count in ["1", "2"] {
            let answer = server.get(&format!("/{app}/count")).await;
            assert_eq!(answer.text(), count, "{app}");
        }
        until(&format!("{app} wrote of its end"), async || {
            (read() == "ended after 2\n").then_some(())
        })
        .await;
        // And when the whole server ends.
        assert_eq!(server.get(&format!("/{app}/count")).await.text(), "1");
        server.signal("TERM");
        assert!(server.exited().await.success(), "{app}");
        assert_eq!(read(), "ended after 2\nended after 1\n", "{app}");
    }
}

/// Buntime 49.
#[tokio::test]
async fn a_script_that_does_not_load_is_an_error_with_the_reason_and_is_not_tried_for_each_request()
{
    let broken = |source: &str, runtime: &str| {
        installed(runtime);
        file(
            "index.mjs",
            source,
            json!({ "runtime": runtime, "ttl": 600 }),
        )
    };
    const THROWS: &str = "console.error('one more start'); throw new Error('no database today')";
    for app in RUNTIMES {
        let apps = Apps::new()
            .with("throws/1.0.0", broken(THROWS, app))
            .with("empty/1.0.0", broken("export const x = 1", app))
            .with(
                "lacks/1.0.0",
                broken("import x from 'nobody-has-this'; export default x", app),
            )
            .with("syntax/1.0.0", broken("export default { fetch( {", app));
        let server = Server::start(apps).await;
        for (name, reason) in [
            ("throws", "no database today"),
            ("empty", "no default export"),
            ("lacks", "nobody-has-this"),
            ("syntax", ""),
        ] {
            let answer = server.get(&format!("/{name}/")).await;
            assert_eq!(answer.status, 502, "{app} {name}");
            assert_eq!(answer.json()["code"], "WORKER_START_FAILED", "{app} {name}");
            until(&format!("the log has {app}'s {reason:?}"), async || {
                server.log().contains(reason).then_some(())
            })
            .await;
        }
        for _ in 0..50 {
            assert_eq!(server.get("/throws/").await.status, 502, "{app}");
        }
        let starts = server.log().matches("one more start").count();
        assert!((1..25).contains(&starts), "{app}: {starts} starts");
    }
}

/// Buntime 53. Whatever of the code changed: what is imported, or what a command starts.
#[tokio::test]
async fn the_same_version_deployed_anew_is_served_by_a_new_process() {
    const IMPORTS: &str =
        "import { text } from './lib/text.mjs'; export default { fetch: () => new Response(text) }";
    const LISTENS: &str = "
        import { createServer } from 'node:http';
        import { text } from './lib/text.mjs';
        createServer((_, response) => response.end(text)).listen(process.env.SOCKET)";
    for program in ["bun", "node"] {
        installed(program);
    }
    let says = |bundle: Bundle, text: &str| {
        bundle.file("lib/text.mjs", format!("export const text = '{text}';"))
    };
    let script = file("index.js", IMPORTS, json!({ "runtime": "bun", "ttl": 600 }));
    let command = json!({ "command": "node main.mjs", "ttl": 600 });
    let server = file("main.mjs", LISTENS, command);
    let apps = Apps::new()
        .with("script/1.0.0", says(script.clone(), "old"))
        .with("server/1.0.0", says(server.clone(), "old"));
    let host = Server::start(apps).await;
    for (app, bundle) in [("script", script), ("server", server)] {
        let path = format!("/{app}/");
        assert_eq!(host.get(&path).await.text(), "old");
        host.apps()
            .publish(&format!("{app}/1.0.0"), &says(bundle, "new"));
        until(&format!("the new code of {app} answers"), async || {
            let answer = host.get(&path).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            (answer.text() == "new").then_some(())
        })
        .await;
    }
}
