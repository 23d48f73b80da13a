//! The handshake (RFC 6455, 4.2).

use std::sync::Arc;

use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use rookery_contract::Opened;
use rookery_pool::Body;
use rookery_routing::{Address, Lot, Upgrade};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::error::RequestError;
use crate::exchange::Exchange;
use crate::gateway::Gateway;
use crate::respond;
use crate::rollout::Drawn;
use crate::site::Site;
use crate::worker::introduce;
use crate::ws::{Asked, attach};

/// What the client asks the connection to become.
pub(crate) fn upgrade<B>(request: &Request<B>) -> Upgrade {
    let asks = request.version() == Version::HTTP_11
        && has_token(request.headers(), &UPGRADE, "websocket")
        && has_token(request.headers(), &CONNECTION, "upgrade");
    if asks {
        Upgrade::WebSocket
    } else {
        Upgrade::None
    }
}

/// Answers the handshake. The session begins when the connection has changed over.
pub(crate) fn accept(
    gateway: &Arc<Gateway>,
    site: &Arc<Site>,
    address: &Address,
    exchange: &Exchange,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, RequestError> {
    if gateway.shutdown.is_requested() {
        return Err(RequestError::ShuttingDown);
    }
    let accept_key = accept_key(&request)?;
    let offered = subprotocols(request.headers());
    introduce(request.headers_mut(), address, exchange);
    let opened = Opened {
        path: address.tail().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: readable(request.headers()),
        peer: exchange.peer.ip().to_string(),
        subprotocols: offered.clone(),
    };
    // Without a rollout nobody asked for a lot; one may begin while the session lives.
    let lot = request.extensions_mut().remove::<Lot>();
    let lot = lot.unwrap_or_else(|| Drawn::of(request.headers()).lot);
    let asked = Asked::of(address, lot);
    attach::when_upgraded(gateway, site, asked, opened, request);
    let mut response = Response::new(respond::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept_key);
    // What was offered was a header's value, so it is one again.
    if let Some(first) = offered
        .first()
        .and_then(|first| HeaderValue::from_str(first).ok())
    {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, first);
    }
    Ok(response)
}

/// Whether a handshake is one (4.2.1), for those who leave its answer to somebody else.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), RequestError> {
    accept_key(request).map(drop)
}

fn accept_key<B>(request: &Request<B>) -> Result<HeaderValue, RequestError> {
    if request.method() != Method::GET {
        return Err(RequestError::Handshake("the method must be GET"));
    }
    let headers = request.headers();
    if headers
        .get(SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != "13")
    {
        return Err(RequestError::Handshake("Sec-WebSocket-Version must be 13"));
    }
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(RequestError::Handshake(
            "there must be one Sec-WebSocket-Key",
        ));
    };
    // 16 bytes in base64 (4.1); what they are does not matter.
    if key.len() != 24 {
        return Err(RequestError::Handshake(
            "Sec-WebSocket-Key must be 16 bytes in base64",
        ));
    }
    HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .map_err(|_| RequestError::Handshake("Sec-WebSocket-Key cannot be answered"))
}

fn subprotocols(headers: &HeaderMap) -> Vec<String> {
    tokens(headers, &SEC_WEBSOCKET_PROTOCOL)
        .map(str::to_owned)
        .collect()
}

/// The headers as a guest can have them: names and values that are text.
fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let readable = headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    readable.collect()
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|found| found.eq_ignore_ascii_case(token))
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
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn an_upgrade_is_seen_in_lists_and_in_any_case() {
        let check = |headers: &[(&str, &str)], expected: bool| {
            let asks = upgrade(&request(headers)) == Upgrade::WebSocket;
            assert_eq!(asks, expected, "{headers:?}");
        };
        check(&[("upgrade", "websocket"), ("connection", "Upgrade")], true);
        check(
            &[
                ("upgrade", "WebSocket"),
                ("connection", "keep-alive, upgrade"),
            ],
            true,
        );
        check(&[("upgrade", "h2c"), ("connection", "Upgrade")], false);
        check(&[("upgrade", "websocket")], false);
    }

    #[test]
    fn a_handshake_that_is_none_says_why() {
        let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let version = ("sec-websocket-version", "13");
        let check = |headers: &[(&str, &str)], expected: &str| {
            let refused = accept_key(&request(headers)).unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
        };
        check(&[key], "Version");
        check(&[key, ("sec-websocket-version", "8")], "Version");
        check(&[version], "one Sec-WebSocket-Key");
        check(&[version, key, key], "one Sec-WebSocket-Key");
        check(&[version, ("sec-websocket-key", "short")], "16 bytes");
        // The example of RFC 6455, 1.3.
        let accepted = accept_key(&request(&[version, key])).unwrap();
        assert_eq!(accepted, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
