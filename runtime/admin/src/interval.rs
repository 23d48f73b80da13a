//! `?interval=`: how often a viewer of the stream wants to be told.

use std::time::Duration;

/// Buntime's, and what a viewer gets who says nothing.
const USUAL: Duration = Duration::from_secs(1);
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(60);

/// Reads it from a query: milliseconds, or a number with `ms`, `s` or `m`. What is out of bounds is brought within.
/// `None` when it is neither.
pub(crate) fn interval(query: Option<&str>) -> Option<Duration> {
    let pairs = query.unwrap_or_default().split('&');
    let Some(value) = pairs.rev().find_map(|pair| pair.strip_prefix("interval=")) else {
        return Some(USUAL);
    };
    let end = value
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(value.len());
    let (digits, unit) = value.split_at(end);
    let unit_ms = match unit {
        "" | "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    if digits.is_empty() {
        return None;
    }
    // More digits than a number has is longer than the longest, too.
    let number: u64 = digits.parse().unwrap_or(u64::MAX);
    Some(Duration::from_millis(number.saturating_mul(unit_ms)).clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_number_within_bounds() {
        for (query, expected_ms) in [
            (None, Some(1_000)),
            (Some(""), Some(1_000)),
            (Some("x=5"), Some(1_000)),
            (Some("interval=500"), Some(500)),
            (Some("x=1&interval=250ms&y"), Some(250)),
            (Some("interval=2s"), Some(2_000)),
            (Some("interval=1m"), Some(60_000)),
            (Some("interval=0"), Some(100)),
            (Some("interval=5"), Some(100)),
            (Some("interval=2m"), Some(60_000)),
            (Some("interval=99999999999999999999999999s"), Some(60_000)),
            (Some("interval=1&interval=300"), Some(300)),
            (Some("interval="), None),
            (Some("interval=s"), None),
            (Some("interval=-5"), None),
            (Some("interval=soon"), None),
            (Some("interval=1.5s"), None),
        ] {
            assert_eq!(
                interval(query),
                expected_ms.map(Duration::from_millis),
                "{query:?}"
            );
        }
    }
}
