//! The name under which a request is found in every log.
//!
//! **Invariant:** 1 to 128 characters of `[A-Za-z0-9._-]`, so it is safe in a header, in a log line and in a shell.

use std::fmt;

use http::HeaderValue;

use crate::hex::write_hex;
use crate::random::random_u128;

const LENGTH_MAX: usize = 128;

/// A request's id. Clones share the text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId {
    value: HeaderValue,
}

impl RequestId {
    /// The header that carries it, in both directions.
    pub const HEADER: http::HeaderName = http::HeaderName::from_static("x-request-id");

    /// A new one: 128 random bits as 32 hexadecimal digits.
    pub fn new_random() -> RequestId {
        let mut digits = [0; 32];
        write_hex(&mut digits, random_u128());
        RequestId {
            value: HeaderValue::from_bytes(&digits).expect("hexadecimal digits are visible ASCII"),
        }
    }

    /// A client's own, when it is sane: neither empty, nor long, nor of other characters than an id needs.
    pub fn parse(value: &HeaderValue) -> Option<RequestId> {
        let bytes = value.as_bytes();
        let sane = (1..=LENGTH_MAX).contains(&bytes.len())
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte));
        sane.then(|| RequestId {
            value: value.clone(),
        })
    }

    /// The client's id when it sent a sane one, else a new one.
    pub fn of(headers: &http::HeaderMap) -> RequestId {
        headers
            .get(RequestId::HEADER)
            .and_then(RequestId::parse)
            .unwrap_or_else(RequestId::new_random)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        self.value.to_str().expect("an id has only visible ASCII")
    }

    /// As the value of [`RequestId::HEADER`]; cheap.
    pub fn header_value(&self) -> HeaderValue {
        self.value.clone()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({self})")
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn a_sane_id_of_the_client_is_kept() {
        let longest = "x".repeat(128);
        for id in ["a", "7f3-A.b_c", &longest] {
            let value = HeaderValue::from_str(id).expect("a header value");
            let kept = RequestId::parse(&value).expect("a sane id");
            assert_eq!(kept.to_string(), id);
            assert_eq!(kept.header_value(), value);
        }
    }

    #[test]
    fn anything_else_is_not_an_id() {
        let too_long = vec![b'x'; 129];
        for bytes in [
            &b""[..],
            b" ",
            b"a b",
            b"a/b",
            b"<script>",
            b"a;b",
            b"\xc3\xa9",
            &too_long,
        ] {
            let value = HeaderValue::from_bytes(bytes).expect("a header value");
            assert_eq!(RequestId::parse(&value), None, "{value:?}");
        }
    }

    #[test]
    fn a_request_without_a_sane_id_gets_a_new_one_of_32_digits() {
        let mut headers = HeaderMap::new();
        let (first, second) = (RequestId::of(&headers), RequestId::of(&headers));
        assert_ne!(first, second);
        assert_eq!(first.as_str().len(), 32);
        assert!(RequestId::parse(&first.header_value()).is_some());
        headers.insert(RequestId::HEADER, HeaderValue::from_static("not sane"));
        assert_ne!(RequestId::of(&headers).as_str(), "not sane");
        headers.insert(RequestId::HEADER, HeaderValue::from_static("sane"));
        assert_eq!(RequestId::of(&headers).as_str(), "sane");
    }
}
