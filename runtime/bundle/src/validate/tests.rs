//! What a manifest may say.

#![allow(clippy::unwrap_used)]

mod faults;

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::grants::TopicGrant;
use crate::manifest::{Health, RuntimeKind, TtlMode};

fn parse(json: &Value) -> Result<Parsed, BundleError> {
    parse_manifest(json.to_string().as_bytes())
}

#[track_caller]
fn manifest(json: Value) -> Manifest {
    parse(&json)
        .unwrap_or_else(|error| panic!("{json}: {error}"))
        .manifest
}

/// The faults of a manifest, a line each; none when it is valid.
#[track_caller]
fn check(json: Value, expected: &[&str]) {
    let faults = match parse(&json) {
        Ok(_) => Vec::new(),
        Err(BundleError::Invalid { faults, .. }) => {
            faults.iter().map(ToString::to_string).collect()
        }
        Err(error) => panic!("{json}: {error}"),
    };
    assert_eq!(faults, expected, "{json}");
}

#[track_caller]
fn check_warnings(json: Value, expected: &[&str]) {
    let parsed = parse(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
    assert_eq!(parsed.warnings, expected, "{json}");
}

#[test]
fn an_empty_manifest_has_the_seeds_defaults() {
    let manifest = manifest(json!({}));
    assert_eq!(manifest.timeout, Duration::from_secs(30));
    assert_eq!(manifest.ttl, Duration::ZERO);
    assert_eq!(manifest.idle_timeout, Duration::from_secs(60));
    assert_eq!(manifest.max_requests, 1000);
    assert!(!manifest.low_memory);
    assert!(manifest.proxy.is_empty());
    assert_eq!(manifest.entrypoint, None);
}

#[test]
fn an_empty_manifest_has_our_defaults() {
    let manifest = manifest(json!({}));
    assert_eq!(manifest.ttl_mode, TtlMode::Sliding);
    assert_eq!(manifest.health, Health::Path("/health".into()));
    assert!(manifest.inject_base && manifest.spa_fallback);
    assert_eq!((manifest.workers.min, manifest.workers.max), (0, None));
    assert_eq!(
        (manifest.queue.length, manifest.queue.timeout),
        (1000, Duration::from_secs(10))
    );
    assert_eq!(
        (manifest.memory, manifest.max_body_size),
        (64 << 20, 128 << 20)
    );
    assert_eq!(
        (manifest.sessions.outbox, manifest.sessions.max_message_size),
        (1 << 20, 1 << 20)
    );
    assert_eq!(manifest.sessions.idle_timeout, Duration::from_secs(120));
    assert_eq!(manifest.grants.topics, TopicGrant::All);
    assert!(!manifest.sessions.drop_oldest.has("room"));
    assert!(manifest.grants.hosts.is_empty() && manifest.grants.env.is_empty());
    assert!(
        manifest.namespace.is_none() && manifest.database.url.is_none() && manifest.jobs.is_empty()
    );
    assert_eq!(manifest, Manifest::default());
}

#[test]
fn null_is_as_good_as_absent() {
    assert_eq!(
        manifest(json!({"timeout": null, "workers": null, "jobs": null, "name": null})),
        Manifest::default()
    );
}

#[test]
fn a_full_manifest_is_read_whole() {
    let full = manifest(json!({
        "$schema": "../worker-config.schema.json",
        "name": "@acme/chat", "version": "v1.2.0-rc.1", "entrypoint": "dist/app.wasm",
        "timeout": "2m", "ttl": "1h", "ttlMode": "absolute", "idleTimeout": "500ms", "maxRequests": "25",
        "lowMemory": "1", "proxy": {"^/api/": {"target": "http://b"}}, "static": "public", "runtime": "deno",
        "workers": {"min": 1, "max": 4}, "concurrency": 8, "queue": {"length": 0, "timeout": 2.5},
        "memory": "16mb", "maxBodySize": 0, "health": false, "injectBase": false, "spaFallback": false,
        "headers": {"x-b": "1", "X-A": "2"}, "namespace": "chat@1", "database": {"url": "${DB}", "keys": "database"},
        "grants": {"hosts": ["*.example.com:443"], "env": ["API_KEY"], "topics": ["room.*"], "jobs": true},
        "sessions": {"outbox": "2mb", "idleTimeout": "30s", "maxMessageSize": "64kb", "dropOldest": ["cursor.*"], "history": {"messages": 5, "age": 0}},
        "jobs": [{"name": "sweep", "schedule": "@hourly"}]
    }));
    assert_eq!(
        full.version.as_ref().map(ToString::to_string).as_deref(),
        Some("1.2.0-rc.1")
    );
    assert_eq!(
        (full.timeout, full.ttl),
        (Duration::from_secs(120), Duration::from_secs(3600))
    );
    assert_eq!(
        (full.idle_timeout, full.max_requests),
        (Duration::from_millis(500), 25)
    );
    assert!(
        full.low_memory
            && full.runtime == Some(RuntimeKind::Deno)
            && full.ttl_mode == TtlMode::Absolute
    );
    assert_eq!(
        (full.workers.min, full.workers.max, full.concurrency),
        (1, Some(4), 8)
    );
    assert_eq!(
        (full.queue.length, full.queue.timeout),
        (0, Duration::from_millis(2500))
    );
    assert_eq!(
        (full.memory, full.max_body_size, full.health.clone()),
        (16 << 20, 0, Health::Off)
    );
    assert!(!full.inject_base && !full.spa_fallback);
    assert_eq!(
        full.headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>(),
        ["x-b", "x-a"]
    );
    assert_eq!(
        full.namespace.as_ref().map(|name| name.as_str()),
        Some("chat@1")
    );
    assert!(full.grants.allows_host("api.example.com", 443) && !full.grants.allows_topic("rooms"));
    assert_eq!(
        (full.sessions.history.messages, full.sessions.history.age),
        (5, Duration::ZERO)
    );
    assert!(full.sessions.drop_oldest.has("cursor.1") && !full.sessions.drop_oldest.has("room"));
    assert_eq!((full.jobs.len(), full.proxy.len()), (1, 1));
}

#[test]
fn a_command_is_split_as_a_shell_would() {
    let argv = |command: Value| manifest(json!({ "command": command })).command.unwrap();
    assert_eq!(
        argv(json!("./server --name 'a b' \"c d\" e\\ f")),
        ["./server", "--name", "a b", "c d", "e f"]
    );
    assert_eq!(
        argv(json!(["./server", "a b", "$HOME", ""])),
        ["./server", "a b", "$HOME", ""]
    );
    // No shell: a variable stays what it is.
    assert_eq!(argv(json!("echo $HOME && x")), ["echo", "$HOME", "&&", "x"]);
    for (command, reason) in [
        (json!(""), "names no program"),
        (json!([]), "names no program"),
        (json!([""]), "names no program"),
        (
            json!("a 'b"),
            "has a quote that is not closed, or ends in \"\\\"",
        ),
        (json!(["a", 1]), "expected a list of strings, found 1"),
        (json!("a\u{0}b"), "must not contain a NUL character"),
    ] {
        check(
            json!({ "command": command }),
            &[&format!("command: {reason}")],
        );
    }
}

#[test]
fn low_memory_may_be_text() {
    for (value, expected) in [
        (json!("true"), true),
        (json!("1"), true),
        (json!("false"), false),
        (json!(true), true),
    ] {
        assert_eq!(manifest(json!({ "lowMemory": value })).low_memory, expected);
    }
    check(
        json!({"lowMemory": "yes"}),
        &["lowMemory: expected true, false, \"1\" or \"0\", found \"yes\""],
    );
}

#[test]
fn a_zero_that_buntime_takes_for_the_default_is_taken_so_and_said() {
    for zero in [json!(0), json!("0"), json!(0.0)] {
        let parsed =
            parse(&json!({"timeout": zero, "maxRequests": zero, "idleTimeout": zero, "ttl": zero}))
                .unwrap();
        assert_eq!(parsed.manifest, Manifest::default());
        assert_eq!(parsed.warnings.len(), 3, "{:?}", parsed.warnings);
    }
    check_warnings(
        json!({"timeout": "0s"}),
        &["timeout: 0 is taken for the default, \"30s\""],
    );
    check_warnings(
        json!({"maxRequests": 0}),
        &["maxRequests: 0 is taken for the default, 1000"],
    );
}

/// JSON of any shape, leaning towards what a manifest looks like.
fn any_json() -> impl Strategy<Value = Value> {
    let keys = crate::schema()["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect::<Vec<_>>();
    let inner = [
        "min", "max", "length", "hosts", "topics", "history", "name", "schedule", "url", "target",
        "^/a",
    ];
    let key = prop::sample::select([keys, inner.map(str::to_owned).to_vec()].concat());
    let texts = [
        "45s",
        "0",
        "16mb",
        "rate(5 minutes)",
        "*/5 * * * *",
        "@daily",
        "a.html",
        "1.2.3",
        "bun",
        "/health",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(texts.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|pairs| pairs.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_panic_the_parser(bytes in any::<Vec<u8>>()) {
        let _ = parse_manifest(&bytes);
    }

    #[test]
    fn no_json_panics_the_parser(json in any_json()) {
        match parse(&json) {
            Ok(_) | Err(BundleError::Syntax { .. }) => {}
            Err(BundleError::Invalid { faults, .. }) => {
                prop_assert!(!faults.is_empty());
                prop_assert!(faults.iter().all(|fault| fault.to_string().lines().count() == 1), "{:?}", faults);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn no_text_panics_a_schedule(text in r"[@a-z0-9*/,() -]{0,30}") {
        let _ = crate::job::Schedule::parse(&text);
    }
}
