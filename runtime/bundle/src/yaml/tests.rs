//! Claims about what a YAML text says, and which ones are refused.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[track_caller]
fn check(text: &str, expected: Value) {
    assert_eq!(parse(text), Ok(expected), "{text}");
}

/// `expected`: the beginning of the reason, then the line.
#[track_caller]
fn refuse(text: &str, expected: &str, line: usize) {
    let result = parse(text);
    let text: String = text.chars().take(40).collect();
    let defect = result.expect_err(&text);
    assert!(defect.reason.starts_with(expected), "{text}: {defect:?}");
    assert_eq!(defect.line, line, "{text}: {defect:?}");
    assert!(defect.column > 0);
}

#[test]
fn a_manifest_reads_as_its_json_does() {
    let text = "
# what it is
name: chat
version: 1.2.0
timeout: 45s
ttl: 60
lowMemory: true
static: 'public'
workers: { min: 1, max: 8 }
grants:
  hosts: [api.example, \"*.example\"]
  env:
    - TOKEN
headers:
  x-one: |-
    1
";
    let json = json!({
        "name": "chat", "version": "1.2.0", "timeout": "45s", "ttl": 60, "lowMemory": true, "static": "public",
        "workers": { "min": 1, "max": 8 },
        "grants": { "hosts": ["api.example", "*.example"], "env": ["TOKEN"] },
        "headers": { "x-one": "1" },
    });
    check(text, json.clone());
    check(&json.to_string(), json);
}

#[test]
fn plain_text_is_what_the_core_schema_says() {
    let rows = [
        ("7", json!(7)),
        ("-5", json!(-5)),
        ("+5", json!(5)),
        ("007", json!(7)),
        ("0x1F", json!(31)),
        ("0o17", json!(15)),
        ("1.5", json!(1.5)),
        (".5", json!(0.5)),
        ("1e3", json!(1000.0)),
        ("true", json!(true)),
        ("FALSE", json!(false)),
        ("~", json!(null)),
        ("null", json!(null)),
        ("", json!(null)),
        ("# a remark alone", json!(null)),
        ("---\n...", json!(null)),
        // Text, whatever YAML 1.1 took it for.
        ("yes", json!("yes")),
        ("off", json!("off")),
        ("1.2.0", json!("1.2.0")),
        ("30s", json!("30s")),
        ("1_000", json!("1_000")),
        ("12:30:45", json!("12:30:45")),
        (".inf", json!(".inf")),
        ("nan", json!("nan")),
        ("inf", json!("inf")),
        ("0x", json!("0x")),
        ("0x+1", json!("0x+1")),
        ("1e999", json!("1e999")),
        ("'7'", json!("7")),
        ("\"true\"", json!("true")),
    ];
    for (text, expected) in rows {
        check(text, expected);
    }
}

#[test]
fn what_json_does_not_have_is_refused_where_it_stands() {
    refuse("a: &x 1\nb: *x", "anchors are not read", 1);
    refuse("a: 1\nb: !secret x", "tags are not read", 2);
    refuse("a: 1\n<<: {}", "merges are not read", 2);
    refuse("a: 1\n---\nb: 2", "a second document", 2);
    refuse("? [a]\n: 1", "a key must be text", 1);
    refuse("a: 1\nb: 2\na: 3", "\"a\" is there twice", 3);
    refuse("a: 1\nb: [1,\nc: 2", "", 3);
    refuse("a:\n\t- 1", "", 2);
    refuse("a: 1\n b: 2", "", 2);
    refuse(&"[".repeat(200), "it is too deep", 1);
    refuse(&"[".repeat(100_000), "recursion limit exceeded", 1);
    refuse(&"- ".repeat(1000), "it is too deep", 1);
}

proptest! {
    #[test]
    fn no_text_panics(text: String, close in "[-:?*&!|>\\[\\]{},#\"'a1 \n\t~<]{0,40}") {
        let _ = parse(&text);
        let _ = parse(&close);
    }
}
