//! The way of a question to its answer.

use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;
use rookery_lifecycle::Shutdown;
use rookery_pool::Body;
use rookery_telemetry::prometheus;

use crate::access::Access;
use crate::interval::interval;
use crate::route::Route;
use crate::source::{Source, Stats};
use crate::stream::Stream;
use crate::{metrics, page, respond};

/// Answers what is below `/_/`.
pub struct Admin {
    access: Access,
    source: Arc<dyn Source>,
    stream: Arc<Stream>,
}

impl Admin {
    /// Answers from `source` whom `access` lets in. The streams end with `shutdown`.
    pub fn new(access: Access, source: Arc<dyn Source>, shutdown: Shutdown) -> Arc<Admin> {
        let stream = Stream::new(source.clone(), shutdown);
        Arc::new(Admin {
            access,
            source,
            stream,
        })
    }

    /// Answers one request, whose path is `/_` or below. Its body is not looked at.
    pub async fn serve<B>(&self, request: Request<B>) -> Response<Body> {
        let mut response = match self.access.check(request.headers()) {
            Err(denied) => respond::unauthorized(denied),
            Ok(()) => self.route(&request),
        };
        respond::decorate(&mut response);
        if request.method() == Method::HEAD {
            without_body(&mut response);
        }
        response
    }

    fn route<B>(&self, request: &Request<B>) -> Response<Body> {
        let Some(route) = Route::parse(request.uri().path()) else {
            return respond::not_found(request.uri().path());
        };
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return respond::method_not_allowed();
        }
        match route {
            Route::Page => page::html(),
            Route::PageWithoutSlash => respond::redirect("/_/"),
            Route::Script => page::script(),
            Route::Style => page::style(),
            Route::Metrics => self.metrics(request.headers()),
            Route::Prometheus => self.prometheus(),
            Route::Stats => respond::json(&Stats::of(self.source.as_ref())),
            Route::Stream => self.stream(request.uri().query()),
            Route::Deployments => respond::json(&self.source.deployments()),
        }
    }

    fn metrics(&self, headers: &HeaderMap) -> Response<Body> {
        let response = if metrics::wants_prometheus(headers) {
            self.prometheus()
        } else {
            respond::json(&self.source.pool().snapshot(self.source.surroundings()))
        };
        respond::with(response, http::header::VARY, "Accept")
    }

    fn prometheus(&self) -> Response<Body> {
        respond::text(
            prometheus::CONTENT_TYPE,
            metrics::prometheus(self.source.as_ref()),
        )
    }

    fn stream(&self, query: Option<&str>) -> Response<Body> {
        let Some(every) = interval(query) else {
            let message = "interval is a number of milliseconds, or one with ms, s or m";
            return respond::error(StatusCode::BAD_REQUEST, "BAD_INTERVAL", message);
        };
        let Some(events) = self.stream.watch(every) else {
            return respond::busy("Too many are watching");
        };
        let response = respond::with(Response::new(events), CONTENT_TYPE, "text/event-stream");
        let response = respond::with(response, CACHE_CONTROL, "no-cache");
        // nginx would collect the events until its buffer is full.
        respond::with(response, HeaderName::from_static("x-accel-buffering"), "no")
    }
}

/// Keeps the length that the body would have had, if it has one.
fn without_body(response: &mut Response<Body>) {
    if let Some(len) = response.body().size_hint().exact() {
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(len));
    }
    *response.body_mut() = respond::nothing();
}
