//! A path as it is matched and as it is sent.
//!
//! **Invariant:** what [`normal`] gives begins with `/`, is ASCII that may stand in a URL's path, and has no `.` or `..`
//! segment; so a path never leaves the base that it is put below. What was percent-encoded stays so, byte for byte.
//! **Absent on purpose:** decoding. Only the server that is asked knows what its paths mean.

use std::borrow::Cow;
use std::fmt::Write;

/// Encodes what may not stand in a path, puts a `/` in front, and resolves `.` and `..` (RFC 3986, 5.2.4), which may be
/// written as `%2e`, too.
pub(crate) fn normal(path: &str) -> Cow<'_, str> {
    if is_normal(path) {
        return Cow::Borrowed(path);
    }
    let mut kept: Vec<Cow<'_, str>> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match dots(segment) {
            None => kept.push(encoded(segment, is_path)),
            Some(dots) => {
                if dots == Dots::Parent {
                    kept.pop();
                }
                if is_last {
                    kept.push(Cow::Borrowed(""));
                }
            }
        }
    }
    let mut normal = String::with_capacity(path.len() + 1);
    for segment in kept {
        normal.push('/');
        normal.push_str(&segment);
    }
    Cow::Owned(normal)
}

/// Whether nothing is to be done to it.
fn is_normal(path: &str) -> bool {
    path.starts_with('/')
        && path.bytes().all(is_path)
        && !path.split('/').any(|segment| dots(segment).is_some())
}

#[derive(PartialEq, Eq)]
enum Dots {
    Here,
    Parent,
}

fn dots(segment: &str) -> Option<Dots> {
    // Most segments are longer than any spelling of two dots, or begin with something else.
    if segment.len() > 6 || !segment.starts_with(['.', '%']) {
        return None;
    }
    match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
        "." => Some(Dots::Here),
        ".." => Some(Dots::Parent),
        _ => None,
    }
}

/// With every byte that is not allowed as `%XX`.
pub(crate) fn encoded(text: &str, is_allowed: fn(u8) -> bool) -> Cow<'_, str> {
    if text.bytes().all(is_allowed) {
        return Cow::Borrowed(text);
    }
    let mut encoded = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if is_allowed(byte) {
            encoded.push(byte.into());
        } else {
            write!(encoded, "%{byte:02X}").expect("a String takes all text");
        }
    }
    Cow::Owned(encoded)
}

/// What a browser leaves as it is in a path: RFC 3986's `pchar`, `/` and `%`, and of what that leaves out `[`, `]` and `|`.
pub(crate) fn is_path(byte: u8) -> bool {
    // Each byte of each path is asked for, twice where it is rewritten.
    const PATH: [bool; 256] = {
        let mut path = [false; 256];
        let others = b"-._~!$&'()*+,;=:@/%[]|";
        let mut at = 0;
        while at < others.len() {
            path[others[at] as usize] = true;
            at += 1;
        }
        let mut byte = 0;
        while byte < 256 {
            path[byte] |= (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        path
    };
    PATH[usize::from(byte)]
}

/// What a browser leaves as it is in a query: all that is visible but `"`, `#`, `<` and `>`.
pub(crate) fn is_query(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"#<>".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        assert_eq!(normal(path), expected, "{path}");
    }

    #[test]
    fn a_path_that_can_be_sent_stays_as_it_came() {
        for path in [
            "/",
            "/a/b",
            "//evil.com/x",
            "/a//b/",
            "/%41%2fb",
            "/a.b/..c/...",
            "/~!$&'()*+,;=:@[]|",
        ] {
            assert!(
                matches!(normal(path), Cow::Borrowed(same) if same == path),
                "{path}"
            );
        }
    }

    #[test]
    fn what_no_path_may_hold_is_encoded() {
        check("/a b", "/a%20b");
        check("/é\"{}\\^`<>", "/%C3%A9%22%7B%7D%5C%5E%60%3C%3E");
        check("/a?b#c", "/a%3Fb%23c");
        check("a", "/a");
        check("", "/");
    }

    #[test]
    fn dots_never_lead_above_the_root() {
        check("/a/../b", "/b");
        check("/../../b", "/b");
        check("/a/./b/.", "/a/b/");
        check("/a/..", "/");
        check("/%2e%2E/.%2e/a/%2e", "/a/");
        check("/a//../b", "/a/b");
        check("..", "/");
        check("/..%2fa", "/..%2fa");
    }
}
