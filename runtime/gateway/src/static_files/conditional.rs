//! Preconditions of a request, in the order of RFC 9110 section 13.2.2.
//!
//! **Invariant:** a date counts only when no entity tag was given in its place.
//! **Absent on purpose:** ranges, except for whether `If-Range` lets one count.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, HeaderName};

/// What identifies the state of a representation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validators<'a> {
    /// A strong entity tag, with its quotes.
    pub(super) etag: &'a str,
    /// When the file changed last, in whole seconds.
    pub(super) modified: Option<SystemTime>,
}

/// What the preconditions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Answer as if there were none.
    Proceed,
    /// The client has it: 304.
    NotModified,
    /// The client wants a state that is gone: 412.
    Failed,
}

/// A time that can stand in a header: whole seconds, and a year that the format has. Files can carry any other.
pub(super) fn header_time(time: SystemTime) -> Option<SystemTime> {
    const YEAR_9999_SECS: u64 = 253_370_764_800;
    let secs = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    (secs < YEAR_9999_SECS).then(|| UNIX_EPOCH + Duration::from_secs(secs))
}

/// Judges the preconditions of a GET or HEAD.
pub(super) fn judge(headers: &HeaderMap, current: Validators<'_>) -> Outcome {
    if headers.contains_key(IF_MATCH) {
        if !any_tag(headers, IF_MATCH, |tag| tag == current.etag) {
            return Outcome::Failed;
        }
    } else if let (Some(since), Some(modified)) =
        (date(headers, IF_UNMODIFIED_SINCE), current.modified)
        && modified > since
    {
        return Outcome::Failed;
    }
    if headers.contains_key(IF_NONE_MATCH) {
        let weakly = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag) == current.etag;
        if any_tag(headers, IF_NONE_MATCH, weakly) {
            return Outcome::NotModified;
        }
    } else if let (Some(since), Some(modified)) =
        (date(headers, IF_MODIFIED_SINCE), current.modified)
        && modified <= since
    {
        return Outcome::NotModified;
    }
    Outcome::Proceed
}

/// Whether `If-Range`, if there is one, lets a range count: the client's part is of this very state.
pub(super) fn range_counts(headers: &HeaderMap, current: Validators<'_>) -> bool {
    let Some(value) = headers.get(IF_RANGE) else {
        return true;
    };
    let value = value.to_str().unwrap_or_default().trim();
    if value.starts_with('"') {
        return value == current.etag;
    }
    let wanted = httpdate::parse_http_date(value).ok();
    wanted.is_some() && wanted == current.modified
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok()
}

/// Whether one of the listed tags is wanted; `*` stands for any.
fn any_tag(headers: &HeaderMap, name: HeaderName, wanted: impl Fn(&str) -> bool) -> bool {
    headers.get_all(name).iter().any(|value| {
        let list = value.to_str().unwrap_or_default();
        list.trim() == "*" || tags(list).any(&wanted)
    })
}

/// The entity tags of a list. A comma inside quotes belongs to the tag; what is no tag ends the list.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let opening = if rest.starts_with("W/\"") { 3 } else { 1 };
        let quoted = rest
            .get(opening..)
            .filter(|_| opening == 3 || rest.starts_with('"'))?;
        let (tag, behind) = rest.split_at(opening + quoted.find('"')? + 1);
        rest = behind;
        Some(tag)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::HeaderValue;

    use super::Outcome::{Failed, NotModified, Proceed};
    use super::*;

    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn current() -> Validators<'static> {
        Validators {
            etag: "\"a,b\"",
            modified: httpdate::parse_http_date(THEN).ok(),
        }
    }

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn preconditions_are_judged_in_the_order_of_the_rfc() {
        let rows: &[(&[(HeaderName, &str)], Outcome)] = &[
            (&[], Proceed),
            (&[(IF_NONE_MATCH, "\"a,b\"")], NotModified),
            (&[(IF_NONE_MATCH, "W/\"a,b\"")], NotModified),
            (&[(IF_NONE_MATCH, "\"x\" , W/\"y\",\"a,b\"")], NotModified),
            (&[(IF_NONE_MATCH, " * ")], NotModified),
            (&[(IF_NONE_MATCH, "\"x\"")], Proceed),
            (&[(IF_NONE_MATCH, "a,b")], Proceed),
            (&[(IF_NONE_MATCH, "\"a,b")], Proceed),
            (
                &[(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, AFTER)],
                Proceed,
            ),
            (&[(IF_MODIFIED_SINCE, BEFORE)], Proceed),
            (&[(IF_MODIFIED_SINCE, THEN)], NotModified),
            (&[(IF_MODIFIED_SINCE, AFTER)], NotModified),
            (&[(IF_MODIFIED_SINCE, "yesterday")], Proceed),
            (&[(IF_MATCH, "\"a,b\"")], Proceed),
            (&[(IF_MATCH, "*")], Proceed),
            (&[(IF_MATCH, "W/\"a,b\"")], Failed),
            (&[(IF_MATCH, "\"x\""), (IF_NONE_MATCH, "\"a,b\"")], Failed),
            (&[(IF_UNMODIFIED_SINCE, BEFORE)], Failed),
            (&[(IF_UNMODIFIED_SINCE, THEN)], Proceed),
            (
                &[(IF_MATCH, "\"a,b\""), (IF_UNMODIFIED_SINCE, BEFORE)],
                Proceed,
            ),
        ];
        for (given, expected) in rows {
            assert_eq!(judge(&headers(given), current()), *expected, "{given:?}");
        }
    }

    #[test]
    fn if_range_wants_the_very_same_state() {
        for (value, counts) in [
            ("\"a,b\"", true),
            ("W/\"a,b\"", false),
            ("\"x\"", false),
            (THEN, true),
            (AFTER, false),
            ("*", false),
        ] {
            assert_eq!(
                range_counts(&headers(&[(IF_RANGE, value)]), current()),
                counts,
                "{value}"
            );
        }
        assert!(range_counts(&HeaderMap::new(), current()));
    }

    #[test]
    fn a_time_that_no_header_can_carry_is_none() {
        assert_eq!(header_time(UNIX_EPOCH - Duration::from_secs(1)), None);
        assert_eq!(
            header_time(UNIX_EPOCH + Duration::from_secs(400_000_000_000)),
            None
        );
        let time = UNIX_EPOCH + Duration::from_millis(1_500);
        assert_eq!(header_time(time), Some(UNIX_EPOCH + Duration::from_secs(1)));
    }
}
