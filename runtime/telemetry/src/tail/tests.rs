//! What is kept, what is forgotten, and who is told.
#![allow(clippy::unwrap_used)]

use super::*;

fn said(target: &'static str, message: impl Into<String>) -> Said {
    Said {
        line: Line {
            number: 0,
            at: 1_000,
            level: Severity::Warn,
            target,
            app: Some("chat".to_owned()),
            version: Some("1.0.0".to_owned()),
            message: message.into(),
            fields: String::new(),
        },
        fault: None,
    }
}

fn messages(taken: &Taken) -> Vec<&str> {
    let lines = taken.lines.iter();
    lines.map(|line| line.message.as_str()).collect()
}

#[test]
fn lines_come_in_the_order_in_which_they_were_said() {
    let tail = LogTail::new();
    for (target, message) in [("guest", "one"), ("audit", "two"), ("guest", "three")] {
        tail.push(said(target, message));
    }
    let all = tail.take(0, 10, |_| true);
    assert_eq!(
        (messages(&all), all.lost),
        (vec!["one", "two", "three"], false)
    );
    assert_eq!(messages(&tail.take(1, 10, |_| true)), ["two", "three"]);
    assert_eq!(messages(&tail.take(3, 10, |_| true)), [""; 0]);
    assert_eq!(messages(&tail.take(0, 2, |_| true)), ["two", "three"]);
    let guests = tail.take(0, 1, |line| line.target == "guest");
    assert_eq!(messages(&guests), ["three"]);
    assert_eq!(tail.newest(), 3);
}

#[test]
fn a_guest_that_floods_washes_away_guests_lines_alone() {
    let tail = LogTail::new();
    tail.push(said("audit", "deployed"));
    for number in 0..=LINES_MAX {
        tail.push(said("guest", number.to_string()));
    }
    let all = tail.take(0, usize::MAX, |_| true);
    assert_eq!(all.lines.len(), LINES_MAX + 1);
    assert_eq!(messages(&all)[..2], ["deployed", "1"]);
    assert!(!all.lost, "who has read nothing has lost nothing");
    assert!(tail.take(1, usize::MAX, |_| true).lost);
    assert!(!tail.take(2, usize::MAX, |_| true).lost);
}

#[test]
fn long_lines_are_bounded_by_their_bytes() {
    let tail = LogTail::new();
    let long = "x".repeat(8 * 1024);
    for _ in 0..1_000 {
        tail.push(said("guest", long.clone()));
    }
    let kept = tail.take(0, usize::MAX, |_| true).lines;
    let bytes: usize = kept.iter().map(|line| size(line)).sum();
    assert!(
        bytes <= BYTES_MAX && bytes > BYTES_MAX - 2 * long.len(),
        "{bytes}"
    );
}

#[test]
fn a_number_of_an_earlier_process_begins_anew() {
    let tail = LogTail::new();
    tail.push(said("audit", "one"));
    let taken = tail.take(900, 10, |_| true);
    assert_eq!((messages(&taken), taken.lost), (vec!["one"], false));
}

#[test]
fn a_fault_has_what_its_guest_said_before_it() {
    let tail = LogTail::new();
    let mut other = said("guest", "of another version");
    other.line.version = Some("2.0.0".to_owned());
    tail.push(other);
    let mut old = said("guest", "long ago");
    old.line.at = 1_000 - SAID_WITHIN_MS.min(1_000);
    tail.push(old);
    tail.push(said("guest", "panicked at src/lib.rs:7:9:"));
    tail.push(said("guest", "no such room"));
    let mut fault = said("rookery_gateway", "a request failed");
    fault.line.at = 2_500;
    fault.fault = Some("unreachable".to_owned());
    tail.push(fault);
    let faults = tail.faults();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].reason, "unreachable");
    assert_eq!(
        faults[0].said,
        ["panicked at src/lib.rs:7:9:", "no such room"]
    );
}

#[test]
fn levels_are_ordered_and_have_names() {
    assert!(Severity::parse("WARN").unwrap() > Severity::parse("info").unwrap());
    assert_eq!(Severity::parse("loud"), None);
}
