//! What patterns match, against what JavaScript recorded (`tests/javascript/record.mjs`).

#![allow(clippy::unwrap_used)]

use regex::RegexBuilder;
use serde_json::Value;

use super::linear::Linear;
use super::*;
use crate::pattern::{Pattern, PatternError};

const RECORDED: &str = include_str!("../../tests/javascript/recorded.json");
const STEPS_MAX: u64 = 1_000_000;

/// A pattern with what JavaScript makes of each path; nothing where it makes a `SyntaxError`.
type Entry = (String, Option<Vec<(String, Option<Groups>)>>);

fn recorded() -> Vec<Entry> {
    let text = std::env::var("CORPUS")
        .map_or(RECORDED.to_owned(), |p| std::fs::read_to_string(p).unwrap());
    let entries: Value = serde_json::from_str(&text).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of_path = |pair: &Value| (text(&pair[0]), pair[1].as_array().map(|all| groups(all)));
    entries["patterns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let paths = entry[1].as_array();
            let paths = paths.map(|paths| paths.iter().map(of_path).collect());
            (text(&entry[0]), paths)
        })
        .collect()
}

fn groups(ranges: &[Value]) -> Groups {
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let ranges = ranges.iter().zip(0..).filter_map(|(range, group)| {
        let range = range.as_array()?;
        Some((group, number(&range[0])..number(&range[1])))
    });
    Groups(ranges.collect())
}

fn only(groups: &Groups, read: &BTreeSet<u32>) -> Groups {
    let read = groups.0.iter().filter(|(group, _)| read.contains(group));
    Groups(read.cloned().collect())
}

/// The entries that are patterns, read.
fn patterns() -> impl Iterator<Item = (Pattern, Vec<(String, Option<Groups>)>)> {
    recorded().into_iter().filter_map(|(source, paths)| {
        let pattern = Pattern::parse(&source).ok()?;
        Some((pattern, paths.unwrap()))
    })
}

/// Inline modifiers are younger than the Node that recorded the rest.
#[test]
fn modifiers_change_case_and_dots_inside_of_their_group() {
    #[track_caller]
    fn check(source: &str, path: &str, expected: bool) {
        let pattern = Pattern::parse(source).unwrap();
        let read = BTreeSet::from([0]);
        let outcome = Matcher::new(pattern.tree(), &read, &Filter::new(pattern.tree()));
        let verdict = outcome.run(path, STEPS_MAX).verdict;
        assert_eq!(verdict != Verdict::Missed, expected, "{source} on {path}");
    }
    check("^/(?i:a)b$", "/Ab", true);
    check("^/(?i:a)b$", "/aB", false);
    check("^/(?i:a(?-i:b)c)$", "/AbC", true);
    check("^/(?i:a(?-i:b)c)$", "/ABC", false);
    check("^/(?i:[^a])$", "/A", false);
    check("^/(?i:[a-z]+)$", "/aZ", true);
    check(r"^/(?i:(a)\1)$", "/aA", true);
    check(r"^/(a)\1$", "/aA", false);
    check("^/(?s:.)(?m:$)", "/x", true);
}

#[test]
fn a_syntax_error_is_one_where_it_is_javascripts() {
    let mut refused = 0;
    for (source, paths) in recorded() {
        let parsed = Pattern::parse(&source);
        refused += usize::from(parsed.is_err());
        assert_eq!(parsed.is_ok(), paths.is_some(), "{source}: {parsed:?}");
        assert_ne!(parsed, Err(PatternError::TooLarge), "{source}");
    }
    assert!(refused > 50, "{refused}");
}

#[test]
fn the_machine_finds_what_javascript_finds() {
    for (pattern, paths) in patterns() {
        let program = Program::new(pattern.tree());
        let all: Vec<u32> = (0..=pattern.tree().groups).collect();
        for (path, expected) in paths {
            let outcome = machine::run(&program, &all, path.as_bytes(), STEPS_MAX);
            let expected = expected.map_or(Verdict::Missed, Verdict::Matched);
            assert_eq!(outcome.verdict, expected, "{} on {path}", pattern.as_str());
        }
    }
}

/// Which groups a rewrite may read: none, each alone, and all.
fn readings(tree: &Tree) -> Vec<BTreeSet<u32>> {
    let all = 0..=tree.groups;
    let mut readings = vec![BTreeSet::new(), all.clone().collect()];
    readings.extend(all.map(|group| BTreeSet::from([group])));
    readings
}

#[test]
fn the_linear_engine_is_only_used_where_it_finds_the_same() {
    let mut used = 0;
    for (pattern, paths) in patterns() {
        for read in readings(pattern.tree()) {
            if read.is_empty() || Engine::of(pattern.tree(), &read) != Engine::Linear {
                continue;
            }
            used += 1;
            let linear = Linear::new(pattern.tree(), &read).unwrap();
            let matcher = Matcher::new(pattern.tree(), &read, &Filter::new(pattern.tree()));
            for (path, expected) in &paths {
                let expected = expected.as_ref().map(|groups| only(groups, &read));
                let name = format!("{} on {path}, {read:?}", pattern.as_str());
                assert_eq!(linear.run(path), expected, "{name}");
                let verdict = matcher.run(path, 0).verdict;
                let expected = expected.map_or(Verdict::Missed, Verdict::Matched);
                assert_eq!(verdict, expected, "{name}");
            }
        }
    }
    assert!(used > 1000, "{used}");
}

#[test]
fn the_filter_lets_every_match_through_and_decides_where_it_may() {
    let mut decided = 0;
    for (pattern, paths) in patterns() {
        let translated = Filter::new(pattern.tree());
        let filter = RegexBuilder::new(&translated.text)
            .unicode(false)
            .build()
            .unwrap();
        let decides = translated.is_exact;
        decided += usize::from(decides);
        for (path, expected) in paths {
            let passed = filter.is_match(&path);
            assert!(
                passed || expected.is_none(),
                "{} on {path}",
                pattern.as_str()
            );
            assert!(
                !decides || passed == expected.is_some(),
                "{} on {path}",
                pattern.as_str()
            );
        }
    }
    assert!(decided > 300, "{decided}");
}

#[test]
fn a_path_that_is_too_much_for_the_machine_is_the_linear_engines() {
    let pattern = Pattern::parse("^/((?:a|aa)+)$").unwrap();
    let read = BTreeSet::from([1]);
    let matcher = Matcher::new(pattern.tree(), &read, &Filter::new(pattern.tree()));
    let path = format!("/{}", "a".repeat(1000));
    let expected = Verdict::Matched(Groups(vec![(1, 1..1001)]));
    assert_eq!(matcher.run(&path, 0).verdict, expected);
    let missed = matcher.run(&format!("{path}b"), 0);
    assert_eq!(missed.verdict, Verdict::Missed);
}
