//! How the faults of a manifest read.

use std::time::Duration;

use serde_json::json;

use super::{check, check_warnings, parse};
use crate::error::BundleError;
use crate::validate::parse_manifest;

#[test]
fn every_fault_is_reported_at_once_in_a_line_with_its_field() {
    check(
        json!({
            "timeout": "abc", "ttl": -5, "maxRequests": 1.5, "workers": {"min": -1}, "memory": "1kb",
            "health": "ok", "version": "1.0", "name": "a/b", "headers": {"Content-Length": "1", "a b": "c", "d": 1},
            "grants": {"hosts": ["a", "http://b", 3], "env": ["A-B"]}, "jobs": [{"name": "x"}, 7], "queue": []
        }),
        &[
            "name: must be a letter or digit, then letters, digits, \".\", \"_\" and \"-\", at most 128; or @scope/name",
            "version: must be a whole version, such as 1.2.0 or 2.0.0-rc.1",
            "headers.Content-Length: belongs to the server",
            "headers.a b: is not a header's name",
            "headers.d: expected a string",
            "health: must start with \"/\" and have no space, \"?\" or \"#\"",
            "timeout: expected seconds, or a text like \"500ms\", \"45s\", \"2m\", \"1h\", found \"abc\"",
            "ttl: expected seconds, or a text like \"500ms\", \"45s\", \"2m\", \"1h\", found -5",
            "maxRequests: expected a whole number, found 1.5",
            "workers.min: expected a whole number, found -1",
            "queue: expected an object",
            "memory: must be from 1mb to 64gb",
            "grants.hosts[1]: must be a host, host:port, *.host or *, without a scheme or a path",
            "grants.hosts[2]: expected a string, found 3",
            "grants.env[0]: must be a letter or \"_\", then letters, digits and \"_\"",
            "jobs[0].schedule: is missing",
            "jobs[1]: expected an object",
        ],
    );
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    check(
        json!({"timeuot": 5}),
        &["timeuot: unknown key; the nearest known one is \"timeout\""],
    );
    check(
        json!({"Entrypoint": "x"}),
        &["Entrypoint: unknown key; the nearest known one is \"entrypoint\""],
    );
    check(
        json!({"maxrequest": 1}),
        &["maxrequest: unknown key; the nearest known one is \"maxRequests\""],
    );
    check(
        json!({"workers": {"mim": 1}}),
        &["workers.mim: unknown key; the nearest known one is \"min\""],
    );
    check(
        json!({"sessions": {"history": {"ages": 1}}}),
        &["sessions.history.ages: unknown key; the nearest known one is \"age\""],
    );
    check(
        json!({"jobs": [{"name": "a", "schedule": "@daily", "at": 1}]}),
        &["jobs[0].at: unknown key; the nearest known one is \"name\""],
    );
}

#[test]
fn a_rules_fault_has_its_place_below_proxy() {
    check(
        json!({"proxy": {"^/a": {"target": "b"}}, "ttl": "x"}),
        &[
            "proxy[\"^/a\"].target: must be an http, https, ws or wss URL, or contain ${NAME}",
            "ttl: expected seconds, or a text like \"500ms\", \"45s\", \"2m\", \"1h\", found \"x\"",
        ],
    );
    check(
        json!({"proxy": 1}),
        &["proxy: expected an object of pattern and rule, or a list of rules"],
    );
    check_warnings(
        json!({"proxy": {"(?=a)": {"target": "http://b"}}}),
        &["proxy: \"(?=a)\" needs the engine that counts its steps, which is slower"],
    );
}

#[test]
fn values_are_checked_against_each_other() {
    check(
        json!({"workers": {"min": 3, "max": 2}}),
        &["workers.min: is 3, more than workers.max, 2"],
    );
    check(json!({"workers": {"min": 2, "max": 2}}), &[]);
    check(
        json!({"command": "x", "entrypoint": "y.ts"}),
        &["command: cannot stand beside entrypoint: set one of them"],
    );
    let job = json!({"name": "a", "schedule": "rate(1 hour)"});
    check(
        json!({"jobs": [job], "grants": {"jobs": false}}),
        &["jobs: are listed, but grants.jobs is false"],
    );
    check(
        json!({"jobs": [job, job]}),
        &["jobs: has two of the name \"a\""],
    );
    check_warnings(
        json!({"command": "x", "runtime": "bun"}),
        &["runtime: has no effect beside command"],
    );
    check_warnings(
        json!({"sessions": {"maxMessageSize": "16mb"}}),
        &[
            "sessions.outbox: is smaller than sessions.maxMessageSize: a message that large cannot be passed on",
        ],
    );
}

#[test]
fn a_path_that_leaves_the_bundle_is_refused_by_its_text_and_not_repeated() {
    for path in ["../../etc/passwd", "/etc/passwd", "a/../../b", ".."] {
        for field in ["entrypoint", "static"] {
            let Err(BundleError::Invalid { faults, .. }) = parse(&json!({ field: path })) else {
                panic!("{path}")
            };
            assert_eq!(faults.len(), 1);
            assert!(!faults[0].to_string().contains("etc"), "{}", faults[0]);
        }
    }
    check(
        json!({"entrypoint": ""}),
        &["entrypoint: must be a path relative to the bundle"],
    );
    check(
        json!({"entrypoint": "./public/index.html", "static": "."}),
        &[],
    );
}

#[test]
fn secrets_are_not_repeated() {
    let error =
        parse(&json!({"database": {"url": "mysql://u:s3cret@h"}, "headers": {"x": "s3cret\n"}}))
            .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
}

#[test]
fn an_authors_text_stays_in_its_line() {
    let long = "x".repeat(5000);
    let error = parse(&json!({"timeout": "a\nb\u{1b}[31m", long: 1}))
        .unwrap_err()
        .to_string();
    assert_eq!(error.lines().count(), 3, "{error}");
    assert!(error.len() < 400 && !error.contains('\u{1b}'), "{error}");
}

#[track_caller]
fn check_syntax(bytes: &[u8], expected: &str) {
    assert_eq!(parse_manifest(bytes).unwrap_err().to_string(), expected);
}

#[test]
fn broken_json_says_where() {
    check_syntax(
        b"{\n  \"ttl\": 1,\n}",
        "worker.config.json is not JSON: trailing comma (line 3, column 1)",
    );
    check_syntax(
        b"",
        "worker.config.json is not JSON: EOF while parsing a value (line 1, column 0)",
    );
    check_syntax(
        b"[]",
        "worker.config.json is not JSON: expected an object (line 1, column 1)",
    );
    check_syntax(
        b"{\"name\": \"\xff\"}",
        "worker.config.json is not JSON: invalid unicode code point (line 1, column 11)",
    );
    let deep = "[".repeat(100_000);
    check_syntax(
        deep.as_bytes(),
        "worker.config.json is not JSON: recursion limit exceeded (line 1, column 128)",
    );
}

#[test]
fn a_byte_order_mark_is_left_out() {
    let parsed = parse_manifest("\u{feff}{\"ttl\": 5}".as_bytes()).unwrap();
    assert_eq!(parsed.manifest.ttl, Duration::from_secs(5));
}
