//! What an upstream, or a process of our own, is told of the client and of the way that its request came.
//!
//! **Invariant:** what the client, or a proxy before us, says of the way stays, and ours stands after it: the last entry
//! is the one that an upstream can believe.

use std::net::IpAddr;

use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use rookery_proxy_rules::Rule;
use rookery_routing::Address;

use crate::exchange::Exchange;
use crate::worker::introduce;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Turns a client's fields into those that the upstream gets. What the rule says comes last.
pub(super) fn for_upstream(
    mut headers: HeaderMap,
    uri: &Uri,
    rule: &Rule,
    address: &Address,
    exchange: &Exchange,
) -> HeaderMap {
    rookery_upstream::of_request(&mut headers);
    // HTTP/2 says it in the URI; and so may HTTP/1.1, where the URI rules (RFC 9112, 3.2.2).
    let authority = uri.authority().map(http::uri::Authority::as_str);
    if let Some(host) = authority.and_then(|host| HeaderValue::from_str(host).ok()) {
        headers.insert(HOST, host);
    }
    introduce(&mut headers, address, exchange);
    tell_the_way(&mut headers, exchange);
    rule.set_headers(&mut headers);
    headers
}

/// Adds who sent the request to us, and how, in the words that servers know.
pub(crate) fn tell_the_way(headers: &mut HeaderMap, exchange: &Exchange) {
    let way = Way {
        peer: exchange.peer.ip().to_canonical(),
        host: headers.get(HOST).and_then(|host| host.to_str().ok()),
        // Until the front door speaks TLS itself.
        proto: "http",
    };
    for (name, entry) in way.entries() {
        append(headers, name, &entry);
    }
}

/// How a request came to us.
struct Way<'a> {
    peer: IpAddr,
    host: Option<&'a str>,
    proto: &'static str,
}

impl Way<'_> {
    fn entries(&self) -> Vec<(HeaderName, String)> {
        let mut entries = vec![
            (X_FORWARDED_FOR, self.peer.to_string()),
            (X_FORWARDED_PROTO, self.proto.to_owned()),
        ];
        if let Some(host) = self.host {
            entries.push((X_FORWARDED_HOST, host.to_owned()));
        }
        entries.push((FORWARDED, self.forwarded()));
        entries
    }

    /// RFC 7239, 4.
    fn forwarded(&self) -> String {
        let peer = match self.peer {
            IpAddr::V4(peer) => peer.to_string(),
            IpAddr::V6(peer) => format!("\"[{peer}]\""),
        };
        let host = match self.host {
            Some(host) if is_token(host) => format!(";host={host}"),
            // A quoted string may not hold these, and neither may a host.
            Some(host) if !host.contains(['"', '\\']) => format!(";host=\"{host}\""),
            _ => String::new(),
        };
        format!("for={peer}{host};proto={}", self.proto)
    }
}

fn is_token(text: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_tchar)
}

/// Puts an entry at the end of a list that may stand in several fields, and makes one of them.
fn append(headers: &mut HeaderMap, name: HeaderName, entry: &str) {
    let mut list: Vec<u8> = Vec::new();
    for value in headers.get_all(&name) {
        if !value.as_bytes().iter().all(u8::is_ascii_whitespace) {
            list.extend_from_slice(value.as_bytes());
            list.extend_from_slice(b", ");
        }
    }
    list.extend_from_slice(entry.as_bytes());
    // Field values with a comma between them are a field value.
    if let Ok(list) = HeaderValue::from_bytes(&list) {
        headers.insert(name, list);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn check(peer: &str, host: Option<&str>, expected: &str) {
        let way = Way {
            peer: peer.parse().unwrap(),
            host,
            proto: "http",
        };
        assert_eq!(way.forwarded(), expected);
    }

    #[test]
    fn forwarded_quotes_what_is_no_token() {
        check(
            "10.0.0.1",
            Some("a.example"),
            "for=10.0.0.1;host=a.example;proto=http",
        );
        check(
            "::1",
            Some("a:81"),
            "for=\"[::1]\";host=\"a:81\";proto=http",
        );
        check("10.0.0.1", Some("a\";by=x"), "for=10.0.0.1;proto=http");
        check("10.0.0.1", None, "for=10.0.0.1;proto=http");
    }

    #[test]
    fn an_entry_stands_after_what_others_said() {
        let mut headers = HeaderMap::new();
        append(&mut headers, X_FORWARDED_FOR, "3.3.3.3");
        assert_eq!(headers[X_FORWARDED_FOR], "3.3.3.3");
        headers.insert(
            X_FORWARDED_FOR,
            HeaderValue::from_static("1.1.1.1, 2.2.2.2"),
        );
        headers.append(X_FORWARDED_FOR, HeaderValue::from_static(""));
        headers.append(X_FORWARDED_FOR, HeaderValue::from_static("unknown"));
        append(&mut headers, X_FORWARDED_FOR, "3.3.3.3");
        let all: Vec<_> = headers.get_all(X_FORWARDED_FOR).iter().collect();
        assert_eq!(all, ["1.1.1.1, 2.2.2.2, unknown, 3.3.3.3"]);
    }
}
