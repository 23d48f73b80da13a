//! `wasi:http/incoming-handler`, in and out.
//!
//! **Invariant:** the head is set before the first byte of a body is made, so a stream reaches the client as it grows.

use std::io::{self, Write};

use wasip2::http::types::{
    Fields, IncomingBody, IncomingRequest, Method as WasiMethod, OutgoingBody, OutgoingResponse,
    ResponseOutparam,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use crate::log::{self, Level};
use crate::request::Incoming;
use crate::response::Body;
use crate::stream::{BodyWriter, Sink, Source};
use crate::{App, Headers, Method, Request, Response};

/// How much of a body is asked for at once.
const CHUNK_BYTES_MAX: u64 = 64 * 1024;

/// Answers a request.
pub fn answer(app: &App, request: IncomingRequest, out: ResponseOutparam) {
    let target = request.path_with_query().unwrap_or_default();
    let method = method(request.method());
    let mut request = Request::new(method, &target, Box::new(WasiRequest(request)));
    let response = app.answer(&mut request);
    if let Err(error) = send(response, out) {
        // The client went away, or a streamed body failed under way: the head is out, so only the log can tell.
        log::write(
            Level::Debug,
            format_args!(
                "{} {}: the body ended early: {error}",
                request.method(),
                request.path()
            ),
        );
    }
}

fn method(method: WasiMethod) -> Method {
    match method {
        WasiMethod::Get => Method::Get,
        WasiMethod::Head => Method::Head,
        WasiMethod::Post => Method::Post,
        WasiMethod::Put => Method::Put,
        WasiMethod::Patch => Method::Patch,
        WasiMethod::Delete => Method::Delete,
        WasiMethod::Options => Method::Options,
        WasiMethod::Connect => Method::Other("CONNECT".into()),
        WasiMethod::Trace => Method::Other("TRACE".into()),
        WasiMethod::Other(name) => Method::Other(name),
    }
}

fn send(mut response: Response, out: ResponseOutparam) -> io::Result<()> {
    let headers = std::mem::take(response.headers_mut());
    let head = OutgoingResponse::new(fields(headers));
    // A new response has 200 already, and each call of the host costs as much as a route.
    if response.status() != 200 && head.set_status_code(response.status()).is_err() {
        log::write(
            Level::Error,
            format_args!("{} is no status, 500 was sent", response.status()),
        );
        let _ = head.set_status_code(500);
    }
    let body = head
        .body()
        .expect("the body of a new response is there to be taken");
    let stream = body
        .write()
        .expect("the stream of a new body is there to be taken");
    ResponseOutparam::set(out, Ok(head));
    let mut sink = WasiSink(stream);
    let written = match response.body {
        Body::Whole(bytes) if bytes.is_empty() => Ok(()),
        // No flush: what ends the body sends it off.
        Body::Whole(bytes) => sink.0.write_all(&bytes),
        Body::Streamed(write) => write(&mut BodyWriter::new(&mut sink)),
    };
    // A body that failed is dropped without `finish`: the host then cuts the connection, and the client knows that
    // something is missing.
    written?;
    drop(sink);
    OutgoingBody::finish(body, None).map_err(|error| io::Error::other(error.to_string()))
}

fn fields(headers: Headers) -> Fields {
    let entries = headers.into_entries();
    match Fields::from_list(&entries) {
        Ok(fields) => fields,
        Err(_) => {
            // One bad field must not cost the others.
            let fields = Fields::new();
            for (name, value) in &entries {
                if fields.append(name, value).is_err() {
                    log::write(
                        Level::Warn,
                        format_args!("the header '{name}' was not sent"),
                    );
                }
            }
            fields
        }
    }
}

struct WasiRequest(IncomingRequest);

impl Incoming for WasiRequest {
    fn headers(&self) -> Headers {
        Headers::from_entries(self.0.headers().entries())
    }

    fn authority(&self) -> String {
        self.0.authority().unwrap_or_default()
    }

    fn body(&mut self) -> Option<Box<dyn Source>> {
        let body = self.0.consume().ok()?;
        let stream = body.stream().ok()?;
        Some(Box::new(WasiSource {
            stream,
            _body: body,
        }))
    }
}

/// The fields drop in this order: a stream may not outlive its body.
struct WasiSource {
    stream: InputStream,
    _body: IncomingBody,
}

impl Source for WasiSource {
    fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self.stream.blocking_read(CHUNK_BYTES_MAX) {
                Ok(chunk) if chunk.is_empty() => continue,
                Ok(chunk) => return Ok(Some(chunk)),
                Err(StreamError::Closed) => return Ok(None),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(io::Error::other(error.to_debug_string()));
                }
            }
        }
    }
}

struct WasiSink(OutputStream);

impl Sink for WasiSink {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)?;
        // Asks for the bytes to leave without waiting until they have left.
        OutputStream::flush(&self.0).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
