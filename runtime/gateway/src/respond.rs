//! Where errors become answers: the only status codes of failures are here.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use rookery_pool::{AcquireError, Body, Fault, InvokeError};
use rookery_telemetry::RequestId;
use rookery_upstream::UpstreamError;
use serde_json::json;

use crate::config::Disclosure;
use crate::error::RequestError;

/// A body of these bytes.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// No body.
pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// An answer of this type and text.
pub(crate) fn text(
    status: StatusCode,
    content_type: &'static str,
    text: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The answer to a request that failed: `{"error", "code", "requestId"}`. The log has what the client does not read.
pub(crate) fn failed(
    error: &RequestError,
    id: &RequestId,
    disclosure: Disclosure,
) -> Response<Body> {
    let (status, code, public) = describe(error);
    if let RequestError::Invoke(InvokeError::Fault { label, fault }) = error
        && status.is_server_error()
    {
        tracing::warn!(request_id = %id, app = label, code, %fault, "a request failed");
    } else if status.is_server_error() {
        tracing::warn!(request_id = %id, code, reason = %error, "a request failed");
    } else {
        tracing::debug!(request_id = %id, code, reason = %error, "a request was refused");
    }
    let message = match (public, disclosure) {
        (Some(public), Disclosure::Hidden) => public.to_owned(),
        _ => error.to_string(),
    };
    let body = json!({ "error": message, "code": code, "requestId": id.as_str() });
    let mut response = text(status, "application/json", body.to_string());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = retry_after(error, status) {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The status that the error is answered with.
pub(crate) fn status(error: &RequestError) -> StatusCode {
    describe(error).0
}

/// In how many seconds it may be worth asking again: at least one, so that nobody asks at once.
fn retry_after(error: &RequestError, status: StatusCode) -> Option<u64> {
    match error {
        RequestError::Invoke(InvokeError::Acquire(AcquireError::Spawn { retry_after, .. })) => {
            Some(retry_after.as_millis().div_ceil(1000).max(1) as u64)
        }
        _ => (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1),
    }
}

/// Status and code, and what a client reads in place of the error's own text when that is not for it.
fn describe(error: &RequestError) -> (StatusCode, &'static str, Option<&str>) {
    match error {
        RequestError::AppNotFound(_) => (StatusCode::NOT_FOUND, "APP_NOT_FOUND", None),
        RequestError::InvalidConfig { public, .. } => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "INVALID_CONFIG",
            Some(public),
        ),
        RequestError::NotPrepared { lacks, .. } => start_failed(lacks.as_deref()),
        RequestError::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND", None),
        RequestError::BodyTooLarge { .. } => {
            (StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", None)
        }
        RequestError::BodyBroken => (StatusCode::BAD_REQUEST, "BODY_BROKEN", None),
        RequestError::Host => (StatusCode::BAD_REQUEST, "BAD_HOST", None),
        RequestError::Handshake(_) => (StatusCode::BAD_REQUEST, "BAD_HANDSHAKE", None),
        RequestError::ShuttingDown => (StatusCode::SERVICE_UNAVAILABLE, "SHUTTING_DOWN", None),
        RequestError::Rewrite(_) => (StatusCode::URI_TOO_LONG, "URI_TOO_LONG", None),
        RequestError::Upstream(error) => upstream(error),
        RequestError::Invoke(InvokeError::Acquire(error)) => acquire(error),
        RequestError::Invoke(InvokeError::Fault { fault, .. }) => self::fault(fault),
    }
}

fn upstream(error: &UpstreamError) -> (StatusCode, &'static str, Option<&'static str>) {
    match error {
        UpstreamError::Connect { .. } => (
            StatusCode::BAD_GATEWAY,
            "UPSTREAM_UNREACHABLE",
            Some("The upstream cannot be reached"),
        ),
        UpstreamError::ConnectTimeout { .. }
        | UpstreamError::AnswerTimeout { .. }
        | UpstreamError::Stalled { .. } => (
            StatusCode::GATEWAY_TIMEOUT,
            "UPSTREAM_TIMEOUT",
            Some("The upstream did not answer in time"),
        ),
        UpstreamError::Broken { .. } | UpstreamError::OtherProtocol { .. } => (
            StatusCode::BAD_GATEWAY,
            "UPSTREAM_FAILED",
            Some("The upstream gave no answer"),
        ),
        UpstreamError::Saturated { .. } | UpstreamError::TooManyTunnels { .. } => (
            StatusCode::SERVICE_UNAVAILABLE,
            "UPSTREAM_BUSY",
            Some("The upstream is busy; try again"),
        ),
    }
}

fn acquire(error: &AcquireError) -> (StatusCode, &'static str, Option<&str>) {
    let busy = Some("The app is busy; try again");
    match error {
        AcquireError::QueueFull { .. } => (StatusCode::SERVICE_UNAVAILABLE, "QUEUE_FULL", busy),
        AcquireError::QueueTimeout { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "QUEUE_TIMEOUT", busy)
        }
        AcquireError::Draining { .. } => (StatusCode::SERVICE_UNAVAILABLE, "DRAINING", busy),
        AcquireError::Spawn { source, .. } => start_failed(source.lacks.as_deref()),
    }
}

fn start_failed(lacks: Option<&str>) -> (StatusCode, &'static str, Option<&str>) {
    // What to install is nobody's secret, and whoever reads it may be the one who can mend it.
    let said = lacks.unwrap_or("The app could not start");
    (StatusCode::BAD_GATEWAY, "WORKER_START_FAILED", Some(said))
}

fn fault(fault: &Fault) -> (StatusCode, &'static str, Option<&'static str>) {
    match fault {
        Fault::Timeout(_) => (
            StatusCode::GATEWAY_TIMEOUT,
            "WORKER_TIMEOUT",
            Some("The app did not answer in time"),
        ),
        Fault::Trap(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "WORKER_FAULT",
            Some("The app failed"),
        ),
        Fault::Memory(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "WORKER_MEMORY",
            Some("The app ran out of memory"),
        ),
        Fault::Gone(_) => (
            StatusCode::BAD_GATEWAY,
            "WORKER_GONE",
            Some("The app ended without an answer"),
        ),
        Fault::NoAnswer | Fault::Lost | Fault::Cancelled => (
            StatusCode::BAD_GATEWAY,
            "NO_ANSWER",
            Some("The app gave no answer"),
        ),
        Fault::Unsupported(_) => (StatusCode::NOT_IMPLEMENTED, "NOT_SERVED", None),
    }
}
