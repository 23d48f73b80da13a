//! The way of a request: a line, the head of the answer, and once more where that is safe.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::time::timeout;

use crate::body::{Answer, Body, Counted, Progress};
use crate::config::Timeouts;
use crate::dial::Deadline;
use crate::error::UpstreamError;
use crate::fields;
use crate::origin::{Age, Line, Origin, Wanted, broken};
use crate::target::Target;
use crate::upstreams::Upstreams;
use crate::wire::Wire;

impl Upstreams {
    /// Sends a request to a target and gives the answer as soon as its head is there.
    ///
    /// Fields that concern the client's connection are left out, `Expect` too: the body is asked for when the target is
    /// reached. `Host` is the target's when there is none. The path of the URI counts, not its authority. What comes
    /// back has no fields of the target's connection; its body and trailers stream.
    ///
    /// A request goes out a second time only when a connection that rested ended before an answer, and the request
    /// either was never written or is idempotent and has no body (RFC 9110, 9.2.2).
    pub async fn send(
        &self,
        target: &Target,
        request: Request<Body>,
        timeouts: Timeouts,
    ) -> Result<Response<Body>, UpstreamError> {
        let origin = self.origin(target);
        let (request, progress) = watched(request);
        let (mut line, age) = self.line(&origin, Wanted::Any, timeouts).await?;
        let copy = match age {
            Age::Used => copy_of(&request),
            Age::New => None,
        };
        let asked = asked(&mut line, &origin, request, &progress, timeouts.answer).await?;
        let answer = match asked {
            Ok(answer) => answer,
            Err(mut failed) => {
                let again = failed
                    .take_message()
                    .or_else(|| copy.filter(|_| died(failed.error())));
                let (Some(request), Age::Used) = (again, age) else {
                    return Err(broken(target, failed.into_error()));
                };
                (line, _) = self.line(&origin, Wanted::New, timeouts).await?;
                asked_once(&mut line, &origin, request, &progress, timeouts.answer).await?
            }
        };
        let wire = match line {
            Line::Own(wire) if progress.is_none_or(|progress| progress.is_whole()) => Some(wire),
            Line::Own(wire) => {
                wire.let_run(self.tasks());
                None
            }
            Line::Shared(_) => None,
        };
        Ok(received(answer, wire, origin, timeouts.idle))
    }

    async fn line(
        &self,
        origin: &Origin,
        wanted: Wanted,
        timeouts: Timeouts,
    ) -> Result<(Line, Age), UpstreamError> {
        let deadline = Deadline::within(timeouts.connect);
        origin
            .line(self.tls(), self.tasks(), wanted, deadline)
            .await
    }
}

/// Counts the pieces of a body that has any.
fn watched(request: Request<Body>) -> (Request<Body>, Option<Progress>) {
    if request.body().is_end_stream() {
        return (request, None);
    }
    let progress = Progress::default();
    let counted = request.map(|body| {
        let progress = progress.clone();
        Counted { body, progress }.boxed_unsync()
    });
    (counted, Some(progress))
}

/// The same request once more, where sending it twice does what sending it once does.
fn copy_of(request: &Request<Body>) -> Option<Request<Body>> {
    let idempotent = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::PUT | Method::DELETE
    );
    if !idempotent || !request.body().is_end_stream() {
        return None;
    }
    let nothing = Empty::new().map_err(|never| match never {});
    let mut copy = Request::new(nothing.boxed_unsync());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

type Asked = Result<Response<Incoming>, TrySendError<Request<Body>>>;

/// Waits for the head; the time begins anew with each piece of the request that goes out.
async fn asked(
    line: &mut Line,
    origin: &Origin,
    request: Request<Body>,
    progress: &Option<Progress>,
    patience: Duration,
) -> Result<Asked, UpstreamError> {
    let asking = line.ask(request, origin.target());
    tokio::pin!(asking);
    let mut seen = 0;
    loop {
        if let Ok(asked) = timeout(patience, &mut asking).await {
            return Ok(asked);
        }
        let pieces = progress.as_ref().map_or(0, Progress::pieces);
        if pieces == seen {
            return Err(UpstreamError::AnswerTimeout {
                target: origin.target().to_string(),
                after: patience,
            });
        }
        seen = pieces;
    }
}

async fn asked_once(
    line: &mut Line,
    origin: &Origin,
    request: Request<Body>,
    progress: &Option<Progress>,
    patience: Duration,
) -> Result<Response<Incoming>, UpstreamError> {
    asked(line, origin, request, progress, patience)
        .await?
        .map_err(|failed| broken(origin.target(), failed.into_error()))
}

/// Whether the connection ended, rather than that something wrong was said over it.
fn died(error: &hyper::Error) -> bool {
    let by_system = || {
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                return matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionReset
                        | io::ErrorKind::BrokenPipe
                        | io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::NotConnected
                        | io::ErrorKind::UnexpectedEof
                );
            }
            cause = error.source();
        }
        false
    };
    error.is_incomplete_message() || error.is_canceled() || error.is_closed() || by_system()
}

fn received(
    answer: Response<Incoming>,
    wire: Option<Wire>,
    origin: Arc<Origin>,
    idle: Duration,
) -> Response<Body> {
    let mut answer = answer.map(|body| Answer::new(body, wire, origin, idle).boxed_unsync());
    fields::end_to_end(answer.headers_mut());
    answer
}
