//! What `$` means in a rewrite.

#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::*;
use crate::engine::{Filter, Matcher, Verdict};
use crate::pattern::Pattern;

fn applied(pattern: &str, rewrite: &str, path: &str) -> Result<(String, Option<String>), TooLong> {
    let pattern = Pattern::parse(pattern).unwrap();
    let rewrite = Rewrite::new(&[Piece::Text(rewrite)], pattern.tree());
    let matcher = Matcher::new(
        pattern.tree(),
        &rewrite.read_groups(),
        &Filter::new(pattern.tree()),
    );
    match matcher.run(path, 10_000).verdict {
        Verdict::Matched(groups) => rewrite.apply(path, &groups),
        other => panic!("{path} is not matched: {other:?}"),
    }
}

#[track_caller]
fn check(pattern: &str, rewrite: &str, path: &str, expected: &str) {
    let (path, query) = applied(pattern, rewrite, path).unwrap();
    let whole = match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    assert_eq!(whole, expected, "{rewrite}");
}

#[test]
fn groups_are_named_by_number() {
    check(
        r"^/v(\d+)/(.*)$",
        "/version/$1/$2",
        "/v2/users",
        "/version/2/users",
    );
    check("^/(a)?(b)$", "/$1-$2", "/b", "/-b");
    check("^/(a)", "/$0$2$01$00$1", "/a", "/$0$2a$00a");
}

#[test]
fn two_digits_count_when_there_are_so_many_groups() {
    let ten = "^/(1)(2)(3)(4)(5)(6)(7)(8)(9)(a)$";
    check(ten, "/$10$9$1", "/123456789a", "/a91");
    check("^/(a)", "/$10$1", "/a", "/a0a");
    check(ten, "/$11", "/123456789a", "/11");
}

#[test]
fn groups_are_named_by_name() {
    check("^/(?<user>[^/]+)", "/u/$<user>/x", "/ada/y", "/u/ada/x");
    check(
        "^/(?<user>[^/]+)",
        "/$<nobody>/$<user",
        "/ada",
        "//$%3Cuser",
    );
    check("^/([^/]+)", "/$<user>", "/ada", "/$%3Cuser%3E");
}

#[test]
fn the_other_substitutions_are_javascripts() {
    check("b", "/$$1/$&/$`/$'", "/abc", "/$1/b//a/c");
    check("b", "/x$", "/abc", "/x$");
    check("b", "/$x$", "/abc", "/$x$");
}

#[test]
fn what_was_matched_means_nothing() {
    check("^/(.*)$", "/x/$1", "/$&$1$$", "/x/$&$1$$");
    check("^/(.*)$", "/x/$1", "/a%2fb%3f", "/x/a%2fb%3f");
}

#[test]
fn a_path_begins_with_one_slash_of_its_own() {
    check("^/(.*)$", "$1", "/a", "/a");
    check("^/(.*)$", "", "/a", "/");
    check("^(.*)$", "$1", "//evil.com", "//evil.com");
}

#[test]
fn a_question_mark_begins_a_query() {
    check("^/(.*)$", "/q?id=$1&x=?", "/a", "/q?id=a&x=?");
    check("^/(.*)$", "?$1", "/a", "/?a");
}

#[test]
fn what_no_uri_may_hold_is_encoded() {
    check("^/(.*)$", "/a b/é#$1", "/x", "/a%20b/%C3%A9%23x");
    check("^/(.*)$", "/a?b c#$1", "/x", "/a?b%20c%23x");
}

#[test]
fn a_rewrite_does_not_leave_its_root() {
    check("^/(.*)$", "/v1/.$1/x", "/.", "/x");
    check("^/(.*)$", "/../../$1", "/x", "/x");
}

#[test]
fn a_variable_holds_text() {
    let pattern = Pattern::parse("^/(a)").unwrap();
    let pieces = [
        Piece::Text("/$1$"),
        Piece::Value("1$1?k=".into()),
        Piece::Text("$1"),
    ];
    let rewrite = Rewrite::new(&pieces, pattern.tree());
    let groups = Matcher::new(
        pattern.tree(),
        &rewrite.read_groups(),
        &Filter::new(pattern.tree()),
    );
    let Verdict::Matched(groups) = groups.run("/a", 100).verdict else {
        panic!("it matches")
    };
    let (path, query) = rewrite.apply("/a", &groups).unwrap();
    assert_eq!((path.as_str(), query.as_deref()), ("/a$1$1", Some("k=a")));
}

#[test]
fn a_rewrite_that_repeats_itself_stays_bounded() {
    let path = format!("/{}", "a".repeat(1000));
    assert!(applied("^/(.*)$", &"$1".repeat(59), &path).is_ok());
    assert_eq!(applied("^/(.*)$", &"$1".repeat(61), &path), Err(TooLong));
}

/// Against what Node.js made of them (`tests/javascript/record.mjs`).
#[test]
fn a_rewrite_becomes_what_javascript_puts_in_place_of_the_match() {
    let recorded = include_str!("../../tests/javascript/recorded.json");
    let recorded: Value = serde_json::from_str(recorded).unwrap();
    let rewrites = recorded["rewrites"].as_array().unwrap();
    assert!(rewrites.len() > 300, "{}", rewrites.len());
    for entry in rewrites {
        let text = |index: usize| entry[index].as_str().unwrap();
        let pattern = Pattern::parse(text(0)).unwrap();
        let mut parts = Vec::new();
        read(text(1), pattern.tree(), &mut parts);
        let read: BTreeSet<u32> = parts.iter().filter_map(Part::group).collect();
        let filter = Filter::new(pattern.tree());
        let matcher = Matcher::new(pattern.tree(), &read, &filter);
        let Verdict::Matched(groups) = matcher.run(text(2), 10_000).verdict else {
            panic!("{entry} is not matched")
        };
        let written = write(&parts, text(2), &groups);
        assert_eq!(written.as_deref(), Ok(text(3)), "{entry}");
    }
}
