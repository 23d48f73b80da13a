//! `Range`, as far as this server goes: one range of bytes (RFC 9110 section 14).
//!
//! **Invariant:** a [`Selection::Part`] is not empty and lies within the representation.
//! **Absent on purpose:** `multipart/byteranges`. Of several ranges none is served, the whole is (14.2 allows it),
//! since a client can ask for thousands of overlapping ones.

use std::ops::Range;

/// How much of a representation a request is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// All of it: there was no range, or one that is to be ignored.
    Whole,
    /// These bytes: 206.
    Part(Range<u64>),
    /// The range lies behind the end: 416.
    Unsatisfiable,
}

/// Reads the value of a `Range` header for a representation of `len` bytes.
pub(super) fn select(value: &str, len: u64) -> Selection {
    let Some((unit, spec)) = value.split_once('=') else {
        return Selection::Whole;
    };
    let (first, last) = match spec.trim().split_once('-') {
        Some(ends) if unit.trim().eq_ignore_ascii_case("bytes") => ends,
        _ => return Selection::Whole,
    };
    // An empty file has no part that a `Content-Range` could name.
    if len == 0 {
        return Selection::Whole;
    }
    match (first.trim(), last.trim()) {
        ("", suffix) => match number(suffix) {
            None => Selection::Whole,
            Some(0) => Selection::Unsatisfiable,
            Some(suffix) => Selection::Part(len.saturating_sub(suffix)..len),
        },
        (first, "") => match number(first) {
            None => Selection::Whole,
            Some(first) => from(first, u64::MAX, len),
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => from(first, last, len),
            _ => Selection::Whole,
        },
    }
}

fn from(first: u64, last: u64, len: u64) -> Selection {
    if first >= len {
        return Selection::Unsatisfiable;
    }
    Selection::Part(first..last.saturating_add(1).min(len))
}

/// Digits and nothing else. A number that no file reaches is as good as the largest.
fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Selection::{Part, Unsatisfiable, Whole};
    use super::*;

    #[test]
    fn one_range_selects_a_part_of_ten_bytes() {
        for (value, expected) in [
            ("bytes=0-0", Part(0..1)),
            ("bytes=2-5", Part(2..6)),
            ("bytes=2-", Part(2..10)),
            ("bytes=-3", Part(7..10)),
            ("bytes=-30", Part(0..10)),
            ("bytes=5-500", Part(5..10)),
            ("Bytes= 2-5 ", Part(2..6)),
            ("bytes=0-99999999999999999999999", Part(0..10)),
            ("bytes=10-", Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=5-2", Whole),
            ("bytes=0-1,4-5", Whole),
            ("bytes=-", Whole),
            ("bytes=a-b", Whole),
            ("bytes=+1-2", Whole),
            ("bytes", Whole),
            ("lines=1-2", Whole),
        ] {
            assert_eq!(select(value, 10), expected, "{value}");
        }
    }

    #[test]
    fn an_empty_file_has_no_parts() {
        for value in ["bytes=0-0", "bytes=0-", "bytes=-5"] {
            assert_eq!(select(value, 0), Whole, "{value}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_what_its_ends_say(first: u64, last: u64, len: u64) {
            match select(&format!("bytes={first}-{last}"), len) {
                Part(part) => {
                    prop_assert!(part.start < part.end && part.end <= len);
                    prop_assert_eq!(part.start, first);
                    prop_assert_eq!(part.end - 1, last.min(len - 1));
                }
                Unsatisfiable => prop_assert!(first >= len),
                Whole => prop_assert!(first > last || len == 0),
            }
        }

        #[test]
        fn a_suffix_is_the_end_of_the_file(suffix in 1u64.., len in 1u64..) {
            prop_assert_eq!(select(&format!("bytes=-{suffix}"), len), Part(len - suffix.min(len)..len));
        }

        #[test]
        fn no_value_panics(value in "(bytes=)?[-0-9, \\PC]{0,60}", len: u64) {
            if let Part(part) = select(&value, len) {
                prop_assert!(part.start < part.end && part.end <= len);
            }
        }
    }
}
