//! What a `proxy` value may look like, and how its faults read.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Engine;

#[track_caller]
fn check(proxy: &Value, expected: Result<&[&str], &[&str]>) {
    let parsed = parse(proxy);
    let patterns = parsed.as_ref().map(|rules| {
        rules
            .iter()
            .map(|rule| rule.pattern.as_str())
            .collect::<Vec<_>>()
    });
    let faults = patterns
        .as_deref()
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>());
    match (faults, expected) {
        (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{proxy}"),
        (Err(found), Err(wanted)) => assert_eq!(found, wanted, "{proxy}"),
        (found, wanted) => panic!("{proxy}: {found:?}, expected {wanted:?}"),
    }
}

#[test]
fn the_seeds_rule_is_read_whole() {
    let rules = parse(&json!({
        "^/api/v(\\d+)/(.*)$": {
            "target": "${API_URL}",
            "rewrite": "/version/$1/$2",
            "changeOrigin": true,
            "secure": false,
            "headers": { "X-Custom": "value", "Authorization": "Bearer ${TOKEN}" }
        }
    }))
    .unwrap();
    let [rule] = rules.as_slice() else {
        panic!("one rule")
    };
    assert_eq!(rule.engine(), Engine::Linear);
    assert_eq!(
        rule.rewrite.as_ref().map(Template::as_str),
        Some("/version/$1/$2")
    );
    assert!(rule.change_origin);
    assert!(!rule.secure);
    assert_eq!(rule.headers[0].0, "x-custom");
    assert_eq!(rule.headers[1].1.as_str(), "Bearer ${TOKEN}");
    assert_eq!(rule.variables(), ["API_URL", "TOKEN"]);
}

#[test]
fn a_bare_rule_has_the_defaults() {
    let rules = parse(&json!([{"pattern": "^/", "target": "http://b", "rewrite": null}])).unwrap();
    assert!(rules[0].secure && !rules[0].change_origin);
    assert!(rules[0].rewrite.is_none() && rules[0].headers.is_empty());
}

#[test]
fn both_forms_keep_the_files_order() {
    // Integer-like keys too, which JavaScript would put first.
    let text = r#"{"z": {"target": "http://b"}, "1": {"target": "http://b"}, "a": {"target": "http://b"}}"#;
    check(&serde_json::from_str(text).unwrap(), Ok(&["z", "1", "a"]));
    let list =
        json!([{"pattern": "z", "target": "http://b"}, {"pattern": "a", "target": "ws://b"}]);
    check(&list, Ok(&["z", "a"]));
    check(&json!({}), Ok(&[]));
    check(&json!([]), Ok(&[]));
}

#[test]
fn every_fault_of_every_rule_is_reported_with_its_place() {
    check(
        &json!({
            "^/(": {"target": "ftp://b", "rewrit": "/x"},
            "^/ok": {"target": "http://b", "secure": "no", "headers": {"bad name": "x", "x-a": 1, "x-b": "a\nb"}},
            "^/n": 5
        }),
        Err(&[
            r#"["^/("].rewrit: unknown key; the nearest known one is "rewrite""#,
            r#"["^/("]: "(" at 2 is not closed"#,
            r#"["^/("].target: must be an http, https, ws or wss URL, or contain ${NAME}"#,
            r#"["^/ok"].secure: expected true or false"#,
            r#"["^/ok"].headers["bad name"]: is not a header's name"#,
            r#"["^/ok"].headers["x-a"]: expected a string"#,
            r#"["^/ok"].headers["x-b"]: has a character that no header's value may have"#,
            r#"["^/n"]: expected an object"#,
        ]),
    );
    check(
        &json!([{}, {"pattern": "a", "target": "http://b/${", "rewrite": "${}"}]),
        Err(&[
            "[0].pattern: is missing",
            "[0].target: is missing",
            r#"[1].target: a "${" is not closed"#,
            r#"[1].rewrite: a variable's name is a letter or "_", then letters, digits and "_""#,
        ]),
    );
}

#[test]
fn a_keyed_rule_has_no_pattern_of_its_own() {
    check(
        &json!({"a": {"pattern": "b", "target": "http://b"}}),
        Err(&[r#"["a"].pattern: unknown key; the nearest known one is "target""#]),
    );
}

#[test]
fn anything_else_is_refused_as_a_whole() {
    for proxy in [json!("x"), json!(1), json!(true)] {
        check(
            &proxy,
            Err(&[": expected an object of pattern and rule, or a list of rules"]),
        );
    }
    let many: Vec<_> = (0..=RULES_MAX)
        .map(|_| json!({"pattern": "a", "target": "http://b"}))
        .collect();
    check(&Value::Array(many), Err(&[": more than 4096 rules"]));
}

#[test]
fn a_headers_value_is_never_shown() {
    let faults =
        parse(&json!({"a": {"target": "http://b", "headers": {"authorization": "s3cret\n"}}}))
            .unwrap_err();
    assert!(!format!("{faults:?}").contains("s3cret"));
}

#[test]
fn every_key_that_is_read_is_in_the_schema() {
    let schema = crate::schema();
    let rule = &schema["anyOf"][1]["items"]["properties"];
    for key in &KEYS {
        assert!(rule[key.name]["description"].is_string(), "{}", key.name);
    }
}

/// JSON of any shape, leaning towards what a rule set looks like.
fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("pattern"),
        Just("target"),
        Just("headers"),
        Just("rewrite"),
        Just("(x")
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::from("http://b")),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_panics_the_parser(proxy in any_json()) {
        if let Err(faults) = parse(&proxy) {
            prop_assert!(!faults.is_empty());
            prop_assert!(faults.iter().all(|fault| !fault.reason.contains('\n')));
        }
    }
}
