//! What an upstream, or a process of our own, is told of the client and of the way that its request came.
//!
//! **Invariant:** what the client, or a proxy before us, says of the way stays, and ours stands after it: the last entry
//! is the one that an upstream can believe.

use std::net::IpAddr;

use http::header::{Entry, FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use rookery_proxy_rules::Rule;
use rookery_routing::Address;

use crate::exchange::Exchange;
use crate::worker::introduce;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// How clients come, until the front door speaks TLS itself.
const PROTO: &str = "http";

/// Turns a client's fields into those that the upstream gets. What the rule says comes last.
pub(super) fn for_upstream(
    mut headers: HeaderMap,
    uri: &Uri,
    rule: &Rule,
    address: &Address,
    exchange: &Exchange,
) -> HeaderMap {
    rookery_upstream::of_request(&mut headers);
    // What is added here and below, at once: else the map grows twice.
    headers.reserve(12);
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
    let host = headers.get(HOST).filter(|host| host.to_str().is_ok());
    let host = host.cloned();
    let named = host.as_ref().and_then(|host| host.to_str().ok());
    let mut text = String::with_capacity(160);
    let peer = exchange.peer.ip().to_canonical();
    address(peer, &mut text);
    let address_end = text.len();
    forwarded(peer, named, &mut text);
    let (address, forwarded) = text.split_at(address_end);
    // Digits, dots and what was a header field's value before.
    if let Ok(address) = HeaderValue::from_str(address) {
        append(headers, X_FORWARDED_FOR, address);
    }
    append(headers, X_FORWARDED_PROTO, HeaderValue::from_static(PROTO));
    if let Ok(forwarded) = HeaderValue::from_str(forwarded) {
        append(headers, FORWARDED, forwarded);
    }
    if let Some(host) = host {
        append(headers, X_FORWARDED_HOST, host);
    }
}

/// RFC 7239, 4.
fn forwarded(peer: IpAddr, host: Option<&str>, entry: &mut String) {
    entry.push_str("for=");
    match peer {
        IpAddr::V4(_) => address(peer, entry),
        IpAddr::V6(_) => {
            entry.push_str("\"[");
            address(peer, entry);
            entry.push_str("]\"");
        }
    }
    match host {
        Some(host) if is_token(host) => entry.extend([";host=", host]),
        // A quoted string may not hold these, and neither may a host.
        Some(host) if !host.contains(['"', '\\']) => entry.extend([";host=\"", host, "\""]),
        _ => {}
    }
    entry.extend([";proto=", PROTO]);
}

/// An address as it is written. Without the formatter, which took three in a hundred instructions of a proxied request.
fn address(address: IpAddr, text: &mut String) {
    let IpAddr::V4(address) = address else {
        return text.push_str(&address.to_string());
    };
    for (at, octet) in address.octets().into_iter().enumerate() {
        if at > 0 {
            text.push('.');
        }
        let digit = |value: u8| char::from(b'0' + value % 10);
        if octet >= 100 {
            text.push(digit(octet / 100));
        }
        if octet >= 10 {
            text.push(digit(octet / 10));
        }
        text.push(digit(octet));
    }
}

fn is_token(text: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_tchar)
}

/// Puts an entry at the end of a list that may stand in several fields, and makes one of them.
fn append(headers: &mut HeaderMap, name: HeaderName, entry: HeaderValue) {
    let mut before = match headers.entry(name) {
        Entry::Vacant(vacant) => {
            vacant.insert(entry);
            return;
        }
        Entry::Occupied(before) => before,
    };
    let mut list: Vec<u8> = Vec::new();
    for value in before.iter() {
        if !value.as_bytes().iter().all(u8::is_ascii_whitespace) {
            list.extend_from_slice(value.as_bytes());
            list.extend_from_slice(b", ");
        }
    }
    list.extend_from_slice(entry.as_bytes());
    // Field values with a comma between them are a field value.
    if let Ok(list) = HeaderValue::from_bytes(&list) {
        before.insert(list);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn check(peer: &str, host: Option<&str>, expected: &str) {
        let mut entry = String::new();
        forwarded(peer.parse().unwrap(), host, &mut entry);
        assert_eq!(entry, expected);
    }

    #[test]
    fn an_address_is_written_as_it_always_is() {
        for written in [
            "0.0.0.0",
            "9.10.99.100",
            "127.0.0.1",
            "255.200.20.2",
            "2001:db8::1",
        ] {
            let mut text = String::new();
            address(written.parse().unwrap(), &mut text);
            assert_eq!(text, written);
        }
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
        append(
            &mut headers,
            X_FORWARDED_FOR,
            HeaderValue::from_static("3.3.3.3"),
        );
        assert_eq!(headers[X_FORWARDED_FOR], "3.3.3.3");
        headers.insert(
            X_FORWARDED_FOR,
            HeaderValue::from_static("1.1.1.1, 2.2.2.2"),
        );
        headers.append(X_FORWARDED_FOR, HeaderValue::from_static(""));
        headers.append(X_FORWARDED_FOR, HeaderValue::from_static("unknown"));
        append(
            &mut headers,
            X_FORWARDED_FOR,
            HeaderValue::from_static("3.3.3.3"),
        );
        let all: Vec<_> = headers.get_all(X_FORWARDED_FOR).iter().collect();
        assert_eq!(all, ["1.1.1.1, 2.2.2.2, unknown, 3.3.3.3"]);
    }
}
