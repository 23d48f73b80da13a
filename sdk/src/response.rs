//! What a handler answers.

use std::borrow::Cow;
use std::io;

use serde::Serialize;

use crate::stream::BodyWriter;
use crate::{Error, Headers, SseWriter};

type Writer = Box<dyn FnOnce(&mut BodyWriter<'_>) -> io::Result<()>>;

pub(crate) enum Body {
    Whole(Cow<'static, [u8]>),
    /// Runs when the head is on its way.
    Streamed(Writer),
}

/// A response.
pub struct Response {
    status: u16,
    headers: Headers,
    pub(crate) body: Body,
}

impl Response {
    /// An empty response with this status.
    pub fn new(status: u16) -> Response {
        Response {
            status,
            headers: Headers::new(),
            body: Body::Whole(Cow::Borrowed(&[])),
        }
    }

    /// 200 with a body of this media type.
    pub fn bytes(media_type: &str, body: impl Into<Cow<'static, [u8]>>) -> Response {
        let mut response = Response::new(200).with_header("content-type", media_type);
        response.body = Body::Whole(body.into());
        response
    }

    /// 200 with plain text.
    pub fn text(text: impl Into<Cow<'static, str>>) -> Response {
        Response::bytes("text/plain; charset=utf-8", text_bytes(text.into()))
    }

    /// 200 with HTML.
    pub fn html(text: impl Into<Cow<'static, str>>) -> Response {
        Response::bytes("text/html; charset=utf-8", text_bytes(text.into()))
    }

    /// 200 with JSON.
    pub fn json(value: &(impl Serialize + ?Sized)) -> Result<Response, Error> {
        Ok(Response::bytes(
            "application/json",
            serde_json::to_vec(value)?,
        ))
    }

    /// A redirect with this status (303 after a form, 307 to repeat the request, 308 for good).
    pub fn redirect(status: u16, location: &str) -> Response {
        Response::new(status).with_header("location", location)
    }

    /// 200 with a body that is written while the client reads it.
    ///
    /// The head leaves before the first byte, so a failure later can only cut the body short; it is logged.
    pub fn stream(
        media_type: &str,
        write: impl FnOnce(&mut BodyWriter<'_>) -> io::Result<()> + 'static,
    ) -> Response {
        let mut response = Response::new(200).with_header("content-type", media_type);
        response.body = Body::Streamed(Box::new(write));
        response
    }

    /// 200 with an event stream.
    pub fn sse(write: impl FnOnce(&mut SseWriter<'_, '_>) -> io::Result<()> + 'static) -> Response {
        Response::stream("text/event-stream", |body| write(&mut SseWriter::new(body)))
            .with_header("cache-control", "no-cache")
    }

    /// The default answer for an error: `{"error", "code", "requestId"}`.
    pub fn from_error(error: &Error, request_id: Option<&str>) -> Response {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape<'a> {
            error: &'a str,
            code: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            request_id: Option<&'a str>,
        }
        let shape = Shape {
            error: error.message(),
            code: error.code(),
            request_id,
        };
        let body = serde_json::to_vec(&shape).expect("three strings always serialise");
        let response = Response::bytes("application/json", body).with_status(error.status());
        match error.allow() {
            Some(allow) => response.with_header("allow", allow),
            None => response,
        }
    }

    /// The same response with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Response {
        self.status = status;
        self
    }

    /// The same response with a header, in place of its earlier values.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Response {
        self.headers.set(name, value);
        self
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The headers, to change them.
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }

    /// Names the length where it is known, and keeps only the head for `HEAD`.
    pub(crate) fn finish(mut self, head_only: Option<HeadOnly>) -> Response {
        // RFC 9110, 8.6: no length on 1xx and 204; a 304 speaks of a body that is not there.
        if let Body::Whole(body) = &self.body
            && self.status >= 200
            && !matches!(self.status, 204 | 304)
        {
            let length = body.len().to_string();
            self.headers.set("content-length", length);
        }
        if head_only.is_some() {
            self.body = Body::Whole(Cow::Borrowed(&[]));
        }
        self
    }
}

/// The request was `HEAD`.
pub(crate) struct HeadOnly;

fn text_bytes(text: Cow<'static, str>) -> Cow<'static, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}
