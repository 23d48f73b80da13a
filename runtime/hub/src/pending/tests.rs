//! What is pending, and who gets which part of it.

#![allow(clippy::unwrap_used)]

use super::*;

fn text(text: &'static str) -> Payload {
    Payload::Text(text.into())
}

fn shares(pending: &mut Pending, members: usize) -> Vec<(String, u64)> {
    let mut frozen = pending.freeze();
    let all = frozen.bytes.clone();
    let messages = frozen.messages;
    (0..members)
        .map(|member| match frozen.share(member) {
            Share::Whole => (strip(&all), messages),
            Share::Around {
                exceptions,
                bytes,
                messages,
            } => {
                let mut own = Vec::new();
                around(all.len(), exceptions.iter())
                    .for_each(|range| own.extend_from_slice(&all[range]));
                assert_eq!(own.len(), bytes);
                (strip(&own), messages)
            }
        })
        .collect()
}

/// The payloads of one letter each.
fn strip(frames: &[u8]) -> String {
    frames.chunks(3).map(|frame| char::from(frame[2])).collect()
}

#[test]
fn each_member_gets_all_but_its_exceptions() {
    let mut pending = Pending::default();
    pending.append(&text("a"), Some(1), None);
    pending.append(&text("b"), Some(0), None);
    pending.append(&text("c"), Some(1), None);
    pending.append(&text("d"), Some(1), None);
    pending.append(&text("e"), None, None);
    let expected =
        [("acde", 4), ("be", 2), ("abcde", 5)].map(|(text, count)| (text.to_owned(), count));
    assert_eq!(shares(&mut pending, 3), expected);
    assert!(pending.is_empty());
    pending.append(&text("f"), None, None);
    assert_eq!(shares(&mut pending, 1), [("f".to_owned(), 1)]);
}

#[test]
fn what_a_member_got_early_it_does_not_get_again() {
    let mut pending = Pending::default();
    pending.append(&text("a"), Some(0), None);
    pending.append(&text("b"), None, None);
    let (early, _, count) = pending.copy_for(0);
    assert_eq!((strip(&early), count), ("b".to_owned(), 1));
    pending.append(&text("c"), None, None);
    let (early, _, count) = pending.copy_for(0);
    assert_eq!((strip(&early), count), ("c".to_owned(), 1));
    let (nothing, _, count) = pending.copy_for(0);
    assert_eq!((nothing.len(), count), (0, 0));
    pending.append(&text("d"), Some(0), None);
    pending.append(&text("e"), None, None);
    assert_eq!(
        shares(&mut pending, 2),
        [("e".to_owned(), 1), ("abcde".to_owned(), 5)]
    );
}

#[test]
fn a_copy_has_the_marks_of_what_is_in_it() {
    let mut pending = Pending::default();
    pending.append(&text("a"), None, Some(Mark::Oldest));
    pending.append(&text("b"), Some(0), Some(Mark::Oldest));
    pending.append(&text("c"), None, None);
    pending.append(&text("d"), None, Some(Mark::Oldest));
    let (copy, marks, _) = pending.copy_for(0);
    let places = |marks: &[Marked]| -> Vec<Range<usize>> {
        marks.iter().map(|marked| marked.range.clone()).collect()
    };
    assert_eq!(strip(&copy), "acd");
    assert_eq!(places(&marks.unwrap()), [0..3, 6..9]);
    let frozen = pending.freeze();
    assert_eq!(
        places(frozen.marks.as_deref().unwrap()),
        [0..3, 3..6, 9..12]
    );
}
