//! Claims about the key-value calls against the scripted host.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::App;
use crate::testing::Host;

#[test]
fn a_change_that_loses_a_race_sees_the_newer_value() {
    let host = Host::new(App::new());
    host.contend(3);
    let sum = host.run(|| {
        let bucket = bucket().unwrap();
        bucket
            .change("sum", |old: Option<u64>| {
                let new = old.unwrap_or(0) + 1;
                Change::Write(new, new)
            })
            .unwrap()
    });
    assert_eq!(sum, 1, "a lost attempt leaves nothing behind");
}

#[test]
fn a_change_may_decide_to_leave_the_value() {
    let host = Host::new(App::new());
    host.run(|| {
        let bucket = bucket().unwrap();
        bucket.set_json("k", &7).unwrap();
        let seen = bucket
            .change("k", |old: Option<u8>| Change::Keep(old))
            .unwrap();
        assert_eq!(seen, Some(7));
    });
}

#[test]
fn an_endless_race_ends() {
    let host = Host::new(App::new());
    host.contend(u32::MAX);
    let result = host.run(|| bucket().unwrap().update("k", |_| vec![1]));
    assert!(matches!(result, Err(KvError::Contended)));
}

#[test]
fn keys_come_from_every_page() {
    let host = Host::new(App::new());
    host.run(|| {
        let bucket = bucket().unwrap();
        for key in 0..11 {
            bucket.set(&key.to_string(), b"").unwrap();
        }
        bucket.delete("3").unwrap();
        assert_eq!(bucket.keys().unwrap().len(), 10);
        assert!(!bucket.exists("3").unwrap());
        assert_eq!(bucket.increment("n", 5).unwrap(), 5);
        assert_eq!(bucket.increment("n", -7).unwrap(), -2);
    });
}

#[test]
fn a_value_of_another_shape_is_an_error_and_stays() {
    let host = Host::new(App::new());
    host.run(|| {
        let bucket = bucket().unwrap();
        bucket.set("k", b"{").unwrap();
        assert!(matches!(bucket.get_json::<u8>("k"), Err(KvError::Json(_))));
        assert_eq!(bucket.get("k").unwrap().as_deref(), Some(&b"{"[..]));
    });
}

#[test]
fn the_test_host_takes_what_the_server_takes_and_no_more() {
    let host = Host::new(App::new());
    host.run(|| {
        let bucket = bucket().unwrap();
        let mebibyte = vec![0; 1024 * 1024];
        for key in ["", &"k".repeat(1_025)] {
            assert!(matches!(bucket.set(key, b""), Err(KvError::Other(_))));
        }
        let larger = [&mebibyte[..], &[0]].concat();
        assert!(matches!(bucket.set("k", &larger), Err(KvError::Other(_))));
        for key in 0..63 {
            bucket.set(&format!("{key:02}"), &mebibyte).unwrap();
        }
        // The keys take a few bytes, too.
        assert!(matches!(bucket.set("63", &mebibyte), Err(KvError::Full)));
        bucket.set("00", &mebibyte).unwrap();
        bucket.delete("00").unwrap();
        bucket.set("63", &mebibyte).unwrap();
        let swapped = bucket.update("64", |_| mebibyte.clone());
        assert!(matches!(swapped, Err(KvError::Full)));
        assert!(!bucket.exists("64").unwrap());
    });
}

#[test]
fn that_there_is_no_space_is_known_by_how_the_host_says_it() {
    let full = KvError::of_text("full: the namespace holds its 16 bytes already".into());
    assert!(matches!(full, KvError::Full));
    let other = KvError::of_text("the value is too full".into());
    assert!(matches!(other, KvError::Other(_)));
}
