//! Claims about what is done, given what is wanted and what runs.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::revision::{Refusal, Until};

/// `name@version`, a letter for the bytes, and the serial of the read.
fn wanted(text: &str) -> (Key, Wanted) {
    let (key, build) = text.split_once(' ').unwrap();
    let (app, version) = key.split_once('@').unwrap();
    let key = Key {
        app: AppName::parse(app).unwrap(),
        version: Version::parse(version).unwrap(),
    };
    let opened = build[1..].parse().unwrap();
    let build = Build {
        digest: Digest([build.as_bytes()[0]; 32]),
        dir: PathBuf::from("/apps").join(app),
    };
    (key, Wanted { build, opened })
}

fn state(name: &str) -> State {
    match name {
        "staged" => State::Staged,
        "warming" => State::Warming,
        "live" => State::Live,
        "draining" => State::Draining,
        "retired" => State::Retired,
        "refused" => State::Refused(Refusal {
            reason: "no".into(),
            lacks: None,
            until: Until::Retried,
        }),
        _ => panic!("no state {name}"),
    }
}

/// `on_disk`: `chat@1.0.0 a1`; `standing`: the same and a state, with ids from 1; `expected`: `stage chat@1.0.0` or
/// `withdraw 1`.
#[track_caller]
fn check(on_disk: &[&str], standing: &[&str], expected: &[&str]) {
    let disk: BTreeMap<Key, Wanted> = on_disk.iter().map(|text| wanted(text)).collect();
    let records: Vec<(Key, Wanted, State)> = standing
        .iter()
        .map(|text| {
            let (build, name) = text.rsplit_once(' ').unwrap();
            let (key, wanted) = wanted(build);
            (key, wanted, state(name))
        })
        .collect();
    let standing = (1..)
        .zip(&records)
        .map(|(id, (key, wanted, state))| Standing {
            id: RevisionId(id),
            key,
            wanted,
            state,
        });
    let actions: Vec<String> = plan(&disk, standing)
        .into_iter()
        .map(|action| match action {
            Action::Stage(key) => format!("stage {}@{}", key.app, key.version),
            Action::Withdraw(id) => format!("withdraw {}", id.0),
        })
        .collect();
    assert_eq!(actions, expected, "{on_disk:?} on disk, {records:?}");
}

#[test]
fn what_is_new_is_staged() {
    check(&[], &[], &[]);
    check(&["chat@1.0.0 a1"], &[], &["stage chat@1.0.0"]);
    check(
        &["chat@1.0.0 a1", "chat@2.0.0 b2", "news@1.0.0 c3"],
        &["chat@1.0.0 a1 live"],
        &["stage chat@2.0.0", "stage news@1.0.0"],
    );
}

#[test]
fn what_is_gone_is_withdrawn_whatever_its_state() {
    for state in ["staged", "warming", "live", "refused"] {
        check(&[], &[&format!("chat@1.0.0 a1 {state}")], &["withdraw 1"]);
    }
    for state in ["draining", "retired"] {
        check(&[], &[&format!("chat@1.0.0 a1 {state}")], &[]);
    }
}

#[test]
fn what_is_as_wanted_is_left_alone() {
    for state in ["staged", "warming", "live", "refused"] {
        check(
            &["chat@1.0.0 a1"],
            &[&format!("chat@1.0.0 a1 {state}")],
            &[],
        );
    }
}

#[test]
fn a_folder_that_was_touched_but_has_the_same_bytes_is_left_alone() {
    for state in ["staged", "warming", "live"] {
        check(
            &["chat@1.0.0 a2"],
            &[&format!("chat@1.0.0 a1 {state}")],
            &[],
        );
    }
}

#[test]
fn a_refused_one_is_tried_again_when_its_folder_was_touched() {
    check(
        &["chat@1.0.0 a2"],
        &["chat@1.0.0 a1 refused"],
        &["withdraw 1", "stage chat@1.0.0"],
    );
}

#[test]
fn the_old_build_serves_until_the_new_one_does() {
    let disk = ["chat@1.0.0 b2"];
    check(&disk, &["chat@1.0.0 a1 live"], &["stage chat@1.0.0"]);
    for state in ["staged", "warming", "refused"] {
        let new = format!("chat@1.0.0 b2 {state}");
        check(&disk, &["chat@1.0.0 a1 live", &new], &[]);
    }
    check(
        &disk,
        &["chat@1.0.0 a1 live", "chat@1.0.0 b2 live"],
        &["withdraw 1"],
    );
    check(
        &disk,
        &["chat@1.0.0 a1 draining", "chat@1.0.0 b2 live"],
        &[],
    );
}

#[test]
fn a_build_that_was_overtaken_before_it_served_is_dropped() {
    for state in ["staged", "warming", "refused"] {
        let overtaken = format!("chat@1.0.0 b2 {state}");
        check(
            &["chat@1.0.0 c3"],
            &["chat@1.0.0 a1 live", &overtaken],
            &["withdraw 2", "stage chat@1.0.0"],
        );
    }
}

#[test]
fn a_change_that_is_taken_back_ends_the_try() {
    for state in ["staged", "warming", "refused"] {
        let tried = format!("chat@1.0.0 b2 {state}");
        check(
            &["chat@1.0.0 a3"],
            &["chat@1.0.0 a1 live", &tried],
            &["withdraw 2"],
        );
    }
}

#[test]
fn a_build_that_comes_back_while_it_drains_is_staged_anew() {
    check(
        &["chat@1.0.0 a3"],
        &["chat@1.0.0 a1 draining", "chat@1.0.0 b2 live"],
        &["stage chat@1.0.0"],
    );
}

#[test]
fn of_two_that_serve_and_are_not_wanted_the_newer_goes_on() {
    check(
        &["chat@1.0.0 c3"],
        &["chat@1.0.0 a1 live", "chat@1.0.0 b2 live"],
        &["withdraw 1", "stage chat@1.0.0"],
    );
}

#[test]
fn the_same_bytes_in_another_place_are_another_build() {
    let disk = BTreeMap::from([wanted("chat@1.0.0 a2")]);
    let (key, mut moved) = wanted("chat@1.0.0 a1");
    moved.build.dir = PathBuf::from("/apps/.releases/7");
    let standing = Standing {
        id: RevisionId(1),
        key: &key,
        wanted: &moved,
        state: &State::Live,
    };
    assert_eq!(plan(&disk, [standing]), [Action::Stage(key.clone())]);
}

#[test]
fn apps_and_versions_do_not_touch_each_other() {
    check(
        &["chat@1.0.0 a1", "news@1.0.0 a1"],
        &[
            "chat@1.0.0 a1 live",
            "chat@1.0.0+b1 a1 live",
            "news@1.0.0 b1 live",
        ],
        &["stage news@1.0.0", "withdraw 2"],
    );
}
