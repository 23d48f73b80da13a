//! Bounds, and what is repeated of an author's text.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::json;

use super::*;

#[track_caller]
fn check<S: Shape>(shape: &S, json: Value, expected: Result<S::Value, &str>)
where
    S::Value: PartialEq + std::fmt::Debug,
{
    let read = shape
        .read(&json)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<String>());
    assert_eq!(read, expected.map_err(str::to_owned), "{json}");
}

#[test]
fn both_bounds_are_within() {
    let seconds = Seconds(Duration::from_millis(1)..=Duration::from_secs(60));
    check(&seconds, json!("1ms"), Ok(Duration::from_millis(1)));
    check(&seconds, json!(60), Ok(Duration::from_secs(60)));
    check(&seconds, json!(60.001), Err("must be from 1ms to 1m"));
    check(&seconds, json!(0), Err("must be from 1ms to 1m"));
    check(
        &seconds,
        json!(1e300),
        Err("expected seconds, or a text like \"500ms\", \"45s\", \"2m\", \"1h\", found 1e+300"),
    );
    let bytes = Bytes(1024..=2048);
    check(&bytes, json!("1kb"), Ok(1024));
    check(&bytes, json!(2048), Ok(2048));
    check(&bytes, json!(2049), Err("must be from 1kb to 2kb"));
    let count = Count(1_u32..=3);
    check(&count, json!("3"), Ok(3));
    check(&count, json!(4), Err("must be from 1 to 3"));
    check(
        &count,
        json!(u64::MAX),
        Err("expected a whole number, found 18446744073709551615"),
    );
}

#[test]
fn a_list_reports_each_of_its_faults_and_its_own_length() {
    let flags = List {
        item: Flag,
        items_max: 3,
    };
    check(&flags, json!([true, false]), Ok(vec![true, false]));
    check(
        &flags,
        json!([1, true, "x"]),
        Err("[0]: expected true or false, found 1[2]: expected true or false, found \"x\""),
    );
    check(
        &flags,
        json!([true, true, true, true]),
        Err("has more than 3 items"),
    );
    check(&flags, json!({}), Err("expected a list, found an object"));
}

#[test]
fn a_choice_lists_its_words() {
    let choice = Choice(&[("a", 1), ("b", 2)]);
    check(&choice, json!("b"), Ok(2));
    check(
        &choice,
        json!("c"),
        Err("expected one of \"a\", \"b\", found \"c\""),
    );
}

#[test]
fn the_nearest_key_ignores_case_and_survives_any_length() {
    let known = ["timeout", "ttl", "maxRequests"];
    assert_eq!(nearest("TIMEOUTS", &known), "timeout");
    assert_eq!(nearest("maxrequests", &known), "maxRequests");
    assert_eq!(nearest("", &known), "ttl");
    nearest(&"x".repeat(1 << 20), &known);
}

#[test]
fn a_quoted_text_is_short_and_has_no_control_character() {
    assert_eq!(quoted("a\nb"), "a\\nb");
    assert_eq!(quoted(&"x".repeat(61)), "x".repeat(60) + "…");
}
