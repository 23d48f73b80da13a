//! Claims about what a rollout's file may say.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn text(version: &str) -> Version {
    Version::parse(version).unwrap()
}

#[test]
fn what_a_person_writes_is_read() {
    let rollout = read(
        r#"{
            "$schema": "./rollout.schema.json",
            "weights": { "1.0.0": 90, "v1.1.0": 10.00 },
            "tags": { "next": "2.0.0-rc.1" },
            "sessions": "keep",
            "canary": { "version": "1.2.0", "steps": [0.5, 20], "window": "5m", "maxErrorRatePercent": 2 }
        }"#,
    );
    let rollout = rollout.unwrap();
    let weights = rollout.weights.as_ref().unwrap();
    assert_eq!(weights.of(&text("1.1.0")).percent(), 10.0);
    assert_eq!(rollout.tags["next"], text("2.0.0-rc.1"));
    assert_eq!(rollout.sessions, Sessions::Keep);
    let canary = rollout.canary.as_ref().unwrap();
    assert_eq!((canary.step, canary.share().percent()), (0, 0.5));
    assert_eq!(canary.window, Duration::from_secs(300));
    assert_eq!(
        (canary.limits.error_rate, canary.limits.p99_ratio),
        (0.02, 1.5)
    );
    assert_eq!(read("{}"), Ok(Rollout::default()));
}

#[test]
fn what_is_wrong_is_told_in_a_line_with_its_field() {
    for (wrong, expected) in [
        ("", "EOF while parsing"),
        ("[]", "a rollout is an object"),
        (r#"{"weights": {"1.0.0": 100"#, "EOF while parsing"),
        (
            r#"{"weigths": {}}"#,
            "unknown field `weigths`, expected one of `$schema`, `weights`",
        ),
        (
            r#"{"weights": {}}"#,
            "weights: the weights add up to 0 %, not to 100 %",
        ),
        (
            r#"{"weights": {"1.0.0": 60, "1.1.0": 60}}"#,
            "weights: the weights add up to 120 %",
        ),
        (
            r#"{"weights": {"1.0": 100}}"#,
            "weights.1.0: `1.0` is no version",
        ),
        (
            r#"{"weights": {"1.0.0": -1, "1.1.0": 101}}"#,
            "weights.1.0.0: -1 is no percentage",
        ),
        (
            r#"{"weights": {"1.0.0": 50, "v1.0.0": 50}}"#,
            "weights: 1.0.0 has two weights",
        ),
        (r#"{"tags": {"1": "1.0.0"}}"#, "tags: `1` is no tag"),
        (
            r#"{"tags": {"next": "next"}}"#,
            "tags.next: `next` is no version",
        ),
        (
            r#"{"sessions": "stay"}"#,
            "sessions: `follow` or `keep`, not `stay`",
        ),
        (
            r#"{"canary": {"version": "1.1.0"}}"#,
            "canary: needs weights",
        ),
        (
            r#"{"weights": {"1.1.0": 100}, "canary": {"version": "1.1.0"}}"#,
            "weights: 1.1.0 is the canary",
        ),
        (
            r#"{"weights": {"1.0.0": 100}, "canary": {"version": "1.1.0", "steps": [50, 5]}}"#,
            "canary.steps: 1 to 32 percentages",
        ),
        (
            r#"{"weights": {"1.0.0": 100}, "canary": {"version": "1.1.0", "step": 4}}"#,
            "canary.step: is from 0 to 3",
        ),
        (
            r#"{"weights": {"1.0.0": 100}, "canary": {"version": "1.1.0", "window": "soon"}}"#,
            "canary.window: `soon` is no time",
        ),
    ] {
        let error = read(wrong).unwrap_err();
        assert!(error.starts_with(expected), "{wrong}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_file_is_small_and_reads_as_a_person_would_write_it() {
    let mut rollout =
        read(r#"{"weights": {"1.0.0": 100}, "canary": {"version": "1.1.0"}}"#).unwrap();
    rollout.canary.as_mut().unwrap().began = 5;
    let expected = r#"{
  "weights": {
    "1.0.0": 100
  },
  "canary": {
    "version": "1.1.0",
    "steps": [
      5,
      25,
      50,
      100
    ],
    "step": 0,
    "window": "1m",
    "maxErrorRatePercent": 1,
    "maxFaultRatePercent": 0.1,
    "maxP99Ratio": 1.5,
    "began": 5
  }
}
"#;
    assert_eq!(write(&rollout), expected);
}

#[test]
fn how_much_a_canary_has_to_be_asked_is_written_when_somebody_said_it() {
    let of = |requests: &str| {
        let canary = format!(r#"{{"version": "1.1.0"{requests}}}"#);
        let text = format!(r#"{{"weights": {{"1.0.0": 100}}, "canary": {canary}}}"#);
        let rollout = read(&text)?;
        let again = write(&rollout);
        assert_eq!(read(&again).unwrap(), rollout);
        let asked = rollout.canary.unwrap().requests_min;
        Ok::<_, String>((asked, again.contains("minRequests")))
    };
    assert_eq!(of(""), Ok((20, false)), "as before there was such a thing");
    assert_eq!(of(r#", "minRequests": 20"#), Ok((20, false)));
    assert_eq!(of(r#", "minRequests": 0"#), Ok((0, true)));
    assert_eq!(of(r#", "minRequests": 500"#), Ok((500, true)));
    let expected = "canary.minRequests: is from 0 to 1000000";
    assert_eq!(of(r#", "minRequests": 1000001"#).unwrap_err(), expected);
    assert!(of(r#", "minRequests": -1"#).is_err());
}

#[test]
fn the_schema_has_the_fields_that_a_file_has() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/rollout.schema.json"
    );
    let schema: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut rollout =
        read(r#"{"weights": {"1.0.0": 100}, "canary": {"version": "1.1.0"}, "sessions": "keep"}"#)
            .unwrap();
    rollout.canary.as_mut().unwrap().requests_min = 1;
    rollout.previous.clone_from(&rollout.weights);
    rollout.tags.insert("next".to_owned(), text("1.0.0"));
    rollout.last = Some(Ended {
        version: text("1.0.0"),
        how: How::Promoted,
        reason: String::new(),
        began: 1,
        at: 2,
    });
    let written: serde_json::Value = serde_json::from_str(&write(&rollout)).unwrap();
    let keys = |value: &serde_json::Value| -> Vec<String> {
        let keys = value.as_object().unwrap().keys();
        let mut keys: Vec<String> = keys.filter(|key| *key != "$schema").cloned().collect();
        keys.sort();
        keys
    };
    let properties = &schema["properties"];
    assert_eq!(keys(properties), keys(&written));
    for part in ["canary", "last"] {
        assert_eq!(
            keys(&properties[part]["properties"]),
            keys(&written[part]),
            "{part}"
        );
    }
    let words = properties["last"]["properties"]["how"]["enum"]
        .as_array()
        .unwrap();
    assert!(
        words
            .iter()
            .all(|word| How::parse(word.as_str().unwrap()).is_some())
    );
}

fn weights_from(first: u16) -> Weights {
    let first = f64::from(first) / 100.0;
    let share = Share::of_percent(first).unwrap();
    Weights::new([(text("1.0.0"), share), (text("1.1.0-rc.1+b"), share.rest())]).unwrap()
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        first in 1_u16..10_000,
        previous in prop::option::of(0_u16..=10_000),
        tags in prop::collection::btree_map("[a-z]{3,8}y", Just(text("3.0.0")), 0..4),
        keep: bool,
        canary in prop::option::of((1_u16..5_000, 0_usize..2, 1_000_u64..1_000_000, 1_u32..10_000)),
        reason in prop::option::of(".{0,40}"),
    ) {
        let rollout = Rollout {
            weights: Some(weights_from(first)),
            tags,
            sessions: if keep { Sessions::Keep } else { Sessions::Follow },
            canary: canary.map(|(share, step, window, rate)| Canary {
                version: text("2.0.0"),
                steps: vec![Share::of_percent(f64::from(share) / 100.0).unwrap(), Share::WHOLE],
                step,
                window: Duration::from_millis(window),
                requests_min: window,
                limits: Limits { error_rate: f64::from(rate) / 10_000.0, ..Limits::default() },
                began: window,
            }),
            previous: previous.map(weights_from),
            last: reason.map(|reason| Ended {
                version: text("1.0.0"),
                how: How::Reversed,
                reason,
                began: 1,
                at: 2,
            }),
        };
        let mut read = read(&write(&rollout)).unwrap();
        // A hundredth of a decimal fraction is no exact number.
        if let (Some(read), Some(wrote)) = (&mut read.canary, &rollout.canary) {
            prop_assert!((read.limits.error_rate - wrote.limits.error_rate).abs() < 1e-12);
            prop_assert!((read.limits.fault_rate - wrote.limits.fault_rate).abs() < 1e-12);
            read.limits = wrote.limits;
        }
        prop_assert_eq!(read, rollout);
    }

    #[test]
    fn no_text_panics(any: String, near in r#"[{}\[\]",:0-9.weightscanry ]{0,60}"#) {
        let _ = read(&any);
        let _ = read(&near);
    }
}
