//! The way of a request through the static files, and the responses at its end.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, LAST_MODIFIED, LOCATION, RANGE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use rookery_pool::Body;

use super::asset::{Asset, OnDisk};
use super::conditional::{self, Outcome};
use super::locate::ReadError;
use super::path::AskedPath;
use super::range::{self, Selection};
use super::representation::{Negotiated, Representation};
use super::{Found, SpaFallback, StaticFiles, body, content_type, negotiate, pieces};

/// The entry page of a root that names no other.
const INDEX: &str = "index.html";

/// How a file came to be the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// Its path was asked for.
    Asked,
    /// Nothing has that path and a page was wanted.
    Fallback,
}

impl StaticFiles {
    /// Answers a request from the files. `tail` is the raw path below the app and starts with `/`; `base` is the raw
    /// path of the app with a slash at its end, as the client typed it (`/chat@1/`).
    pub async fn serve(&self, request: &Parts, tail: &str, base: &str) -> Found {
        let Some(asked) = AskedPath::parse(tail) else {
            return Found::Missing;
        };
        let mut found = self.attempt(request, &asked, tail, base).await;
        if let Err(ReadError::Changed) = found {
            self.look_again(asked.file(self.entry()));
            self.look_again(self.entry().into());
            found = self.attempt(request, &asked, tail, base).await;
        }
        let mut found = found.unwrap_or_else(|error| {
            tracing::warn!(root = %self.root.display(), tail, %error, "a static file could not be read");
            Found::Response(unreadable())
        });
        if let Found::Response(response) = &mut found {
            self.decorate(response.headers_mut());
        }
        found
    }

    async fn attempt(
        &self,
        request: &Parts,
        asked: &AskedPath,
        tail: &str,
        base: &str,
    ) -> Result<Found, ReadError> {
        let reads = request.method == Method::GET || request.method == Method::HEAD;
        let path = asked.file(self.entry());
        let answer = match self.locate(path.clone()).await? {
            OnDisk::File(_) | OnDisk::Directory if !reads => method_not_allowed(),
            OnDisk::File(asset) => {
                self.answer(request, asset, &path, base, Reason::Asked)
                    .await?
            }
            // A directory that is called `index.html` would be redirected to for ever.
            OnDisk::Directory if !tail.ends_with('/') => {
                match to_directory(tail, request.uri.query()) {
                    Some(redirect) => redirect,
                    None => return Ok(Found::Missing),
                }
            }
            _ if reads && self.falls_back(request, asked) => {
                let path = Path::new(self.entry());
                match self.locate(path.to_owned()).await? {
                    OnDisk::File(asset) => {
                        self.answer(request, asset, path, base, Reason::Fallback)
                            .await?
                    }
                    _ => return Ok(Found::Missing),
                }
            }
            _ => return Ok(Found::Missing),
        };
        Ok(Found::Response(answer))
    }

    fn entry(&self) -> &str {
        self.options.index.as_deref().unwrap_or(INDEX)
    }

    fn falls_back(&self, request: &Parts, asked: &AskedPath) -> bool {
        let on = self.options.spa_fallback == SpaFallback::On;
        on && asked.looks_like_a_page() && negotiate::wants_page(&request.headers)
    }

    async fn answer(
        &self,
        request: &Parts,
        asset: Arc<Asset>,
        path: &Path,
        base: &str,
        reason: Reason,
    ) -> Result<Response<Body>, ReadError> {
        let form = self.represent(asset, path, &request.headers, base).await?;
        let mut response = Response::new(body::empty());
        *response.headers_mut() = description(&form, reason);
        match conditional::judge(&request.headers, form.validators()) {
            Outcome::Proceed => {}
            Outcome::NotModified => return Ok(with_status(response, StatusCode::NOT_MODIFIED)),
            Outcome::Failed => return Ok(with_status(response, StatusCode::PRECONDITION_FAILED)),
        }
        let len = form.len();
        let part = match selection(request, &form) {
            Selection::Whole => 0..len,
            Selection::Part(part) => {
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                let range = format!("bytes {}-{}/{len}", part.start, part.end - 1);
                set(response.headers_mut(), CONTENT_RANGE, range);
                part
            }
            Selection::Unsatisfiable => {
                set(
                    response.headers_mut(),
                    CONTENT_RANGE,
                    format!("bytes */{len}"),
                );
                return Ok(with_status(response, StatusCode::RANGE_NOT_SATISFIABLE));
            }
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
        headers.insert(CONTENT_TYPE, form.content_type.clone());
        if let Some(coding) = form.coding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
        }
        if request.method == Method::GET {
            *response.body_mut() = self.content(form, part).await?;
        }
        Ok(response)
    }

    async fn content(
        &self,
        form: Representation,
        part: std::ops::Range<u64>,
    ) -> Result<Body, ReadError> {
        let pieces = pieces::slice(&form.pieces, part);
        let on_disk = pieces
            .iter()
            .any(|piece| matches!(piece, pieces::Piece::Disk(_)));
        let file = if on_disk {
            Some(self.open(form.asset).await?)
        } else {
            None
        };
        Ok(body::stream(pieces, file))
    }

    /// The manifest's word is the last. A name that it gives twice is sent twice.
    fn decorate(&self, headers: &mut HeaderMap) {
        let nosniff = HeaderValue::from_static("nosniff");
        headers.insert(X_CONTENT_TYPE_OPTIONS, nosniff);
        for (name, _) in &self.options.headers {
            headers.remove(name);
        }
        for (name, value) in &self.options.headers {
            headers.append(name, value.clone());
        }
    }
}

/// The headers that a response has whether or not it carries the content.
fn description(form: &Representation, reason: Reason) -> HeaderMap {
    let mut headers = HeaderMap::new();
    set(&mut headers, ETAG, form.etag.clone());
    if let Some(modified) = form.asset.modified {
        set(
            &mut headers,
            LAST_MODIFIED,
            httpdate::fmt_http_date(modified),
        );
    }
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // A page names its assets, so it has to be today's. Nothing is guessed to be immutable from its name.
    let page = form.content_type == content_type::HTML;
    let caching = if page {
        "no-cache"
    } else {
        "public, max-age=0, must-revalidate"
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    let vary = match (reason, form.negotiated) {
        (Reason::Asked, Negotiated::No) => None,
        (Reason::Asked, Negotiated::Yes) => Some("Accept-Encoding"),
        (Reason::Fallback, Negotiated::No) => Some("Accept"),
        (Reason::Fallback, Negotiated::Yes) => Some("Accept, Accept-Encoding"),
    };
    if let Some(vary) = vary {
        headers.insert(VARY, HeaderValue::from_static(vary));
    }
    headers
}

/// Ranges are for GET alone (RFC 9110 section 14.2).
fn selection(request: &Parts, form: &Representation) -> Selection {
    let mut ranges = request.headers.get_all(RANGE).iter();
    match (ranges.next(), ranges.next()) {
        (Some(value), None)
            if request.method == Method::GET
                && conditional::range_counts(&request.headers, form.validators()) =>
        {
            range::select(value.to_str().unwrap_or_default(), form.len())
        }
        _ => Selection::Whole,
    }
}

/// To the form with the slash, relative, so that it holds behind any prefix. `./` keeps a colon in the name from
/// being read as a scheme.
fn to_directory(tail: &str, query: Option<&str>) -> Option<Response<Body>> {
    let (_, name) = tail.rsplit_once('/')?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let location = HeaderValue::from_bytes(format!("./{name}/{query}").as_bytes()).ok()?;
    let mut response = with_status(Response::new(body::empty()), StatusCode::PERMANENT_REDIRECT);
    response.headers_mut().insert(LOCATION, location);
    Some(response)
}

fn method_not_allowed() -> Response<Body> {
    let text = r#"{"error":"Only GET and HEAD read a file","code":"METHOD_NOT_ALLOWED"}"#;
    let mut response = error(StatusCode::METHOD_NOT_ALLOWED, text);
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

fn unreadable() -> Response<Body> {
    let text = r#"{"error":"The file could not be read","code":"FILE_UNREADABLE"}"#;
    error(StatusCode::INTERNAL_SERVER_ERROR, text)
}

fn error(status: StatusCode, text: &'static str) -> Response<Body> {
    let response = Response::new(body::full(Bytes::from_static(text.as_bytes())));
    let mut response = with_status(response, status);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn with_status(mut response: Response<Body>, status: StatusCode) -> Response<Body> {
    *response.status_mut() = status;
    response
}

/// Sets a header from text that this module composed of digits, dates and quoted tags.
fn set(headers: &mut HeaderMap, name: http::HeaderName, text: String) {
    let value = HeaderValue::try_from(text).expect("it has visible characters only");
    headers.insert(name, value);
}
