//! A request that may have to be sent once more, kept as small as it can be.
//!
//! Nearly all of these are thrown away. A copy of a map of fields has a piece of memory for each of them; this has one for all.
//!
//! **Invariant:** what comes out is what went in: sending it twice does what sending it once does.
//! **Absent on purpose:** bodies. A request that has one is not sent again.

use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use http_body::Body as _;
use http_body_util::{BodyExt, Empty};

use crate::body::Body;

/// What begins the line of a field that may be told, and of one that must not be written down on the way.
const OPEN: u8 = b'+';
const SENSITIVE: u8 = b'-';

/// A request without a body.
pub(crate) struct Again {
    method: Method,
    uri: Uri,
    /// A line for each field: a mark, the name, a colon and the value. Neither has a line's end in it (RFC 9110, 5.5), nor
    /// has the name a colon.
    fields: Vec<u8>,
}

impl Again {
    /// Of a request that is idempotent (RFC 9110, 9.2.2) and has no body.
    pub fn of(request: &Request<Body>) -> Option<Again> {
        let idempotent = matches!(
            *request.method(),
            Method::GET
                | Method::HEAD
                | Method::OPTIONS
                | Method::TRACE
                | Method::PUT
                | Method::DELETE
        );
        if !idempotent || !request.body().is_end_stream() {
            return None;
        }
        // Enough for most, and not more than an allocator has at hand.
        let mut fields = Vec::with_capacity(1000);
        for (name, value) in request.headers() {
            fields.push(if value.is_sensitive() {
                SENSITIVE
            } else {
                OPEN
            });
            fields.extend_from_slice(name.as_str().as_bytes());
            fields.push(b':');
            fields.extend_from_slice(value.as_bytes());
            fields.push(b'\n');
        }
        Some(Again {
            method: request.method().clone(),
            uri: request.uri().clone(),
            fields,
        })
    }

    /// The request. `None` for one that cannot be put together again, which is not sent rather than sent otherwise.
    pub fn request(self) -> Option<Request<Body>> {
        let nothing = Empty::new().map_err(|never| match never {});
        let mut request = Request::new(nothing.boxed_unsync());
        let headers = request.headers_mut();
        let mut rest = self.fields.as_slice();
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            let (mark, line) = line.split_first()?;
            let colon = line.iter().position(|&byte| byte == b':')?;
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            let mut value = HeaderValue::from_bytes(&line[colon + 1..]).ok()?;
            value.set_sensitive(*mark == SENSITIVE);
            headers.append(name, value);
            rest = after;
        }
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        Some(request)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bytes::Bytes;
    use http_body_util::Full;

    use super::*;

    fn request(method: Method, body: &'static str) -> Request<Body> {
        let body = Full::new(Bytes::from_static(body.as_bytes()));
        let mut request = Request::new(body.map_err(|never| match never {}).boxed_unsync());
        *request.method_mut() = method;
        *request.uri_mut() = "/path?q".parse().unwrap();
        request
    }

    #[test]
    fn what_comes_out_is_what_went_in() {
        let mut asked = request(Method::DELETE, "");
        let headers = asked.headers_mut();
        let mut secret = HeaderValue::from_static("s");
        secret.set_sensitive(true);
        headers.append("x-secret", secret);
        for value in ["a:b", "", "+x", "tab\there"] {
            headers.append("x-many", HeaderValue::from_static(value));
        }
        headers.append("host", HeaderValue::from_bytes(b"caf\xe9:1").unwrap());
        let again = Again::of(&asked).unwrap().request().unwrap();
        assert_eq!((again.method(), again.uri()), (asked.method(), asked.uri()));
        assert_eq!(again.headers(), asked.headers());
        assert!(again.headers()["x-secret"].is_sensitive());
        assert!(!again.headers()["x-many"].is_sensitive());
        assert!(again.body().is_end_stream());
    }

    #[test]
    fn what_does_something_each_time_or_has_a_body_is_not_kept() {
        assert!(Again::of(&request(Method::POST, "")).is_none());
        assert!(Again::of(&request(Method::PATCH, "")).is_none());
        assert!(Again::of(&request(Method::PUT, "x")).is_none());
        assert!(Again::of(&request(Method::PUT, "")).is_some());
    }
}
