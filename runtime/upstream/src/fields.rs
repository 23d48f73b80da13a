//! Which header fields go on to the next server (RFC 9110, 7.6.1), and in which form.
//!
//! **Invariant:** nothing that describes the connection a message came over is sent over another one; how the message is
//! framed is decided anew for each.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, Version};
use http_body::Body as _;

use crate::body::Body;
use crate::target::Target;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// Those that concern a connection and not a message, named in `Connection` or not.
static OF_A_CONNECTION: [HeaderName; 8] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Those that a client cannot have removed by naming them in `Connection`: without them the message would mean something
/// else to the next server than to this one.
static KEPT: [HeaderName; 4] = [HOST, CONTENT_LENGTH, AUTHORIZATION, COOKIE];

/// Leaves the fields that are meant for the other end.
pub fn end_to_end(headers: &mut HeaderMap) {
    // Mostly there is none of them, and looking through the names once is cheaper than asking for each.
    if !headers.keys().any(|name| OF_A_CONNECTION.contains(name)) {
        return;
    }
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = tokens(headers, &CONNECTION)
            .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
            .filter(|name| !KEPT.contains(name))
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for name in &OF_A_CONNECTION {
        headers.remove(name);
    }
}

/// Leaves of a request what is meant for the server behind this one, and whether the client takes trailers, which each
/// server on the way says anew. `Expect` is left out: whoever sends the body is told to go on when it is asked for.
///
/// To be done before anything is added, since a client may name in `Connection` what is added later.
pub fn of_request(headers: &mut HeaderMap) {
    let wants_trailers = tokens(headers, &TE).any(|token| token.eq_ignore_ascii_case("trailers"));
    end_to_end(headers);
    headers.remove(EXPECT);
    if wants_trailers {
        headers.insert(TE, TRAILERS);
    }
}

/// A request as it goes over HTTP/1.1. `Host` has to be there, or is the target's.
pub(crate) fn for_http1(request: &mut Request<Body>, target: &Target) {
    *request.version_mut() = Version::HTTP_11;
    origin_form(request.uri_mut());
    let body = request.body();
    let framed = body.is_end_stream() || body.size_hint().exact().is_some();
    let headers = request.headers_mut();
    of_request(headers);
    host(headers, target);
    one_cookie(headers);
    if headers.contains_key(TE) {
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
    if !framed && !headers.contains_key(CONTENT_LENGTH) {
        // Said here, because hyper sends no body of unknown length with GET unless it is told to.
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

/// A request as it goes over HTTP/2: what `Host` says is the authority.
pub(crate) fn for_http2(request: &mut Request<Body>, target: &Target) {
    *request.version_mut() = Version::HTTP_2;
    let headers = request.headers_mut();
    of_request(headers);
    let host = headers.remove(HOST);
    let authority = host
        .and_then(|host| http::uri::Authority::try_from(host.as_bytes()).ok())
        .or_else(|| target.authority().parse().ok());
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(http::uri::Scheme::HTTPS);
    parts.authority = authority;
    parts.path_and_query.get_or_insert_with(root);
    // All three are there, and the target's authority is one.
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
}

/// The head of a handshake, which is always HTTP/1.1.
pub(crate) fn for_handshake(request: &mut Request<()>, target: &Target) {
    end_to_end(request.headers_mut());
    *request.version_mut() = Version::HTTP_11;
    origin_form(request.uri_mut());
    let headers = request.headers_mut();
    host(headers, target);
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

fn origin_form(uri: &mut Uri) {
    if uri.scheme().is_some() || uri.authority().is_some() {
        let path = uri.path_and_query().cloned().unwrap_or_else(root);
        *uri = Uri::from(path);
    }
}

fn root() -> http::uri::PathAndQuery {
    http::uri::PathAndQuery::from_static("/")
}

fn host(headers: &mut HeaderMap, target: &Target) {
    if headers.contains_key(HOST) {
        return;
    }
    if let Ok(authority) = HeaderValue::from_str(&target.authority()) {
        headers.insert(HOST, authority);
    }
}

/// HTTP/2 may split cookies over several fields; before it there is one (RFC 9113, 8.2.3).
fn one_cookie(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let crumbs: Vec<&[u8]> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if let Ok(whole) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(COOKIE, whole);
    }
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests;
