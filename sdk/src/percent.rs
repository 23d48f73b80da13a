//! Percent-decoding (RFC 3986, 2.1), for paths and for forms.

use std::borrow::Cow;

/// Decodes a path segment. None when an escape is cut short or the result is not UTF-8.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    decode_bytes(text.as_bytes(), Plus::Literal).map(Cow::Owned)
}

/// Decodes a name or a value of a form, where `+` is a space. What cannot be decoded is kept as it is: a stray `%` in a
/// search should search, not fail.
pub(crate) fn decode_form(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    decode_bytes(text.as_bytes(), Plus::Space).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[derive(Clone, Copy, PartialEq)]
enum Plus {
    Literal,
    Space,
}

fn decode_bytes(text: &[u8], plus: Plus) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'%' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                rest = tail;
                out.push(hex(digits[0])? << 4 | hex(digits[1])?);
            }
            b'+' if plus == Plus::Space => out.push(b' '),
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_once() {
        for (text, expected) in [
            ("plain", Some("plain")),
            ("a%20b", Some("a b")),
            ("%E2%82%ac", Some("€")),
            ("%2525", Some("%25")),
            ("a+b", Some("a+b")),
            ("%2", None),
            ("%zz", None),
            ("%ff", None),
        ] {
            assert_eq!(decode(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_plus_is_a_space_in_a_form_alone() {
        assert_eq!(decode_form("a+b%2B"), "a b+");
        assert_eq!(decode_form("100%"), "100%");
    }
}
