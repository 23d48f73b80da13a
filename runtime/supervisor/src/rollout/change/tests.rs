//! Claims about what commands do to a rollout.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::rollout::state::Ended;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn weights(parts: &[(&str, f64)]) -> Weights {
    let parts = parts.iter();
    let parts = parts.map(|(text, percent)| (version(text), Share::of_percent(*percent).unwrap()));
    Weights::new(parts).unwrap()
}

/// An app whose unpinned path leads to the last of these versions.
fn ground(serving: &str) -> Ground {
    let serving: Vec<Version> = serving.split_whitespace().map(version).collect();
    Ground {
        app: "chat".into(),
        unpinned: serving.last().cloned(),
        serving,
        now: 7,
    }
}

fn stable(text: &str) -> Rollout {
    Rollout {
        weights: Some(Weights::whole(version(text))),
        ..Rollout::default()
    }
}

fn canary(text: &str) -> Change {
    Change::Canary(Plan::of(version(text)))
}

fn promote(text: &str) -> Change {
    let version = Some(version(text));
    Change::Promote { version }
}

/// The shares in force after these changes, one after the other.
#[track_caller]
fn check(before: &Rollout, serving: &str, changes: Vec<Change>, expected: &[(&str, f64)]) {
    let mut rollout = before.clone();
    for change in changes {
        rollout = rollout.after(change, &ground(serving)).unwrap();
    }
    assert_eq!(rollout.in_force(), Some(weights(expected)));
}

#[test]
fn a_canary_gets_its_first_step_and_the_others_the_rest() {
    let five = [("1.0.0", 95.0), ("1.1.0", 5.0)];
    check(
        &stable("1.0.0"),
        "1.0.0 1.1.0",
        vec![canary("1.1.0")],
        &five,
    );
    // Without a rollout the version that everybody has now is the stable one.
    check(
        &Rollout::default(),
        "1.0.0 1.1.0-rc.1 1.2.0",
        vec![canary("1.0.0")],
        &[("1.0.0", 5.0), ("1.2.0", 95.0)],
    );
    // And if that is the canary itself, the one below it.
    check(
        &Rollout::default(),
        "0.9.0 1.0.0 1.1.0-rc.1 1.1.0",
        vec![canary("1.1.0")],
        &five,
    );
    let several = Rollout {
        weights: Some(weights(&[("1.0.0", 60.0), ("1.1.0", 40.0)])),
        ..Rollout::default()
    };
    check(
        &several,
        "1.0.0 1.1.0 2.0.0",
        vec![canary("2.0.0")],
        &[("1.0.0", 57.0), ("1.1.0", 38.0), ("2.0.0", 5.0)],
    );
    check(&several, "1.0.0 1.1.0", vec![canary("1.1.0")], &five);
}

#[test]
fn a_canary_that_is_promoted_has_everything_and_going_back_gives_it_back() {
    let (all, before) = ([("1.1.0", 100.0)], [("1.0.0", 100.0)]);
    let promoted = || vec![canary("1.1.0"), Change::Promote { version: None }];
    let both = "1.0.0 1.1.0";
    check(&stable("1.0.0"), both, promoted(), &all);
    let mut back = promoted();
    back.push(Change::Rollback);
    check(&stable("1.0.0"), both, back.clone(), &before);
    back.push(Change::Rollback);
    check(&stable("1.0.0"), both, back, &all);
    check(
        &Rollout::default(),
        both,
        vec![promote("1.0.0"), promote("1.1.0"), Change::Rollback],
        &before,
    );
}

#[test]
fn a_canary_that_is_rolled_back_has_nothing_and_that_is_told() {
    let plan = Plan {
        sessions: Sessions::Keep,
        ..Plan::of(version("1.1.0"))
    };
    let ground = ground("1.0.0 1.1.0");
    let running = stable("1.0.0")
        .after(Change::Canary(plan), &ground)
        .unwrap();
    assert_eq!(running.sessions, Sessions::Keep);
    let back = running.after(Change::Rollback, &ground).unwrap();
    assert_eq!(back.in_force(), Some(Weights::whole(version("1.0.0"))));
    assert_eq!(
        back.sessions,
        Sessions::Follow,
        "those who are on it go back as well"
    );
    let last = Ended {
        version: version("1.1.0"),
        how: How::RolledBack,
        reason: "an operator rolled it back".into(),
        began: 7,
        at: 7,
    };
    assert_eq!(back.last, Some(last));
}

#[test]
fn what_cannot_be_done_is_refused_with_what_to_do() {
    let refused = |rollout: &Rollout, serving: &str, change: Change| {
        rollout
            .after(change, &ground(serving))
            .unwrap_err()
            .to_string()
    };
    let (none, both) = (Rollout::default(), "1.0.0 1.1.0");
    assert_eq!(
        refused(&none, "", canary("1.0.0")),
        "there is no app chat that serves"
    );
    assert_eq!(
        refused(&none, both, canary("3.0.0")),
        "chat@3.0.0 does not serve; what does: 1.1.0, 1.0.0"
    );
    assert_eq!(
        refused(&none, "1.0.0", canary("1.0.0")),
        "chat@1.0.0 is the only version that serves, so it can be no canary"
    );
    for change in [Change::Promote { version: None }, Change::Rollback] {
        assert_eq!(
            refused(&none, "", change),
            "there is no app chat that serves"
        );
    }
    let running = none.after(canary("1.1.0"), &ground(both)).unwrap();
    assert_eq!(
        refused(&running, both, canary("1.0.0")),
        "chat@1.1.0 is a canary already; promote it or roll it back first"
    );
    assert_eq!(
        refused(&none, both, Change::Promote { version: None }),
        "chat has no canary to promote; name a version"
    );
    assert_eq!(
        refused(&none, both, Change::Rollback),
        "chat has nothing to go back to; promote a version instead"
    );
    let gone = none.after(promote("1.0.0"), &ground(both)).unwrap();
    let gone = gone.after(promote("1.1.0"), &ground(both)).unwrap();
    assert_eq!(
        refused(&gone, "1.1.0", Change::Rollback),
        "chat@1.0.0 does not serve; what does: 1.1.0"
    );
}

#[test]
fn tags_are_names_for_versions_that_serve() {
    let tag = |name: &str, text: &str| {
        let (name, version) = (name.to_owned(), version(text));
        Rollout::default().after(Change::Tag { name, version }, &ground("1.0.0"))
    };
    let next = tag("next", "1.0.0").unwrap();
    assert_eq!(next.tags["next"], version("1.0.0"));
    assert_eq!(next.weights, None, "a tag is no rollout");
    for name in ["1", "x", "", "a b", "^1", " next", "-a"] {
        assert!(
            matches!(tag(name, "1.0.0"), Err(RolloutError::TagName { .. })),
            "{name:?}"
        );
    }
    assert!(tag("next", "2.0.0").is_err());
    let name = || "next".to_owned();
    let without = next
        .after(Change::Untag { name: name() }, &ground("1.0.0"))
        .unwrap();
    assert!(without.tags.is_empty());
    assert!(
        without
            .after(Change::Untag { name: name() }, &ground("1.0.0"))
            .is_err()
    );
}

#[test]
fn a_plan_out_of_its_bounds_names_the_field() {
    let field = |change: fn(&mut Plan)| {
        let mut plan = Plan::of(version("1.0.0"));
        change(&mut plan);
        match plan.check() {
            Err(RolloutError::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(Plan::of(version("1.0.0")).check(), Ok(()));
    assert_eq!(field(|plan| plan.steps.clear()), "steps");
    assert_eq!(field(|plan| plan.steps.reverse()), "steps");
    assert_eq!(field(|plan| plan.steps[0] = Share::NONE), "steps");
    assert_eq!(field(|plan| plan.window = Duration::ZERO), "window");
    assert_eq!(
        field(|plan| plan.limits.error_rate = 1.5),
        "maxErrorRatePercent"
    );
    assert_eq!(
        field(|plan| plan.limits.fault_rate = 0.0),
        "maxFaultRatePercent"
    );
    assert_eq!(field(|plan| plan.limits.p99_ratio = 1.0), "maxP99Ratio");
    assert_eq!(
        field(|plan| plan.limits.p99_ratio = f64::NAN),
        "maxP99Ratio"
    );
}

#[test]
fn the_first_change_can_be_taken_back_too() {
    let nothing = Rollout::default();
    let everything = [("1.1.0", 100.0)];
    check(
        &nothing,
        "1.0.0 1.1.0",
        vec![promote("1.0.0"), Change::Rollback],
        &everything,
    );
    // What everybody had before is what they are given again, so there is nothing to go back to.
    let same = nothing
        .after(promote("1.1.0"), &ground("1.0.0 1.1.0"))
        .unwrap();
    assert_eq!(same.previous, None);
}
