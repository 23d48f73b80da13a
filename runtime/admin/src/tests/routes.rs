//! What each route answers, to whom.

use serde_json::json;

use super::{Server, locked};
use crate::Access;

const ROUTES: [&str; 9] = [
    "/_/",
    "/_/page/main.js",
    "/_/logs",
    "/_/page.css",
    "/_/metrics",
    "/_/metrics.prom",
    "/_/stats",
    "/_/sse",
    "/_/deployments",
];

#[tokio::test]
async fn the_metrics_begin_with_buntimes_twelve_fields() {
    let metrics = Server::new(Access::Open)
        .ask("GET /_/metrics", &[])
        .await
        .json();
    let fields: Vec<_> = metrics.as_object().unwrap().iter().take(12).collect();
    let expected = [
        ("activeWorkers", json!(2)),
        ("avgResponseTimeMs", json!(1.5)),
        ("evictions", json!(3)),
        ("hitRate", json!(33.33)),
        ("hits", json!(1)),
        ("memoryUsageMB", json!(1.5)),
        ("misses", json!(2)),
        ("requestsPerSecond", json!(0.5)),
        ("totalRequests", json!(30)),
        ("totalWorkersFailed", json!(4)),
        ("totalWorkersCreated", json!(5)),
        ("uptimeMs", json!(60_000)),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(
        fields,
        expected
            .iter()
            .map(|(name, value)| (name, value))
            .collect::<Vec<_>>()
    );
    assert_eq!(
        (&metrics["queueDepth"], &metrics["sessions"]),
        (&json!(6), &json!(8))
    );
}

#[tokio::test]
async fn the_statistics_have_a_line_for_each_revision() {
    let server = Server::new(Access::Open);
    let stats = server.ask("GET /_/stats", &[]).await.json();
    let fields: Vec<_> = stats.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "pool",
            "workers",
            "recent",
            "revisions",
            "hub",
            "proxies",
            "faults",
            "rollouts"
        ]
    );
    assert_eq!(
        stats["pool"],
        server.ask("GET /_/metrics", &[]).await.json()
    );
    let expected = concat!(
        r#"{"@team/chat@1.0.0":{"age":1000,"idle":20,"requestCount":30,"status":"active","workers":2,"#,
        r#""queueDepth":0,"failed":1,"responseTimeMs":{"p50":0.0,"p95":0.0,"p99":0.0}}}"#,
    );
    assert_eq!(stats["workers"].to_string(), expected);
}

#[tokio::test]
async fn a_revision_without_workers_has_a_line_that_says_why() {
    let server = Server::new(Access::Open);
    let stats = server.ask("GET /_/stats", &[]).await.json();
    let revisions = stats["revisions"].as_array().unwrap();
    assert_eq!(revisions.len(), 4);
    let (asked, failing) = (&revisions[0], &revisions[2]);
    assert_eq!(
        (
            &asked["app"],
            &asked["workers"],
            &asked["requests"],
            &asked["cpuTimeMs"]
        ),
        (&json!("@team/chat"), &json!(0), &json!(10), &json!(1250.0))
    );
    assert_eq!(asked["startFailure"], json!(null));
    let worker = &asked["workerList"][0];
    assert_eq!(
        (&worker["id"], &worker["state"], &asked["workersMore"]),
        (&json!(7), &json!("busy"), &json!(9))
    );
    assert_eq!(
        failing["startFailure"],
        json!({ "reason": "no such file", "attempts": 8, "retryInMs": 1500 })
    );
    let refused = json!({
        "id": 4, "app": "bad", "version": "1.0.0", "state": "refused",
        "startFailure": { "reason": "no component", "attempts": 3, "retryInMs": null }, "sessions": 0,
    });
    assert_eq!(revisions[3], refused);
    for field in ["responseTimeMs", "queueWaitMs", "coldStartMs"] {
        assert!(asked[field]["p99"].as_f64().unwrap() > 1.0, "{field}");
    }
}

#[test]
fn no_more_versions_than_a_bound_have_lines() {
    use crate::metrics::revisions::{SHOWN_MAX, write};
    use crate::{RevisionLine, Source as _};
    let known = super::Known::default().revisions().remove(0);
    let lines = (0..SHOWN_MAX as u64 + 5).map(|requests| {
        let mut line = RevisionLine {
            app: format!("app{requests}"),
            ..known.clone()
        };
        line.figures.as_mut().unwrap().requests = requests;
        line
    });
    let mut text = rookery_telemetry::prometheus::Exposition::new();
    write(&mut text, lines.collect());
    let text = text.finish();
    assert!(text.contains("rookery_revisions_omitted 5\n"));
    let workers = text
        .lines()
        .filter(|line| line.starts_with("rookery_revision_workers{"));
    assert_eq!(workers.count(), SHOWN_MAX);
    assert!(!text.contains("app=\"app4\"") && text.contains("app=\"app5\""));
}

#[tokio::test]
async fn prometheus_gets_text_where_it_asks_for_it() {
    let server = Server::new(Access::Open);
    let scraper = "accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let browser = "accept: text/html,application/xhtml+xml,*/*;q=0.8";
    for (line, headers, is_text) in [
        ("GET /_/metrics.prom", &[][..], true),
        ("GET /_/metrics.prom", &[browser], true),
        ("GET /_/metrics", &[scraper], true),
        ("GET /_/metrics", &["accept: TEXT/plain"], true),
        ("GET /_/metrics", &[], false),
        ("GET /_/metrics", &["accept: */*"], false),
        ("GET /_/metrics", &[browser], false),
        (
            "GET /_/metrics",
            &["accept: application/json, text/plain, */*"],
            false,
        ),
    ] {
        let answer = server.ask(line, headers).await;
        assert_eq!(
            answer.body.starts_with("# HELP"),
            is_text,
            "{line} {headers:?}"
        );
        let content_type = answer.header("content-type").unwrap();
        assert_eq!(
            content_type.starts_with("text/plain; version=0.0.4"),
            is_text,
            "{line} {headers:?}"
        );
    }
}

#[tokio::test]
async fn the_text_has_every_number() {
    let text = Server::new(Access::Open)
        .ask("GET /_/metrics.prom", &[])
        .await
        .body;
    for line in [
        "rookery_requests_total 30",
        "rookery_worker_hits_total 1",
        "rookery_worker_misses_total 2",
        "rookery_workers_created_total 5",
        "rookery_workers_failed_total 4",
        "rookery_workers_evicted_total 3",
        "rookery_queue_rejected_total 7",
        "rookery_workers_active 2",
        "rookery_workers_spare 0",
        "rookery_queue_depth 6",
        "rookery_uptime_seconds 60",
        "rookery_response_seconds_count 1",
        "rookery_response_seconds_sum 0.0015",
        "rookery_queue_wait_seconds_count 0",
        "rookery_cold_start_seconds_count 0",
        "rookery_lookup_seconds_count 0",
        "rookery_sessions 8",
        "rookery_topics 9",
        "process_resident_memory_bytes 1572864",
        // Two builds of one version are one line.
        r#"rookery_revision_sessions{app="@team/chat",version="1.0.0"} 18"#,
        r#"rookery_revision_requests_total{app="@team/chat",version="1.0.0"} 20"#,
        r#"rookery_revision_cpu_seconds_total{app="@team/chat",version="1.0.0"} 2.5"#,
        r#"rookery_revision_response_seconds_count{app="@team/chat",version="1.0.0"} 2"#,
        r#"rookery_revision_response_seconds_bucket{app="@team/chat",version="1.0.0",le="0.002048"} 2"#,
        r#"rookery_revision_queue_wait_seconds_count{app="@team/chat",version="1.0.0"} 2"#,
        r#"rookery_revision_cold_start_seconds_count{app="@team/chat",version="1.0.0"} 2"#,
        r#"rookery_revision_start_failures{app="@team/chat",version="1.0.0"} 0"#,
        r#"rookery_revision_start_failures{app="site",version="1.0.0"} 8"#,
        r#"rookery_revision_start_retry_seconds{app="site",version="1.0.0"} 1.5"#,
        "rookery_revisions_omitted 0",
        r#"rookery_revisions{state="live"} 3"#,
        r#"rookery_revisions{state="refused"} 1"#,
        r#"rookery_revisions{state="warming"} 0"#,
        "rookery_published_total 11",
    ] {
        assert!(
            text.lines().any(|one| one == line),
            "{line} is not in\n{text}"
        );
    }
    let mut families: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("# TYPE"))
        .collect();
    let count = families.len();
    families.sort_unstable();
    families.dedup();
    assert_eq!(
        families.len(),
        count,
        "a family that begins twice is refused by Prometheus"
    );
}

#[tokio::test]
async fn the_deployments_are_shown_as_they_are_known() {
    let deployments = Server::new(Access::Open)
        .ask("GET /_/deployments", &[])
        .await;
    assert_eq!(deployments.json(), json!({ "apps": [{ "name": "chat" }] }));
    assert_eq!(deployments.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn the_page_brings_what_it_needs_and_nothing_else_runs() {
    let server = Server::new(Access::Open);
    let page = server.ask("GET /_/", &[]).await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(!page.body.contains("<style") && !page.body.contains("style="));
    let linked: Vec<_> = page.body.split(['"', ' ']).collect();
    for name in [
        "page/main.js",
        "page.css",
        "metrics",
        "metrics.prom",
        "stats",
        "logs",
        "deployments",
    ] {
        assert!(linked.contains(&name), "{name} is linked");
    }
    for (path, content_type) in [
        ("page/main.js", "text/javascript"),
        ("page.css", "text/css"),
    ] {
        let answer = server.ask(&format!("GET /_/{path}"), &[]).await;
        assert!(
            answer
                .header("content-type")
                .unwrap()
                .starts_with(content_type),
            "{path}"
        );
    }
    let redirect = server.ask("GET /_", &[]).await;
    assert_eq!(
        (redirect.status.as_u16(), redirect.header("location")),
        (308, Some("/_/"))
    );
}

#[tokio::test]
async fn every_route_answers_head_and_refuses_what_would_write() {
    let server = Server::new(Access::Open);
    for path in ROUTES {
        let head = server.ask(&format!("HEAD {path}"), &[]).await;
        assert_eq!(
            (head.status.as_u16(), head.body.as_str()),
            (200, ""),
            "{path}"
        );
        if path != "/_/sse" {
            let len = server.ask(&format!("GET {path}"), &[]).await.body.len();
            // Between the two the processor time may have gained a digit.
            let told: usize = head.header("content-length").unwrap().parse().unwrap();
            assert!(told.abs_diff(len) <= 4, "{path} told {told} of {len}");
        }
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = server.ask(&format!("{method} {path}"), &[]).await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("allow")),
                (405, Some("GET, HEAD")),
                "{path}"
            );
            assert_eq!(answer.json()["code"], "METHOD_NOT_ALLOWED");
        }
    }
}

#[tokio::test]
async fn what_is_no_route_is_not_found() {
    let server = Server::new(Access::Open);
    for line in [
        "GET /_/nope",
        "GET /_/metrics/",
        "POST /_/nope",
        "GET /_/deployments/lists",
        "GET /_/%2e%2e/",
    ] {
        let answer = server.ask(line, &[]).await;
        assert_eq!(answer.status, 404, "{line}");
        assert_eq!(answer.json()["code"], "NOT_FOUND", "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_wanted_for_everything() {
    let server = Server::new(locked("s3cret"));
    let writes = [
        "/_/deployments/list",
        "/_/deployments/upload",
        "/_/deployments/chat/1.0.0",
    ];
    let mut paths: Vec<_> = ROUTES
        .into_iter()
        .chain(["/_", "/_/nope"])
        .chain(writes)
        .collect();
    // How a page looks is no secret.
    paths.retain(|path| *path != "/_/page.css");
    for path in paths {
        for (header, challenge) in [
            (None, "Bearer realm=\"rookery\""),
            (
                Some("authorization: Bearer wrong"),
                "Bearer realm=\"rookery\", error=\"invalid_token\"",
            ),
            (
                Some("authorization: Basic s3cret"),
                "Bearer realm=\"rookery\"",
            ),
        ] {
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE"] {
                // So that it is not the wrong tokens before that are answered.
                tokio::time::advance(std::time::Duration::from_secs(1)).await;
                let answer = server
                    .ask(&format!("{method} {path}"), header.as_slice())
                    .await;
                assert_eq!(answer.status, 401, "{method} {path} {header:?}");
                assert_eq!(
                    answer.header("www-authenticate"),
                    Some(challenge),
                    "{method} {path}"
                );
                assert!(!answer.body.contains("activeWorkers"));
            }
        }
    }
    assert_eq!(
        server
            .known
            .looks
            .load(std::sync::atomic::Ordering::Relaxed),
        0,
        "nobody looked"
    );
    let token = &["authorization: Bearer s3cret"];
    assert_eq!(server.ask("GET /_/metrics", token).await.status, 200);
    assert_eq!(server.ask("GET /_/nope", token).await.status, 404);
}
