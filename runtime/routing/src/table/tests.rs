//! Claims about what a table holds; which version is picked is told by `tests/`.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::rollout::Share;

fn version(text: &str) -> Version {
    Version::parse(text).expect("a version")
}

fn table() -> Table<u32> {
    let mut builder = Table::builder();
    builder
        .insert("b", version("2.0.0"), 20)
        .insert("a", version("1.0.0"), 10)
        .insert("b", version("1.0.0"), 11);
    builder
        .tag("b", "canary", version("1.0.0"))
        .tag("b", "gone", version("9.9.9"))
        .tag("c", "none", version("1.0.0"));
    builder.build()
}

#[test]
fn versions_are_in_order_whatever_the_order_of_insertion() {
    let table = table();
    let versions: Vec<_> = table
        .versions("b")
        .map(|(version, value)| (version.to_string(), *value))
        .collect();
    assert_eq!(versions, [("1.0.0".into(), 11), ("2.0.0".into(), 20)]);
    assert_eq!(table.versions("nobody").count(), 0);
    assert_eq!(table.iter().count(), 3);
}

#[test]
fn an_app_without_a_version_is_not_there() {
    let table = table();
    let mut apps: Vec<_> = table.apps().collect();
    apps.sort_unstable();
    assert_eq!(apps, ["a", "b"]);
    assert!(
        table
            .resolve("c", &Selector::None, Fallback::Highest)
            .is_none()
    );
    assert!(
        Table::<()>::default()
            .resolve("a", &Selector::None, Fallback::Highest)
            .is_none()
    );
}

#[test]
fn a_tag_leads_to_its_version_and_never_elsewhere() {
    let table = table();
    let value = |tag: &str| {
        let resolved = table.resolve("b", &Selector::Tag(tag.into()), Fallback::Highest)?;
        assert!(resolved.exact);
        Some(*resolved.value)
    };
    assert_eq!(value("canary"), Some(11));
    assert_eq!(value("gone"), None);
    assert_eq!(value("latest"), None);
}

/// Buntime 18.
#[test]
fn latest_beats_numbers_where_no_version_is_asked_for() {
    let mut builder = Table::builder();
    builder
        .insert("a", version("1.0.0"), 10)
        .insert("a", version("2.0.0"), 20)
        .insert("b", version("2.0.0"), 21)
        .tag("a", LATEST, version("1.0.0"))
        .tag("b", LATEST, version("1.0.0"));
    let table = builder.build();
    let value = |app: &str, selector: &str| {
        let selector = Selector::parse(selector).expect("a selector");
        let resolved = table.resolve(app, &selector, Fallback::Highest)?;
        Some((*resolved.value, resolved.exact))
    };
    for selector in ["", "latest", "1"] {
        assert_eq!(value("a", selector), Some((10, true)), "{selector}");
    }
    assert_eq!(value("a", "2"), Some((20, true)), "a number is that number");
    assert_eq!(value("a", "9"), Some((10, false)), "as without a selector");
    assert_eq!(value("b", ""), Some((21, true)), "a tag of nothing is none");
    assert_eq!(value("b", "latest"), None);
    let tags: Vec<_> = table.tags("a").collect();
    assert_eq!(tags, [(LATEST, &version("1.0.0"))]);
    assert_eq!(table.tags("b").count() + table.tags("nobody").count(), 0);
}

#[test]
fn the_same_version_again_replaces_the_first() {
    let table: Table<u32> = [("a", version("1.0.0"), 1), ("a", version("1.0.0"), 2)]
        .into_iter()
        .collect();
    assert_eq!(
        table.iter().map(|(_, _, value)| *value).collect::<Vec<_>>(),
        [2]
    );
}

#[test]
fn who_is_on_a_version_that_is_tried_out_has_a_place_to_go_back_to() {
    let lots = || (0..=u16::MAX).step_by(97).map(|lot| Lot::drawn(lot.into()));
    let whole = |text: &str| Weights::whole(version(text));
    let mut builder = Table::builder();
    for text in ["1.0.0", "1.1.0", "2.0.0"] {
        builder.insert("chat", version(text), version(text));
    }
    let share = Share::of_percent(50.0).unwrap();
    let without = whole("1.0.0").with(&version("2.0.0"), share).unwrap();
    let with = without.with(&version("1.1.0"), share).unwrap();
    builder
        .tag("chat", "new", version("1.1.0"))
        .roll("chat", with, Sessions::Follow)
        .try_out("chat", version("1.1.0"), without);
    let table = builder.build().map(Version::clone);
    assert_eq!(table.tried("chat").unwrap().0, &version("1.1.0"));
    let home = |selector: &str, lot| {
        let selector = Selector::parse(selector).unwrap();
        let resolved = table.resolve_without_tried("chat", &selector, lot);
        resolved.map(|resolved| resolved.value.to_string())
    };
    for lot in lots() {
        let home = |selector| home(selector, lot).unwrap();
        // Where they were, if they were not on it.
        let selector = Selector::None;
        let now = table
            .resolve_session("chat", &selector, Fallback::None, lot, &version("1.0.0"))
            .unwrap();
        if *now.version != version("1.1.0") {
            assert_eq!(home(""), now.version.to_string());
        }
        assert_ne!(home(""), "1.1.0");
        assert_eq!(home("1"), "1.0.0");
        // Who asked for it by a name has nowhere else.
        assert_eq!(home("1.1.0"), "1.1.0");
        assert_eq!(home("new"), "1.1.0");
        assert_eq!(home("~1.1"), "1.1.0");
    }
}

#[test]
fn what_does_not_serve_is_not_tried_out() {
    let check = |tried: &str, without: &str| {
        let mut builder = Table::builder();
        builder.insert("chat", version("1.0.0"), ());
        builder.insert("chat", version("1.1.0"), ());
        builder.try_out("chat", version(tried), Weights::whole(version(without)));
        builder.build().tried("chat").is_some()
    };
    assert!(check("1.1.0", "1.0.0"));
    assert!(!check("1.2.0", "1.0.0"));
    assert!(!check("1.1.0", "0.9.0"), "nothing to go back to");
}
