//! The last step of a request to a worker: what the app is to see, and what comes back.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use rookery_bundle::{Kind, Manifest};
use rookery_pool::{Body, Pool};
use rookery_routing::Address;

use crate::body::{Course, Defect, limited};
use crate::error::RequestError;
use crate::exchange::Exchange;
use crate::proxy::tell_the_way;
use crate::site::Site;
use crate::static_files::frames_a_message;

/// Where the app lives, as the client typed it: `/chat@1`.
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
/// The same, under the name that Buntime's apps know.
const X_BASE: HeaderName = HeaderName::from_static("x-base");
/// The app's name.
const X_APP_NAME: HeaderName = HeaderName::from_static("x-app-name");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Sends the request through a worker of the site.
///
/// What can be done at once is done here: a future has room for all that it was made of while it waits.
pub(crate) fn forward<'a>(
    site: &'a Site,
    pool: &'a Arc<Pool>,
    address: &Address,
    exchange: &Exchange,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Body>, RequestError>> + use<'a> {
    let manifest = &site.revision.bundle.manifest;
    let prepared = prepare(site, address, exchange, request);
    async move {
        let (request, course) = prepared?;
        let answered = pool.request(request).await;
        // Whatever the app made of a body that broke off: the client is told what was wrong with it.
        match (course.defect(), answered) {
            (Some(Defect::TooLarge), _) => Err(RequestError::BodyTooLarge {
                limit: manifest.max_body_size,
            }),
            (Some(Defect::Broken), _) => Err(RequestError::BodyBroken),
            (None, Ok(response)) => Ok(finish(response, manifest)),
            (None, Err(error)) => Err(error.into()),
        }
    }
}

/// The request as the app is to see it, and how the client's body fares.
fn prepare(
    site: &Site,
    address: &Address,
    exchange: &Exchange,
    mut request: Request<Incoming>,
) -> Result<(Request<Body>, Course), RequestError> {
    let limit = site.revision.bundle.manifest.max_body_size;
    if declared_length(request.headers()).is_some_and(|length| length > limit) {
        return Err(RequestError::BodyTooLarge { limit });
    }
    // HTTP/2 says it in the URI; and so may HTTP/1.1, where the URI rules (RFC 9112, 3.2.2). HTTP/1.0 may not say it at
    // all, and an app may count on it.
    let authority = request.uri().authority();
    let host = authority.and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    let headers = request.headers_mut();
    if host.is_some() || !headers.contains_key(HOST) {
        let host = host.unwrap_or(HeaderValue::from_static("localhost"));
        headers.insert(HOST, host);
    }
    let is_server = site.revision.bundle.entry.kind() == Kind::Process;
    // What is added below, at once: else the map grows twice.
    headers.reserve(if is_server { 12 } else { 6 });
    if is_server {
        // It is behind another connection, and what the client names in `Connection` must not be what we add.
        rookery_upstream::of_request(headers);
    }
    *request.uri_mut() = below_app(request.uri(), address.tail());
    introduce(request.headers_mut(), address, exchange);
    if is_server {
        // A server that knows nothing of us limits its clients by these.
        tell_the_way(request.headers_mut(), exchange);
    }
    let (parts, body) = request.into_parts();
    let (body, course) = limited(body, limit);
    Ok((Request::from_parts(parts, body), course))
}

/// Tells the app where it is and whose request this is. A client's own claims about that are overwritten.
pub(crate) fn introduce(headers: &mut HeaderMap, address: &Address, exchange: &Exchange) {
    // Both come from a request line that was parsed, so they are valid values.
    if let Ok(prefix) = HeaderValue::from_str(address.prefix()) {
        headers.insert(X_FORWARDED_PREFIX, prefix.clone());
        headers.insert(X_BASE, prefix);
    }
    if let Ok(name) = HeaderValue::from_str(address.app()) {
        headers.insert(X_APP_NAME, name);
    }
    headers.insert(X_REQUEST_ID, exchange.id.header_value());
    headers.insert(TRACEPARENT, exchange.trace.header_value());
}

/// The path as the app sees it: what is below it, with the query.
pub(crate) fn below_app(uri: &Uri, tail: &str) -> Uri {
    let path = match uri.query() {
        Some(query) => [tail, "?", query].concat(),
        None => tail.to_owned(),
    };
    // A part of a valid path is a valid path; were it not, the app would rather see its root than nothing.
    let path = PathAndQuery::try_from(path).unwrap_or_else(|_| PathAndQuery::from_static("/"));
    if uri.authority().is_none() {
        return Uri::from(path);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).unwrap_or_default()
}

/// How long the client says that its body is.
pub(crate) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A body without a type is text (Buntime's rule); an answer without a body has no type. What the manifest says about
/// headers is said last, but for those that frame the message.
fn finish(mut response: Response<Body>, manifest: &Manifest) -> Response<Body> {
    let bodiless = matches!(
        response.status(),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    ) || response.status().is_redirection();
    let typed = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| !value.is_empty());
    if !bodiless && !typed {
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
    }
    for (name, value) in &manifest.headers {
        if !frames_a_message(name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}
