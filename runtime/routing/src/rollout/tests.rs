//! Claims about shares, and about who keeps what when they change.

use proptest::prelude::*;

use super::*;
use crate::{By, Fallback, Selector, Table};

fn version(text: &str) -> Version {
    Version::parse(text).expect("a version")
}

fn weights(parts: &[(&str, f64)]) -> Weights {
    let share = |percent| Share::of_percent(percent).expect("a share");
    let parts = parts.iter();
    let parts = parts.map(|(text, percent)| (version(text), share(*percent)));
    Weights::new(parts).expect("weights")
}

fn lots() -> impl Iterator<Item = Lot> {
    (0..=u16::MAX).map(Lot)
}

/// A table of all of these, with a rollout.
fn table(versions: &str, parts: &[(&str, f64)], sessions: Sessions) -> Table<String> {
    let mut table = Table::builder();
    for text in versions.split_whitespace() {
        table.insert("chat", version(text), text.to_owned());
    }
    table.roll("chat", weights(parts), sessions);
    table.build()
}

/// The versions that lots are led to, each with how many percent of all lots that is.
fn led(table: &Table<String>, selector: &str) -> Vec<(String, f64)> {
    let selector = Selector::parse(selector).expect("a selector");
    let mut counts = std::collections::BTreeMap::<String, u32>::new();
    for lot in lots() {
        let led = table.resolve_for("chat", &selector, Fallback::Highest, || lot);
        *counts.entry(led.expect("some").value.clone()).or_default() += 1;
    }
    let counts = counts.into_iter();
    counts
        .map(|(version, count)| (version, f64::from(count) / 655.36))
        .collect()
}

#[track_caller]
fn check(table: &Table<String>, selector: &str, expected: &[(&str, f64)]) {
    let led = led(table, selector);
    assert_eq!(led.len(), expected.len(), "{selector}: {led:?}");
    for ((version, percent), (expected_version, expected)) in led.iter().zip(expected) {
        assert_eq!(version, expected_version, "{selector}: {led:?}");
        // Five standard deviations of a half of all lots.
        assert!((percent - expected).abs() < 1.0, "{selector}: {led:?}");
    }
}

#[test]
fn lots_are_spread_as_the_weights_say() {
    let all = "1.0.0 1.1.0 2.0.0";
    let two = table(all, &[("1.0.0", 95.0), ("1.1.0", 5.0)], Sessions::Follow);
    check(&two, "", &[("1.0.0", 95.0), ("1.1.0", 5.0)]);
    let three = [("1.0.0", 50.0), ("1.1.0", 30.0), ("2.0.0", 20.0)];
    check(&table(all, &three, Sessions::Follow), "", &three);
}

#[test]
fn a_range_divides_among_the_versions_that_it_allows() {
    let three = [("1.0.0", 60.0), ("1.1.0", 20.0), ("2.0.0", 20.0)];
    let table = table("1.0.0 1.1.0 1.2.0 2.0.0 3.0.0", &three, Sessions::Follow);
    check(&table, "1", &[("1.0.0", 75.0), ("1.1.0", 25.0)]);
    check(&table, "^1.1", &[("1.1.0", 100.0)]);
    check(&table, "2", &[("2.0.0", 100.0)]);
    // Without a share in it, a range is what it is without a rollout; so are versions.
    check(&table, "3", &[("3.0.0", 100.0)]);
    check(&table, "1.2.0", &[("1.2.0", 100.0)]);
    // What is not there falls back to what everybody gets.
    check(&table, "9", &three);
}

#[test]
fn who_decided_is_told() {
    let table = table(
        "1.0.0 1.1.0 2.0.0",
        &[("1.0.0", 50.0), ("1.1.0", 50.0)],
        Sessions::Follow,
    );
    let by = |selector: &str| {
        let selector = Selector::parse(selector).expect("a selector");
        let resolved = table.resolve_for("chat", &selector, Fallback::None, || Lot(7));
        resolved.expect("some").by
    };
    assert_eq!(
        (by(""), by("1"), by("~1.0.0")),
        (By::Lot, By::Lot, By::Rollout)
    );
    assert_eq!((by("1.0.0"), by("2")), (By::Selector, By::Selector));
}

#[test]
fn a_lot_is_asked_for_only_where_it_decides() {
    let mut builder = Table::builder();
    for text in ["1.0.0", "1.1.0"] {
        builder.insert("plain", version(text), ());
        builder.insert("rolled", version(text), ());
    }
    builder.roll("rolled", Weights::whole(version("1.0.0")), Sessions::Follow);
    let table = builder.build();
    let nobody = || -> Lot { panic!("nobody is to be asked") };
    let led = |app| table.resolve_for(app, &Selector::None, Fallback::None, nobody);
    assert_eq!(*led("plain").expect("some").version, version("1.1.0"));
    assert_eq!(*led("rolled").expect("some").version, version("1.0.0"));
}

#[test]
fn weights_of_what_does_not_serve_go_to_the_others() {
    let gone = table(
        "1.0.0 3.0.0",
        &[("1.0.0", 10.0), ("2.0.0", 90.0)],
        Sessions::Follow,
    );
    check(&gone, "", &[("1.0.0", 100.0)]);
    let none = table("1.0.0 3.0.0", &[("2.0.0", 100.0)], Sessions::Follow);
    check(&none, "", &[("3.0.0", 100.0)]);
}

#[test]
fn without_a_lot_the_heaviest_answers() {
    let table = table(
        "1.0.0 1.1.0",
        &[("1.0.0", 60.0), ("1.1.0", 40.0)],
        Sessions::Follow,
    );
    for selector in ["", "1", "9"] {
        let asked = Selector::parse(selector).expect("a selector");
        let resolved = table.resolve("chat", &asked, Fallback::Highest);
        assert_eq!(resolved.expect("some").value, "1.0.0", "{selector}");
    }
}

#[test]
fn sessions_follow_or_stay() {
    let session = |sessions, selector: &str, at: &str| {
        let table = table("1.0.0 1.1.0", &[("1.1.0", 100.0)], sessions);
        let selector = Selector::parse(selector).expect("a selector");
        let at = version(at);
        let resolved = table.resolve_session("chat", &selector, Fallback::None, Lot(1), &at);
        resolved.expect("some").value.clone()
    };
    assert_eq!(session(Sessions::Follow, "", "1.0.0"), "1.1.0");
    assert_eq!(session(Sessions::Keep, "", "1.0.0"), "1.0.0");
    assert_eq!(session(Sessions::Keep, "1", "1.0.0"), "1.0.0");
    // One whose version is gone goes where the others are.
    assert_eq!(session(Sessions::Keep, "", "0.9.0"), "1.1.0");
    // Who asked for a version is no part of a rollout.
    assert_eq!(session(Sessions::Follow, "1.0.0", "1.0.0"), "1.0.0");
    assert_eq!(session(Sessions::Keep, "1.1.0", "1.0.0"), "1.1.0");
}

#[test]
fn weights_add_up_or_are_none() {
    let share = |percent| Share::of_percent(percent).expect("a share");
    let two = |a, b| Weights::new([(version("1.0.0"), share(a)), (version("2.0.0"), share(b))]);
    assert_eq!(
        two(60.0, 50.0),
        Err(WeightsError::Sum { hundredths: 11_000 })
    );
    assert_eq!(two(0.0, 100.0), Ok(Weights::whole(version("2.0.0"))));
    let twice = [
        (version("1.0.0"), share(50.0)),
        (version("1.0.0"), share(50.0)),
    ];
    assert_eq!(
        Weights::new(twice),
        Err(WeightsError::Twice(version("1.0.0")))
    );
    assert_eq!(Weights::new([]), Err(WeightsError::Sum { hundredths: 0 }));
    for wrong in [-0.01, 100.01, 0.001, f64::NAN, f64::INFINITY] {
        assert_eq!(Share::of_percent(wrong), None, "{wrong}");
    }
    assert_eq!(share(12.34).to_string(), "12.34 %");
}

#[test]
fn one_version_gets_a_share_and_the_others_stay_as_they_are_to_each_other() {
    let share = |percent| Share::of_percent(percent).expect("a share");
    let canary = version("2.0.0");
    let check = |before: &[(&str, f64)], percent, expected: Option<&[(&str, f64)]>| {
        let with = weights(before).with(&canary, share(percent));
        assert_eq!(with, expected.map(weights), "{before:?} {percent}");
    };
    let stable = [("1.0.0", 100.0)];
    check(&stable, 5.0, Some(&[("1.0.0", 95.0), ("2.0.0", 5.0)]));
    check(&stable, 100.0, Some(&[("2.0.0", 100.0)]));
    check(&stable, 0.0, Some(&stable));
    let two = [("1.0.0", 75.0), ("1.1.0", 25.0)];
    let expected = [("1.0.0", 60.0), ("1.1.0", 20.0), ("2.0.0", 20.0)];
    check(&two, 20.0, Some(&expected));
    check(&expected, 0.0, Some(&two));
    check(&expected, 20.0, Some(&expected));
    let thirds = [("1.0.0", 33.34), ("1.1.0", 33.33), ("1.2.0", 33.33)];
    let rest = [
        ("1.0.0", 0.02),
        ("1.1.0", 0.0),
        ("1.2.0", 0.0),
        ("2.0.0", 99.98),
    ];
    check(&thirds, 99.98, Some(&rest));
    check(&[("2.0.0", 100.0)], 50.0, None);
    assert_eq!(weights(&[("2.0.0", 100.0)]).without(&canary), None);
}

#[test]
fn a_lot_is_read_as_it_is_written() {
    for lot in lots() {
        assert_eq!(Lot::parse(&lot.to_string()), Some(lot));
    }
    for text in ["", "1", "+123", "12345", "zzzz", "00 1"] {
        assert_eq!(Lot::parse(text), None, "{text}");
    }
}

proptest! {
    /// Whoever moves does so to a version that grew more than the one that it leaves.
    #[test]
    fn a_change_of_weights_moves_nobody_it_need_not(
        before in prop::array::uniform3(0_u16..=5_000),
        after in prop::array::uniform3(0_u16..=5_000),
        first in any::<u16>(),
    ) {
        let texts = ["1.0.0", "1.1.0", "2.0.0"];
        // The last one has the rest.
        let whole = |[a, b, _]: [u16; 3]| [a, b, 10_000 - a - b];
        let (before, after) = (whole(before), whole(after));
        let spread = |parts: [u16; 3]| {
            let parts = texts.iter().zip(parts);
            let parts = parts.map(|(text, part)| (version(text), Share(part)));
            let weights = Weights::new(parts).expect("weights");
            Spread::new(&weights, Sessions::Follow, |one| {
                texts.iter().position(|text| version(text) == *one)
            })
            .expect("candidates")
        };
        let (old, new) = (spread(before), spread(after));
        for lot in (0..200).map(|step| Lot(first.wrapping_add(step))) {
            let place = |spread: &Spread| spread.draw(Some(|| lot), |_| true).expect("one").0;
            let (from, to) = (place(&old), place(&new));
            if from != to {
                prop_assert!(
                    f64::from(after[to]) * f64::from(before[from])
                        > f64::from(after[from]) * f64::from(before[to])
                );
            }
        }
    }
}
