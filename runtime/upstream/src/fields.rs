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

/// What a head is looked through for. Those up to `UPGRADE` concern a connection and not a message, named in `Connection`
/// or not.
static NOTED: [HeaderName; 13] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    EXPECT,
    HOST,
    CONTENT_LENGTH,
    AUTHORIZATION,
    COOKIE,
];

/// Which of [`NOTED`] a head has: one bit each, in that order. Asking a map for each of them by name costs several times as
/// much as one look through its few names, and mostly there is next to none.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Noted(u16);

impl Noted {
    const OF_A_CONNECTION: Noted = Noted(0b1111_1111);
    const CONNECTION: Noted = Noted(1);
    const KEEP_ALIVE: Noted = Noted(1 << 1);
    const TE: Noted = Noted(1 << 5);
    const EXPECT: Noted = Noted(1 << 8);
    const HOST: Noted = Noted(1 << 9);
    const CONTENT_LENGTH: Noted = Noted(1 << 10);
    /// Those that a client cannot have removed by naming them in `Connection`: without them the message would mean
    /// something else to the next server than to this one.
    const KEPT: Noted = Noted(0b1111 << 9);
    const COOKIE: Noted = Noted(1 << 12);

    fn of(name: &HeaderName) -> Noted {
        Noted(match *name {
            CONNECTION => 1,
            PROXY_AUTHENTICATE => 1 << 3,
            PROXY_AUTHORIZATION => 1 << 4,
            TE => Self::TE.0,
            TRANSFER_ENCODING => 1 << 6,
            UPGRADE => 1 << 7,
            EXPECT => Self::EXPECT.0,
            HOST => Self::HOST.0,
            CONTENT_LENGTH => Self::CONTENT_LENGTH.0,
            AUTHORIZATION => 1 << 11,
            COOKIE => Self::COOKIE.0,
            // The two that the crate has no number for.
            _ => match name.as_str() {
                "keep-alive" => Self::KEEP_ALIVE.0,
                "proxy-connection" => 1 << 2,
                _ => 0,
            },
        })
    }

    fn in_head(headers: &HeaderMap) -> Noted {
        Noted(headers.keys().fold(0, |all, name| all | Self::of(name).0))
    }

    fn has(self, other: Noted) -> bool {
        self.0 & other.0 != 0
    }

    /// Both in this and in the other.
    fn and(self, other: Noted) -> Noted {
        Noted(self.0 & other.0)
    }

    fn names(self) -> impl Iterator<Item = &'static HeaderName> {
        let bits = (0..NOTED.len()).filter(move |bit| self.0 >> bit & 1 != 0);
        bits.map(|bit| &NOTED[bit])
    }
}

/// Leaves the fields that are meant for the other end.
pub fn end_to_end(headers: &mut HeaderMap) {
    let noted = Noted::in_head(headers);
    leave(headers, noted, noted.and(Noted::OF_A_CONNECTION));
}

/// Removes what `Connection` names, and these.
fn leave(headers: &mut HeaderMap, noted: Noted, gone: Noted) {
    if noted.has(Noted::CONNECTION) {
        let named: Vec<HeaderName> = tokens(headers, &CONNECTION)
            // The one that mostly stands there, and of which it is known whether there is such a field.
            .filter(|token| !token.eq_ignore_ascii_case("keep-alive"))
            .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
            .filter(|name| !Noted::of(name).has(Noted::KEPT))
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for name in gone.names() {
        headers.remove(name);
    }
}

/// Leaves of a request what is meant for the server behind this one, and whether the client takes trailers, which each
/// server on the way says anew. `Expect` is left out: whoever sends the body is told to go on when it is asked for.
///
/// To be done before anything is added, since a client may name in `Connection` what is added later.
pub fn of_request(headers: &mut HeaderMap) {
    behind(headers, Noted::in_head(headers));
}

fn behind(headers: &mut HeaderMap, noted: Noted) {
    let gone = noted.and(Noted(Noted::OF_A_CONNECTION.0 | Noted::EXPECT.0));
    if gone == Noted(0) {
        return;
    }
    let wants_trailers = noted.has(Noted::TE)
        && tokens(headers, &TE).any(|token| token.eq_ignore_ascii_case("trailers"));
    leave(headers, noted, gone);
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
    let noted = Noted::in_head(headers);
    behind(headers, noted);
    if !noted.has(Noted::HOST) {
        host(headers, target);
    }
    if noted.has(Noted::COOKIE) {
        one_cookie(headers);
    }
    if noted.has(Noted::TE) && headers.contains_key(TE) {
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
    if !framed && !noted.has(Noted::CONTENT_LENGTH) {
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
