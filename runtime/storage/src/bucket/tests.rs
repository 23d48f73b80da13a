//! Claims about a bucket.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::*;

fn bucket() -> Bucket {
    Bucket::new(BucketLimits {
        value_bytes_max: 16,
        total_bytes_max: 64,
    })
}

#[test]
fn what_is_set_is_read_until_it_is_deleted() {
    let bucket = bucket();
    bucket.set("a", "1".into()).unwrap();
    assert_eq!(bucket.get("a"), Ok(Some("1".into())));
    assert_eq!(bucket.exists("a"), Ok(true));
    bucket.delete("a").unwrap();
    assert_eq!(bucket.get("a"), Ok(None));
    bucket.delete("a").unwrap();
}

#[test]
fn a_swap_fails_when_another_write_came_between() {
    let bucket = bucket();
    let (_, absent) = bucket.get_with_revision("a").unwrap();
    bucket.set("a", "1".into()).unwrap();
    assert_eq!(bucket.swap("a", absent, "2".into()), Err(KvError::Conflict));
    let (value, seen) = bucket.get_with_revision("a").unwrap();
    assert_eq!(value, Some("1".into()));
    bucket.swap("a", seen, "2".into()).unwrap();
    assert_eq!(bucket.swap("a", seen, "3".into()), Err(KvError::Conflict));
}

#[test]
fn a_value_that_came_back_is_not_the_one_that_was_read() {
    let bucket = bucket();
    bucket.set("a", "1".into()).unwrap();
    let (_, seen) = bucket.get_with_revision("a").unwrap();
    bucket.delete("a").unwrap();
    bucket.set("a", "1".into()).unwrap();
    assert_eq!(bucket.swap("a", seen, "2".into()), Err(KvError::Conflict));
}

#[test]
fn increments_from_many_threads_add_up() {
    let bucket = Arc::new(bucket());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let bucket = Arc::clone(&bucket);
            std::thread::spawn(move || {
                (0..500).for_each(|_| {
                    bucket.increment("n", 1).unwrap();
                })
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(bucket.increment("n", 0), Ok(2000));
}

#[test]
fn limits_refuse_and_change_nothing() {
    let bucket = bucket();
    assert_eq!(bucket.set("", "x".into()), Err(KvError::InvalidKey));
    let long = "k".repeat(KEY_BYTES_MAX + 1);
    assert_eq!(bucket.get(&long), Err(KvError::InvalidKey));
    let large = Bytes::from(vec![0; 17]);
    assert_eq!(bucket.set("a", large), Err(KvError::ValueTooLarge(16)));
    for key in ["a", "b", "c"] {
        bucket.set(key, Bytes::from(vec![0; 16])).unwrap();
    }
    let value = Bytes::from(vec![0; 13]);
    assert_eq!(bucket.set("d", value.clone()), Err(KvError::Full(64)));
    bucket.set("a", "".into()).unwrap();
    bucket.set("d", value).unwrap();
}

#[test]
fn increment_refuses_what_is_no_number() {
    let bucket = bucket();
    bucket.set("a", "x".into()).unwrap();
    assert_eq!(bucket.increment("a", 1), Err(KvError::NotANumber));
    bucket
        .set("a", i64::MAX.to_string()[..16].to_owned().into())
        .unwrap();
    assert!(bucket.increment("a", 1).is_ok());
}

#[test]
fn keys_come_in_pages_without_a_gap() {
    let bucket = Bucket::new(BucketLimits::default());
    for n in 0..2500 {
        bucket.set(&format!("{n:05}"), "".into()).unwrap();
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = bucket.list_keys(cursor.as_deref());
        seen.extend(page.keys);
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(seen.len(), 2500);
    assert!(seen.is_sorted());
}
