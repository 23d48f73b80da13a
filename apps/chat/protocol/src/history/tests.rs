//! Claims about a room's kept messages.

#![allow(clippy::unwrap_used)]

use rookery_sdk::testing::Host;
use rookery_sdk::{App, kv};

use super::*;

/// Runs with a log in which so many messages were said, all within one millisecond.
fn with_log(count: u64, check: impl FnOnce(&Bucket, &Log<'_>)) {
    with_log_of(count, "", check);
}

fn with_log_of(count: u64, text: &str, check: impl FnOnce(&Bucket, &Log<'_>)) {
    Host::new(App::new()).run(|| {
        let bucket = kv::bucket().unwrap();
        let log = Log::of(&bucket, "k");
        for number in 0..count {
            let reserved = log.reserve(text, "").unwrap();
            let said = Said {
                id: number.to_string(),
                text: text.to_owned(),
                username: String::new(),
                timestamp: reserved.timestamp,
            };
            log.keep(&reserved, &said).unwrap();
        }
        check(&bucket, &log);
    });
}

/// Pages back from the newest message to the oldest, and answers the ids in the order of being said.
fn page_back(log: &Log<'_>, limit: usize) -> Vec<u64> {
    let mut all: Vec<u64> = Vec::new();
    let mut before = None;
    loop {
        let page = log.page(limit, before).unwrap();
        before = page.messages.first().map(|said| said.timestamp as f64);
        let ids = page.messages.iter().map(|said| said.id.parse().unwrap());
        all = ids.chain(all).collect();
        if !page.has_more {
            return all;
        }
    }
}

#[test]
fn paging_back_meets_every_message_once() {
    with_log(130, |_, log| {
        assert_eq!(page_back(log, 50), (0..130).collect::<Vec<_>>());
        assert_eq!(page_back(log, 130), (0..130).collect::<Vec<_>>());
    });
}

#[test]
fn a_room_keeps_its_last_thousand() {
    with_log(1_003, |bucket, log| {
        assert_eq!(page_back(log, 100), (3..1_003).collect::<Vec<_>>());
        assert_eq!(
            bucket.keys().unwrap().len(),
            1_001,
            "the messages and the clock"
        );
        log.erase().unwrap();
        assert!(bucket.keys().unwrap().is_empty());
    });
}

#[test]
fn a_room_keeps_about_half_a_mebibyte_of_long_messages() {
    // A control character is six bytes of JSON.
    with_log_of(500, &"\u{1}".repeat(2_000), |bucket, log| {
        let kept = page_back(log, 100);
        assert_eq!(kept, (500 - kept.len() as u64..500).collect::<Vec<_>>());
        let keys = bucket.keys().unwrap();
        assert_eq!(keys.len(), kept.len() + 1, "the messages and the clock");
        let value = |key: &String| bucket.get(key).unwrap().unwrap().len();
        let bytes: usize = keys.iter().map(value).sum();
        assert!((500_000..600_000).contains(&bytes), "{bytes}");
        log.erase().unwrap();
        assert!(bucket.keys().unwrap().is_empty());
    });
}

#[test]
fn holes_are_walked_over() {
    with_log(20, |bucket, log| {
        for place in [0, 1, 7, 8, 9, 10, 19] {
            bucket.delete(&format!("message:k:{place}")).unwrap();
        }
        let left: Vec<u64> = (2..7).chain(11..19).collect();
        assert_eq!(page_back(log, 3), left);
    });
}

#[test]
fn there_is_more_only_when_there_is_more() {
    with_log(2, |_, log| {
        assert!(!log.page(2, None).unwrap().has_more);
        assert!(log.page(1, None).unwrap().has_more);
        assert_eq!(log.page(2, Some(0.0)).unwrap(), Page::default());
        assert_eq!(log.page(2, Some(f64::MAX)).unwrap().messages.len(), 2);
    });
}

#[test]
fn two_messages_of_one_moment_have_two_timestamps() {
    with_log(1, |_, log| {
        let newest = log.page(1, None).unwrap().messages[0].timestamp;
        for (later_ms, place) in [(1, 1), (2, 2)] {
            let reserved = log.reserve("", "").unwrap();
            let expected = (newest + later_ms, place);
            assert_eq!((reserved.timestamp, reserved.place), expected);
        }
    });
}
