//! Claims about what a body may ask for.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::json;

use super::*;

fn read(act: Act, body: &Value) -> Result<Change, String> {
    let wish: Wish = serde_json::from_value(body.clone()).map_err(|error| error.to_string())?;
    change(act, &wish).map_err(|refusal| refusal.to_string())
}

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

#[test]
fn a_path_is_an_app_and_an_act() {
    let parsed = |path| Rolling::parse(path).map(|one| (one.app.to_string(), one.act));
    for (path, expected) in [
        ("chat/promote", Some(("chat", Act::Promote))),
        ("chat/canary", Some(("chat", Act::Canary))),
        ("chat/rollback", Some(("chat", Act::Rollback))),
        ("chat/tag", Some(("chat", Act::Tag))),
        ("chat/rollout", Some(("chat", Act::Show))),
        ("@team/chat/tag", Some(("@team/chat", Act::Tag))),
        ("%40team%2Fchat/tag", Some(("@team/chat", Act::Tag))),
        ("chat/demote", None),
        ("promote", None),
        ("../chat/promote", None),
        ("chat/promote/", None),
    ] {
        let expected = expected.map(|(app, act)| (app.to_owned(), act));
        assert_eq!(parsed(path), expected, "{path}");
    }
}

#[test]
fn promoting_is_of_the_canary_a_version_or_weights() {
    assert_eq!(
        read(Act::Promote, &json!({})),
        Ok(Change::Promote { version: None })
    );
    let one = Some(version("1.0.0"));
    assert_eq!(
        read(Act::Promote, &json!({ "version": "v1.0.0" })),
        Ok(Change::Promote { version: one })
    );
    let weights = json!({ "weights": { "1.0.0": 90, "1.1.0": "10%" }, "sessions": "keep" });
    let ten = Share::of_percent(10.0).unwrap();
    let expected = Weights::whole(version("1.0.0")).with(&version("1.1.0"), ten);
    assert_eq!(
        read(Act::Promote, &weights),
        Ok(Change::Weights {
            weights: expected.unwrap(),
            sessions: Sessions::Keep
        })
    );
}

#[test]
fn a_canary_has_its_plan_or_the_usual_one() {
    assert_eq!(
        read(Act::Canary, &json!({ "version": "1.1.0" })),
        Ok(Change::Canary(Plan::of(version("1.1.0"))))
    );
    let body = json!({
        "version": "1.1.0", "steps": [10, "50%"], "window": "5m", "maxErrorRate": "2%",
        "maxFaultRate": 0.5, "maxP99Ratio": 2, "sessions": "keep", "minRequests": "500",
    });
    let Ok(Change::Canary(plan)) = read(Act::Canary, &body) else {
        panic!("{body}");
    };
    let steps: Vec<f64> = plan.steps.iter().map(|step| step.percent()).collect();
    assert_eq!((steps, plan.sessions), (vec![10.0, 50.0], Sessions::Keep));
    assert_eq!(
        (plan.window, plan.requests_min),
        (Duration::from_secs(300), 500)
    );
    let limits = plan.limits;
    assert_eq!((limits.error_rate, limits.fault_rate), (0.02, 0.005));
    assert_eq!(limits.p99_ratio, 2.0);
}

#[test]
fn a_tag_is_set_or_taken_away() {
    let name = || "next".to_owned();
    let set = json!({ "name": "next", "version": "1.0.0" });
    let version = version("1.0.0");
    assert_eq!(
        read(Act::Tag, &set),
        Ok(Change::Tag {
            name: name(),
            version
        })
    );
    for taken in [
        json!({ "name": "next" }),
        json!({ "name": "next", "version": null }),
    ] {
        assert_eq!(read(Act::Tag, &taken), Ok(Change::Untag { name: name() }));
    }
}

#[test]
fn what_is_wrong_is_told_by_its_field() {
    for (act, body, expected) in [
        (
            Act::Promote,
            json!({ "version": "1" }),
            "`1` is no version, such as 1.2.0",
        ),
        (
            Act::Promote,
            json!({ "version": "1.0.0", "weights": {} }),
            "`version` or `weights`, not both",
        ),
        (
            Act::Promote,
            json!({ "weights": { "1.0.0": 90 } }),
            "the weights add up to 90 %, not to 100 %",
        ),
        (
            Act::Promote,
            json!({ "steps": [5] }),
            "`steps` means nothing here",
        ),
        (
            Act::Rollback,
            json!({ "version": "1.0.0" }),
            "`version` means nothing here",
        ),
        (Act::Canary, json!({}), "`version` is missing"),
        (
            Act::Canary,
            json!({ "version": "1.0.0", "window": "soon" }),
            "window: is a time, such as 60s or 5m",
        ),
        (
            Act::Canary,
            json!({ "version": "1.0.0", "steps": [101] }),
            "steps: is 0 to 100 %, with two decimals at most",
        ),
        (
            Act::Canary,
            json!({ "version": "1.0.0", "minRequests": 1.5 }),
            "minRequests: is a number of requests, such as 100",
        ),
        (
            Act::Canary,
            json!({ "version": "1.0.0", "maxErrorRate": true }),
            "maxErrorRate: is in percent, such as 5 or \"0.1%\"",
        ),
        (
            Act::Canary,
            json!({ "version": "1.0.0", "sessions": "stay" }),
            "sessions: is `follow` or `keep`",
        ),
        (Act::Tag, json!({ "version": "1.0.0" }), "`name` is missing"),
    ] {
        assert_eq!(read(act, &body), Err(expected.to_owned()), "{body}");
    }
    let unknown = read(Act::Canary, &json!({ "wersion": "1.0.0" })).unwrap_err();
    assert!(
        unknown.starts_with("unknown field `wersion`, expected one of"),
        "{unknown}"
    );
}
