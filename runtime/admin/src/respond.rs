//! Answers: JSON and text, errors, and what all of them carry.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use rookery_pool::Body;
use serde::Serialize;

use crate::access::Denied;
use crate::refusal::Refusal;

const JSON: &str = "application/json";

/// A text of some type.
pub(crate) fn text(content_type: &'static str, text: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(text.into())
        .map_err(|never| match never {})
        .boxed_unsync();
    with(Response::new(body), CONTENT_TYPE, content_type)
}

/// A value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(json) => text(JSON, json),
        // A map with keys that are no strings, from a source's own value: the source's bug, not the client's.
        Err(_) => error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "UNPRINTABLE",
            "The numbers cannot be shown",
        ),
    }
}

/// Server-sent events.
pub(crate) fn events(body: Body) -> Response<Body> {
    let response = with(Response::new(body), CONTENT_TYPE, "text/event-stream");
    let response = with(response, CACHE_CONTROL, "no-cache");
    // nginx would collect the events until its buffer is full.
    with(response, HeaderName::from_static("x-accel-buffering"), "no")
}

/// An error as every error of the server looks.
pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let body = serde_json::json!({ "error": message, "code": code });
    let mut response = text(JSON, body.to_string());
    *response.status_mut() = status;
    response
}

/// No such question.
pub(crate) fn not_found(path: &str) -> Response<Body> {
    error(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        &format!("Nothing is at {path}"),
    )
}

/// A route that is asked in another way.
pub(crate) fn method_not_allowed(allowed: &'static str) -> Response<Body> {
    let message = format!("Only {allowed} are answered here");
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let response = error(status, "METHOD_NOT_ALLOWED", &message);
    with(response, ALLOW, allowed)
}

/// Why something was not done: as every error of the server, and as Buntime's tools read one.
pub(crate) fn refused(refusal: &Refusal) -> Response<Body> {
    let message = refusal.to_string();
    let body = serde_json::json!({
        "success": false,
        "code": refusal.code(),
        "message": message,
        "error": message,
        "reasons": refusal.reasons(),
    });
    let mut response = text(JSON, body.to_string());
    *response.status_mut() = refusal.status();
    if matches!(refusal, Refusal::Busy) {
        return with(response, RETRY_AFTER, "5");
    }
    response
}

/// Somebody who may not ask. What would be known of the path is not said.
pub(crate) fn unauthorized(denied: Denied) -> Response<Body> {
    let (code, message) = match denied {
        Denied::NoToken => ("UNAUTHORIZED", "The admin token is required"),
        Denied::WrongToken => ("UNAUTHORIZED", "The admin token is wrong"),
        Denied::TooMany { .. } => ("TOO_MANY_ATTEMPTS", "Too many wrong tokens came from there"),
        Denied::ForeignHost => (
            "FOREIGN_HOST",
            "Without an admin token this is answered by the names of this machine only: set ROOKERY_ADMIN_TOKEN",
        ),
    };
    denied_with(denied, error(StatusCode::UNAUTHORIZED, code, message))
}

/// The same with another body, such as a page.
pub(crate) fn denied_with(denied: Denied, mut response: Response<Body>) -> Response<Body> {
    *response.status_mut() = match denied {
        Denied::NoToken | Denied::WrongToken => StatusCode::UNAUTHORIZED,
        Denied::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Denied::ForeignHost => StatusCode::FORBIDDEN,
    };
    // RFC 6750 section 3: whoever sent no token is told of no error.
    match denied {
        Denied::NoToken => with(response, WWW_AUTHENTICATE, "Bearer realm=\"rookery\""),
        Denied::WrongToken => with(
            response,
            WWW_AUTHENTICATE,
            "Bearer realm=\"rookery\", error=\"invalid_token\"",
        ),
        Denied::TooMany { after } => {
            let seconds = HeaderValue::from(after.as_secs().max(1));
            response.headers_mut().insert(RETRY_AFTER, seconds);
            response
        }
        Denied::ForeignHost => response,
    }
}

/// No room for another one.
pub(crate) fn busy(message: &str) -> Response<Body> {
    with(
        error(StatusCode::SERVICE_UNAVAILABLE, "BUSY", message),
        RETRY_AFTER,
        "5",
    )
}

/// To the page.
pub(crate) fn redirect(location: &'static str) -> Response<Body> {
    let mut response = with(Response::new(nothing()), LOCATION, location);
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response
}

/// No body.
pub(crate) fn nothing() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// What every answer carries: numbers are of now, and no browser is to guess what they are.
pub(crate) fn decorate(response: &mut Response<Body>) {
    let headers = response.headers_mut();
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not `no-referrer`: a browser would then keep from us, too, that a form is our own page's (Fetch, "append a
    // request `Origin` header").
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
}

/// With one more header.
pub(crate) fn with(
    mut response: Response<Body>,
    name: HeaderName,
    value: &'static str,
) -> Response<Body> {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
    response
}
