//! What goes on and what does not.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};

use super::*;

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

fn shown(headers: &HeaderMap) -> Vec<String> {
    let shown = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
    let mut shown: Vec<String> = shown.collect();
    shown.sort();
    shown
}

fn request(fields: &[(&'static str, &'static str)]) -> Request<Body> {
    let nothing = Empty::<Bytes>::new().map_err(|never| match never {});
    let mut request = Request::new(nothing.boxed_unsync());
    *request.headers_mut() = headers(fields);
    *request.uri_mut() = "http://front/path?q".parse().unwrap();
    request
}

fn target() -> Target {
    Target::Tcp {
        host: "back".into(),
        port: 81,
    }
}

#[test]
fn fields_of_the_connection_and_those_it_names_stay_behind() {
    let mut fields = headers(&[
        ("connection", "close, X-Mine"),
        ("connection", "x-other"),
        ("x-mine", "1"),
        ("x-other", "2"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("proxy-authorization", "Basic x"),
        ("proxy-authenticate", "Basic"),
        ("te", "gzip"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("trailer", "x-sum"),
    ]);
    end_to_end(&mut fields);
    let expected = ["set-cookie: a=1", "set-cookie: b=2", "trailer: x-sum"];
    assert_eq!(shown(&fields), expected);
}

#[test]
fn each_name_that_is_noted_has_its_own_bit_in_their_order() {
    for (bit, name) in NOTED.iter().enumerate() {
        assert_eq!(Noted::of(name).0, 1 << bit, "{name}");
        assert!(Noted(1 << bit).names().eq([name]));
    }
    let kept = [HOST, CONTENT_LENGTH, AUTHORIZATION, COOKIE];
    assert!(Noted::KEPT.names().eq(&kept));
    assert!(Noted::OF_A_CONNECTION.names().eq(&NOTED[..8]));
    assert!(Noted::of(&HeaderName::from_static("x-mine")) == Noted(0));
}

#[test]
fn what_gives_a_message_its_meaning_cannot_be_named_away() {
    let mut fields = headers(&[
        ("connection", "host, content-length, cookie, authorization"),
        ("host", "h"),
        ("content-length", "3"),
        ("cookie", "c"),
        ("authorization", "a"),
    ]);
    end_to_end(&mut fields);
    assert_eq!(fields.len(), 4);
}

#[test]
fn over_http1_a_request_has_a_path_a_host_and_one_cookie() {
    let mut sent = request(&[
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("expect", "100-continue"),
        ("te", "trailers, gzip"),
    ]);
    for_http1(&mut sent, &target());
    assert_eq!(sent.uri(), "/path?q");
    let expected = [
        "connection: te",
        "cookie: a=1; b=2",
        "host: back:81",
        "te: trailers",
    ];
    assert_eq!(shown(sent.headers()), expected);
}

#[test]
fn over_http2_the_host_is_the_authority() {
    let mut sent = request(&[("host", "asked.example:8080"), ("te", "trailers")]);
    for_http2(&mut sent, &target());
    assert_eq!(sent.uri(), "https://asked.example:8080/path?q");
    assert_eq!(shown(sent.headers()), ["te: trailers"]);
    let mut sent = request(&[("host", "not a host")]);
    for_http2(&mut sent, &target());
    assert_eq!(sent.uri(), "https://back:81/path?q");
}

#[test]
fn a_handshake_keeps_its_own_fields_and_says_the_upgrade_anew() {
    let fields = headers(&[
        ("host", "h"),
        ("connection", "keep-alive, Upgrade, x-a"),
        ("upgrade", "websocket, other"),
        ("x-a", "gone"),
        ("sec-websocket-key", "k"),
        ("sec-websocket-extensions", "permessage-deflate"),
        ("content-length", "0"),
    ]);
    let mut sent = Request::new(());
    *sent.headers_mut() = fields;
    for_handshake(&mut sent, &target());
    let expected = [
        "connection: Upgrade",
        "host: h",
        "sec-websocket-extensions: permessage-deflate",
        "sec-websocket-key: k",
        "upgrade: websocket",
    ];
    assert_eq!(shown(sent.headers()), expected);
}

#[test]
fn a_body_of_unknown_length_is_chunked_whatever_the_method() {
    let stream = http_body_util::StreamBody::new(futures_util::stream::iter([Ok(
        http_body::Frame::data(Bytes::from("x")),
    )]));
    let mut sent = Request::new(stream.boxed_unsync());
    for_http1(&mut sent, &target());
    assert_eq!(sent.headers()[TRANSFER_ENCODING], "chunked");
}
