//! Which rule a path is for, and what it makes of it.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Certificate, Engine, PATH_BYTES_MAX, UriTooLong};

fn specs(rules: &Value) -> Vec<RuleSpec> {
    crate::parse(rules).unwrap()
}

fn set(rules: &Value) -> RuleSet {
    RuleSet::compile(&specs(rules), &[], &|_| None).unwrap()
}

/// `index url` of what is found, or nothing.
fn found(rules: &RuleSet, path: &str, query: Option<&str>) -> String {
    match rules.find(path).matched {
        Some(matched) => {
            format!("{} {}", matched.rule().index(), matched.uri(query).unwrap())
        }
        None => String::new(),
    }
}

#[track_caller]
fn check(rules: &Value, path: &str, expected: &str) {
    assert_eq!(found(&set(rules), path, None), expected, "{path}");
}

#[test]
fn the_first_rule_that_matches_wins() {
    let rules = json!({
        "^/api/(.*)$": {"target": "http://a", "rewrite": "/v1/$1"},
        "^/api/x$": {"target": "http://b"},
        "x$": {"target": "http://c"},
    });
    check(&rules, "/api/x", "0 http://a/v1/x");
    check(&rules, "/x", "2 http://c/x");
    check(&rules, "/y", "");
}

#[test]
fn few_rules_find_without_the_filter_what_they_find_with_it() {
    let few = json!([
        {"pattern": "^/a/(.*)$", "target": "http://a", "rewrite": "/$1"},
        {"pattern": "b(\\d+)", "target": "http://b", "rewrite": "/$1"},
    ]);
    let mut many = few.clone();
    for name in ["x", "y", "z"] {
        let rule = json!({"pattern": format!("^/never/{name}$"), "target": "http://c"});
        many.as_array_mut().unwrap().push(rule);
    }
    let (few, many) = (set(&few), set(&many));
    assert!(few.asks_each && !many.asks_each);
    for (path, expected) in [
        ("/a/b1", "0 http://a/b1"),
        ("/c/b12", "1 http://b/12"),
        ("/c", ""),
    ] {
        assert_eq!(found(&few, path, None), expected);
        assert_eq!(found(&many, path, None), expected);
    }
    // One whose verdict is the filter's own is never asked without it.
    assert!(!set(&json!({"^/a": {"target": "http://a"}})).asks_each);
}

#[test]
fn a_rule_that_only_may_match_does_not_hide_the_next() {
    let rules = json!([
        {"pattern": "^/(?!admin)(.*)$", "target": "http://a", "rewrite": "/x/$1"},
        {"pattern": "^/(admin)/\\1$", "target": "http://b"},
        {"pattern": "^/admin", "target": "http://c"},
    ]);
    check(&rules, "/users", "0 http://a/x/users");
    check(&rules, "/admin/admin", "1 http://b/admin/admin");
    check(&rules, "/admin/x", "2 http://c/admin/x");
}

#[test]
fn the_targets_base_is_kept() {
    let rules = json!([
        {"pattern": "^/a/(.*)$", "target": "http://a/base/", "rewrite": "$1"},
        {"pattern": "^/b", "target": "https://b:8443/x?k=1", "rewrite": "/y?l=2"},
    ]);
    check(&rules, "/a/x", "0 http://a/base/x");
    check(&rules, "/a/", "0 http://a/base/");
    check(&rules, "/a/../a/..%2f", "0 http://a/base/..%2f");
    assert_eq!(
        found(&set(&rules), "/b", Some("m=3")),
        "1 https://b:8443/x/y?k=1&l=2&m=3"
    );
}

#[test]
fn a_path_never_changes_the_host() {
    let rules = json!([{"pattern": "^/r(.*)$", "target": "http://a", "rewrite": "$1"}, {"pattern": "", "target": "http://b"}]);
    assert!(crate::parse(&rules).is_err());
    let rules = json!([{"pattern": "^/r(.*)$", "target": "http://a", "rewrite": "$1"}, {"pattern": "^", "target": "http://b"}]);
    let rules = set(&rules);
    for path in [
        "/r//evil.com/x",
        "/r@evil.com",
        "/r:80/x",
        "//evil.com",
        "/\\evil.com",
        "/r.evil.com",
    ] {
        let lookup = rules.find(path);
        let uri = lookup.matched.unwrap().uri(None).unwrap();
        assert!(matches!(uri.host(), Some("a" | "b")), "{path}: {uri}");
        assert_eq!(uri.port_u16(), None, "{path}");
    }
    assert_eq!(found(&rules, "//evil.com", None), "1 http://b//evil.com");
}

#[test]
fn the_requests_query_is_kept_and_cannot_break_out() {
    let rules = set(&json!({"^/": {"target": "http://a"}}));
    assert_eq!(
        found(&rules, "/x", Some("q=1&q=é")),
        "0 http://a/x?q=1&q=%C3%A9"
    );
    assert_eq!(found(&rules, "/x", Some("")), "0 http://a/x?");
    assert_eq!(found(&rules, "/x", Some("a#b")), "0 http://a/x?a%23b");
}

#[test]
fn variables_come_from_the_environment_as_far_as_they_are_granted() {
    let rules = specs(&json!({"^/(.*)$": {
        "target": "${API}", "rewrite": "/${STAGE}/$1", "headers": {"authorization": "Bearer ${TOKEN}"}
    }}));
    let granted = ["API", "STAGE", "TOKEN"].map(str::to_owned);
    let environment = |name: &str| match name {
        "API" => Some("https://b/base".to_owned()),
        "STAGE" => Some("$1 x".to_owned()),
        "TOKEN" => Some("s3cret".to_owned()),
        _ => None,
    };
    let set = RuleSet::compile(&rules, &granted, &environment).unwrap();
    assert_eq!(found(&set, "/a", None), "0 https://b/base/$1%20x/a");
    let (_, value) = &set.rules()[0].headers()[0];
    assert_eq!(value, "Bearer s3cret");
    assert!(!format!("{set:?}").contains("s3cret"));

    let faults = RuleSet::compile(&rules, &granted[..2], &|name| {
        (name == "STAGE").then(String::new)
    });
    let faults: Vec<_> = faults
        .unwrap_err()
        .into_iter()
        .map(|fault| (fault.to_string(), fault.cause))
        .collect();
    assert_eq!(
        faults,
        [
            (
                r#"["^/(.*)$"].target: uses ${API}, which is not set in the environment"#.to_owned(),
                Cause::NotSet("API".to_owned())
            ),
            (
                r#"["^/(.*)$"].headers["authorization"]: uses ${TOKEN}, which grants.env does not list"#.to_owned(),
                Cause::Rule
            ),
        ]
    );
}

#[test]
fn what_a_variable_makes_of_a_rule_is_checked() {
    let rules = specs(&json!([
        {"pattern": "a", "target": "${V}", "headers": {"x-a": "${V}", "host": "${V}"}},
    ]));
    let granted = ["V".to_owned()];
    let faults = |value: &'static str| {
        let compiled = RuleSet::compile(&rules, &granted, &|_| Some(value.to_owned()));
        let faults = compiled.map(drop).unwrap_err();
        faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        faults("a\nb"),
        [
            "[0].target: is not a URL",
            r#"[0].headers["x-a"]: has a character that no header's value may have"#,
            r#"[0].headers["host"]: is not a host"#,
        ]
    );
    assert_eq!(faults("ftp://x").len(), 2);
}

#[test]
fn change_origin_comes_before_the_rules_own_headers() {
    let rules = set(&json!([
        {"pattern": "a", "target": "wss://b:8443/x", "changeOrigin": true, "secure": false, "headers": {"Origin": "x"}},
        {"pattern": "b", "target": "http://b"},
    ]));
    let [changed, plain] = rules.rules() else {
        panic!("two rules")
    };
    let mut headers = http::HeaderMap::new();
    headers.insert("host", "client".parse().unwrap());
    headers.insert("cookie", "c".parse().unwrap());
    changed.set_headers(&mut headers);
    assert_eq!(headers["host"], "b:8443");
    assert_eq!(headers["origin"], "x");
    assert_eq!(headers["cookie"], "c");
    assert_eq!(changed.headers()[1].1, "https://b:8443");
    assert_eq!(
        (changed.certificate(), plain.certificate()),
        (Certificate::Any, Certificate::Verified)
    );
    assert!(plain.headers().is_empty());
}

#[test]
fn what_is_too_long_to_send_is_said() {
    let rules = set(&json!({"^/(.*)$": {"target": "http://a", "rewrite": "$1$1$1$1$1$1"}}));
    let path = format!("/{}", "a".repeat(12_000));
    assert_eq!(
        rules.find(&path).matched.unwrap().uri(None),
        Err(UriTooLong)
    );
    let rules = set(&json!({"^/(.*)$": {"target": "http://a"}}));
    let query = "q".repeat(60_000);
    assert_eq!(
        rules.find(&path).matched.unwrap().uri(Some(&query)),
        Err(UriTooLong)
    );
}

/// Whether a rule would match it or not: what rules keep from a worker must not come to it by being long.
#[test]
fn a_path_that_is_too_long_is_shown_to_no_rule_and_passes_none() {
    let rules = set(&json!({"^/b": {"target": "http://a"}}));
    let path = |bytes: usize| format!("/{}", "a".repeat(bytes - 1));
    assert!(rules.find(&path(PATH_BYTES_MAX)).matched.is_none());
    let found = rules.find(&path(PATH_BYTES_MAX + 1)).matched;
    assert_eq!(found.unwrap().uri(None), Err(UriTooLong));
    // As the rules would see it: three bytes for each.
    let found = rules.find(&format!("/{}", "\"".repeat(PATH_BYTES_MAX / 2)));
    assert_eq!(found.matched.unwrap().uri(None), Err(UriTooLong));
    let none = set(&json!({}));
    assert!(none.find(&path(PATH_BYTES_MAX + 1)).matched.is_none());
}

#[test]
fn a_rule_that_gives_up_is_named_once_and_the_next_is_asked() {
    let rules = set(&json!([
        {"pattern": "^/(?:a+)+(?=x)", "target": "http://a"},
        {"pattern": "^/a", "target": "http://b"},
    ]));
    let path = format!("/{}", "a".repeat(100));
    for is_first in [true, false] {
        let lookup = rules.find(&path);
        assert_eq!(lookup.gave_up.len(), 1);
        assert_eq!(lookup.gave_up[0].rule.index(), 0);
        assert_eq!(lookup.gave_up[0].is_first, is_first);
        assert_eq!(lookup.matched.unwrap().rule().index(), 1);
    }
    assert_eq!(
        (rules.rules()[0].gave_up(), rules.rules()[1].gave_up()),
        (2, 0)
    );
}

#[test]
fn no_rules_match_nothing() {
    assert!(set(&json!({})).find("/").matched.is_none());
}

#[test]
fn a_rule_knows_its_engine() {
    let rules = set(&json!([
        {"pattern": "^/(?:(a)|b)*$", "target": "http://a"},
        {"pattern": "^/(?:(a)|b)*$", "target": "http://a", "rewrite": "/$1"},
    ]));
    assert_eq!(rules.rules()[0].engine(), Engine::Linear);
    assert_eq!(rules.rules()[1].engine(), Engine::Bounded);
    assert_eq!(found(&rules, "/ab", None), "0 http://a/ab");
}

/// Pieces of paths, of URLs and of what has a meaning in one of them.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        r"[a-z/.%@:?#&= \\]{0,8}",
        Just("//evil.test".to_owned()),
        Just("/../".to_owned()),
        Just("%2e%2E/".to_owned()),
        Just("@".to_owned()),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn any_rewrite() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any_text(),
        r"\$[0-9&`'$<]{1,2}",
        Just("$<a>".to_owned()),
        Just("?".to_owned())
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// What a browser sends, and no whitespace, control character or fragment.
fn is_sent(path_and_query: &str) -> bool {
    let (path, query) = path_and_query
        .split_once('?')
        .unwrap_or((path_and_query, ""));
    let is_visible = |text: &str, not: &[u8]| {
        text.bytes()
            .all(|c| c.is_ascii_graphic() && !not.contains(&c))
    };
    is_visible(path, b"\"#<>?\\^`{}") && is_visible(query, b"\"#<>")
}

proptest! {
    #[test]
    fn whatever_is_rewritten_is_a_uri_below_its_target(
        pattern in prop_oneof![
            Just("(?<a>.*)"), Just("^/(?<a>.)(.*)$"), Just("(.)(.)?(.)?"), Just("(?=(?<a>/))"), Just("(?<a>[^/]+)$"),
        ],
        rewrite in prop::option::of(any_rewrite()),
        path in any_text(),
        query in prop::option::of(any_text()),
    ) {
        let rules = json!([{"pattern": pattern, "target": "http://a/base", "rewrite": rewrite}]);
        // A rewrite may be no template.
        let Ok(specs) = crate::parse(&rules) else { return Ok(()) };
        let Ok(set) = RuleSet::compile(&specs, &[], &|_| None) else { return Ok(()) };
        if let Some(matched) = set.find(&path).matched {
            let uri = matched.uri(query.as_deref()).unwrap();
            prop_assert_eq!(uri.authority().unwrap().as_str(), "a");
            let sent = uri.path_and_query().unwrap().as_str();
            prop_assert!(is_sent(sent), "{}", sent);
            prop_assert!(uri.path().starts_with("/base/"), "{}", sent);
            let is_dots = |segment: &str| matches!(segment.to_lowercase().replace("%2e", ".").as_str(), "." | "..");
            prop_assert!(!uri.path().split('/').any(is_dots), "{}", sent);
            prop_assert_eq!(uri.to_string().parse::<http::Uri>().unwrap(), uri);
        }
    }

    #[test]
    fn no_pattern_panics_a_rule_set(pattern in r"[ab1(){}\[\]\\|?*+^$<>=!:,kcx./-]{1,20}", path in "[ab1/.-]{0,12}") {
        let rules = json!([{"pattern": pattern, "target": "http://a", "rewrite": "/$1$&"}]);
        if let Ok(specs) = crate::parse(&rules) {
            let set = RuleSet::compile(&specs, &[], &|_| None).unwrap();
            let _ = set.find(&path);
        }
    }
}
