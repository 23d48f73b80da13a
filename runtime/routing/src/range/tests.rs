//! Rows of npm's rules, and a checker that knows no intervals.

use proptest::prelude::*;

use super::*;
use crate::{Fallback, Selector, Table};

fn version(text: &str) -> Version {
    Version::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// `inside` and `outside` are versions between blanks.
#[track_caller]
fn check(range: &str, inside: &str, outside: &str) {
    let parsed = Range::parse(range).unwrap_or_else(|| panic!("{range} is a range"));
    for text in inside.split_whitespace() {
        assert!(parsed.matches(&version(text)), "{text} is in {range}");
    }
    for text in outside.split_whitespace() {
        assert!(!parsed.matches(&version(text)), "{text} is not in {range}");
    }
}

#[test]
fn a_partial_version_is_all_that_begins_with_it() {
    check("1", "1.0.0 1.9.9", "0.9.9 2.0.0 1.0.0-rc.1 2.0.0-rc.1");
    check("1.x", "1.0.0 1.9.9", "2.0.0");
    check("1.x.x", "1.0.0 1.9.9", "2.0.0");
    check("1.X.3", "1.0.0 1.9.9", "2.0.0");
    check("v1.2", "1.2.0 1.2.9", "1.1.9 1.3.0 1.3.0-0");
    check("1.2.*", "1.2.0 1.2.9", "1.3.0");
    check("1.2.x-beta", "1.2.0 1.2.9", "1.2.0-beta");
    for anything in [
        "", "*", "x", "X", "x.1", "~x", "^*", ">=*", "<=*", "=*", "||", "1 ||", "* *",
    ] {
        check(anything, "0.0.0 1.2.3 99.0.0", "1.0.0-rc.1");
    }
    for nothing in [">*", "<x", "<*", ">* 1", "<0.0.0", ">2 <1"] {
        check(nothing, "", "0.0.0 1.2.3 2.0.0 99.0.0 0.0.0-0");
    }
}

#[test]
fn a_caret_keeps_the_first_number_that_is_not_zero() {
    check(
        "^1.2.3",
        "1.2.3 1.2.4 1.99.0",
        "1.2.2 2.0.0 2.0.0-alpha 1.3.0-rc.1",
    );
    check("^1.2", "1.2.0 1.3.0", "1.1.9 2.0.0");
    check("^1", "1.0.0 1.3.0", "0.9.0 2.0.0");
    check("^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0");
    check("^0.0.3", "0.0.3", "0.0.2 0.0.4 0.1.0");
    check("^0.0", "0.0.0 0.0.9", "0.1.0");
    check("^0", "0.0.0 0.9.9", "1.0.0");
    check("^1.2.3+build", "1.2.3 1.3.0", "1.2.2 2.0.0");
    check("^ 1.2", "1.2.0 1.3.0", "1.1.9 2.0.0");
}

#[test]
fn a_tilde_lets_the_patch_grow() {
    check("~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0");
    check("~1.2", "1.2.0 1.2.9", "1.1.9 1.3.0");
    check("~1", "1.0.0 1.9.0", "0.9.9 2.0.0");
    check("~>1.2.3", "1.2.3 1.2.9", "1.3.0");
    check("~> 1", "1.0.0 1.9.0", "2.0.0");
    check(
        "~v0.5.4-pre",
        "0.5.4-pre 0.5.4 0.5.5",
        "0.5.3 0.5.4-alpha 0.6.0-0",
    );
}

#[test]
fn comparators_take_partials_as_npm_does() {
    check(">1", "2.0.0", "1.0.0 1.9.9");
    check(">1.2", "1.3.0", "1.2.9 1.3.0-beta");
    check(">1.2.3", "1.2.4 2.0.0", "1.2.3 1.2.3+build");
    check(">=1.2", "1.2.0 2.0.0", "1.1.9");
    check("<=1.2", "1.2.9 0.1.0", "1.3.0");
    check("<=1.2.3", "1.2.3 1.2.3+build", "1.2.4 1.2.3-beta");
    check("<1.2", "1.1.9", "1.2.0 1.2.0-0");
    check("=1.2", "1.2.5", "1.3.0");
    check("> 1.2.3   <  2", "1.2.4 1.9.9", "1.2.3 2.0.0");
    check(">=1 <2", "1.0.0 1.9.9", "0.9.9 2.0.0");
    check(">=1.2.1 1.2.3", "1.2.3", "1.2.1 1.2.4");
    check("~1.2.1 >=1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0");
    check(">1.2.3 >=1.2.3", "1.2.4", "1.2.3");
    check("<=2.0.0 <2.0.0", "1.9.9", "2.0.0");
}

#[test]
fn a_hyphen_is_from_and_to() {
    check("1.2.3 - 2.3.4", "1.2.3 2.3.4", "1.2.2 2.3.5");
    check("1.2 - 2.3", "1.2.0 2.3.9", "1.1.9 2.4.0");
    check("1 - 2", "1.0.0 2.9.9", "0.9.9 3.0.0");
    check("x - 1", "0.0.0 1.9.9", "2.0.0");
    check("1 - x", "1.0.0 99.0.0", "0.9.9");
    check(
        "1.2.3-pre+a - 2.4.3-pre+b",
        "1.2.3 1.2.3-pre.2 2.4.3-alpha 2.0.0-rc.1",
        "2.4.3 1.2.3-a",
    );
}

#[test]
fn alternatives_are_a_union() {
    check("1.2.x || 2.x", "1.2.9 2.9.9", "1.3.0 3.0.0");
    check(">=0.2.3||<0.0.1", "0.0.0 0.2.3 1.0.0", "0.0.1 0.2.2");
    check("1 || 1.2 || 3", "1.0.0 3.0.0", "2.0.0");
}

#[test]
fn prereleases_count_when_the_range_names_one_and_then_all_between_the_bounds() {
    check(
        "^1.0.0-rc.2",
        "1.0.0-rc.2 1.0.0-rc.3 1.0.0 1.1.0-beta",
        "1.0.0-rc.1 2.0.0-alpha 2.0.0",
    );
    check(">=1.0.0-0", "1.0.0-alpha 3.0.0-beta", "0.9.9");
    check("<2.0.0-rc.1", "2.0.0-beta 1.0.0", "2.0.0-rc.1 2.0.0");
    check(
        "1 || 9.0.0-rc.1",
        "1.0.0-alpha 1.5.0-beta 9.0.0-rc.1",
        "2.0.0-0 9.0.0",
    );
    check("~1 || 9.0.0-rc.1", "1.0.0 1.5.0-beta", "1.0.0-alpha");
    check("^1.2.3 || 9.0.0-rc.1", "1.2.3", "1.2.3-alpha");
    check("^0.2.3 || 9.0.0-rc.1", "0.2.3-alpha", "0.2.2");
    check(
        "1.2.3 - 2 || 9.0.0-rc.1",
        "1.2.3-alpha 2.9.9-rc.1",
        "3.0.0-0",
    );
    // A dash in build metadata names no prerelease.
    check(">=1.0.0+a-b", "1.0.0", "2.0.0-rc.1");
}

/// One comparator as drawn: a sign, and how much of the version it gives.
type Drawn = (&'static str, Version, usize);

fn written((sign, version, given): &Drawn) -> String {
    let Version {
        major,
        minor,
        patch,
        ..
    } = version;
    match given {
        1 => format!("{sign}{major}"),
        2 => format!("{sign}{major}.{minor}"),
        _ => format!("{sign}{major}.{minor}.{patch}"),
    }
}

/// Whether a stable version is in, by the words of npm's documentation instead of by bounds.
fn is_in(version: &Version, (sign, of, given): &Drawn) -> bool {
    let numbers = [version.major, version.minor, version.patch];
    let wanted = [of.major, of.minor, of.patch];
    let same = |count: usize| numbers[..count] == wanted[..count];
    let (begins, above) = (same(*given), numbers[..*given] > wanted[..*given]);
    let not_below = begins || above;
    match *sign {
        "" | "=" => begins,
        ">" => above,
        ">=" => not_below,
        "<" => !not_below,
        "<=" => !above,
        // "Allows patch-level changes if a minor version is specified, minor-level changes if not."
        "~" => not_below && same((*given).min(2)),
        // "Allows changes that do not modify the left-most non-zero element."
        _ => {
            not_below
                && same(
                    wanted[..*given]
                        .iter()
                        .position(|&number| number != 0)
                        .unwrap_or(given - 1)
                        + 1,
                )
        }
    }
}

fn small_version() -> impl Strategy<Value = Version> {
    (0..4_u64, 0..4_u64, 0..4_u64)
        .prop_map(|(major, minor, patch)| Version::new(major, minor, patch))
}

fn drawn_range() -> impl Strategy<Value = Vec<Vec<Drawn>>> {
    let sign = prop::sample::select(vec!["", "=", ">", ">=", "<", "<=", "~", "^"]);
    let comparator = (sign, small_version(), 1..=3_usize);
    prop::collection::vec(prop::collection::vec(comparator, 1..4), 1..4)
}

proptest! {
    #[test]
    fn what_is_resolved_is_the_highest_that_a_naive_checker_lets_in(
        drawn in drawn_range(),
        versions in prop::collection::vec(small_version(), 1..24),
        beta_major in 0..4_u64,
    ) {
        let sets: Vec<_> = drawn.iter().map(|set| set.iter().map(written).collect::<Vec<_>>().join(" ")).collect();
        let text = sets.join(" || ");
        let selector = Selector::Range(Range::parse(&text).expect("what was drawn is a range"));
        let expected = versions.iter().filter(|v| drawn.iter().any(|set| set.iter().all(|c| is_in(v, c)))).max();
        let beta = Version { pre: semver::Prerelease::new("beta").expect("a word"), ..Version::new(beta_major, 1, 1) };
        let table: Table<()> = versions.iter().cloned().chain([beta]).map(|v| ("app", v, ())).collect();
        let resolved = table.resolve("app", &selector, Fallback::None).map(|resolved| resolved.version);
        prop_assert_eq!(resolved, expected, "{}", text);
    }

    #[test]
    fn with_prereleases_too_the_highest_match_is_found(
        words in prop::collection::vec("(|[<>]=?|[~^])[0-2]([.][0-2]([.][0-2](-[ab])?)?)?", 1..4),
        separators in prop::collection::vec(prop::sample::select(vec![" ", " || "]), 3),
        versions in prop::collection::vec("[0-2][.][0-2][.][0-2](-[ab])?([+][ab])?", 1..24),
    ) {
        let text: String = words.iter().zip(&separators).flat_map(|(word, separator)| [*separator, word]).collect();
        let range = Range::parse(text.trim_start_matches(" || ")).expect("what was drawn is a range");
        let table: Table<()> = versions.iter().map(|text| ("app", version(text), ())).collect();
        let expected = table.versions("app").map(|(version, ())| version).filter(|v| range.matches(v)).max();
        let selector = Selector::Range(range.clone());
        let resolved = table.resolve("app", &selector, Fallback::None);
        prop_assert_eq!(resolved.map(|resolved| resolved.version), expected, "{}", text);
        let fallback = table.resolve("app", &selector, Fallback::Highest).expect("the app has a version");
        prop_assert_eq!(fallback.exact, range.matches(fallback.version), "{}", text);
    }
}
