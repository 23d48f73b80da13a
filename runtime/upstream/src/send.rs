//! The way of a request: a line, the head of the answer, and once more where that is safe.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::time::timeout;

use crate::again::Again;
use crate::body::{Answer, Body, Counted, Progress};
use crate::config::Timeouts;
use crate::dial::Deadline;
use crate::error::{Unanswered, UpstreamError};
use crate::fields;
use crate::origin::{Age, Line, Origin, broken};
use crate::target::Target;
use crate::upstreams::Upstreams;
use crate::wire::{Asked, Wire};

impl Upstreams {
    /// Sends a request to a target and gives the answer as soon as its head is there.
    ///
    /// Fields that concern the client's connection are left out, `Expect` too: the body is asked for when the target is
    /// reached. `Host` is the target's when there is none. The path of the URI counts, not its authority. What comes
    /// back has no fields of the target's connection; its body and trailers stream.
    ///
    /// A request goes out a second time only when a connection that rested ended before an answer, and the request
    /// either was never written or is idempotent and has no body (RFC 9110, 9.2.2).
    ///
    /// # Errors
    /// Why there is no answer, with the request when nothing of it was sent: nobody is there, or a connection ended before
    /// it was used.
    pub fn send(
        &self,
        target: &Target,
        request: Request<Body>,
        timeouts: Timeouts,
    ) -> impl Future<Output = Result<Response<Body>, Unanswered>> + Send + use<'_> {
        self.send_to(self.origin(target), request, timeouts, Elsewhere::Never)
    }

    pub(crate) async fn send_to(
        &self,
        origin: Arc<Origin>,
        request: Request<Body>,
        timeouts: Timeouts,
        elsewhere: Elsewhere,
    ) -> Result<Response<Body>, Unanswered> {
        let target = origin.target();
        let (request, progress) = watched(request);
        let (mut line, age) = match origin.rested() {
            Some(line) => (line, Age::Used),
            // What is rare has a place of its own, here and below: what a request's future may need to hold, it holds always.
            None => match Box::pin(self.line(&origin, timeouts)).await {
                Ok(line) => line,
                Err(error) => return Err(Unanswered::unsent(error, request)),
            },
        };
        let again = match age {
            Age::Used => Again::of(&request),
            Age::New => None,
        };
        if let (Age::Used, Line::Own(wire)) = (age, &line)
            && (again.is_none() || elsewhere.needs_certainty(target))
        {
            wire.doubt();
        }
        let asking = line.ask(request, target);
        let asked = patiently(asking, target, &progress, timeouts.answer).await?;
        let (answer, line) = match asked {
            Ok(answer) => (answer, line),
            Err(failed) => {
                drop(line);
                let left = Left::of(failed, again, age);
                Box::pin(self.once_more(&origin, left, &progress, timeouts)).await?
            }
        };
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            // Nobody asked for that, and a client that read it would speak something else from here on.
            let target = target.to_string();
            return Err(UpstreamError::OtherProtocol { target }.into());
        }
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

    /// Asks over a new line, for the last time, if that is safe.
    async fn once_more(
        &self,
        origin: &Origin,
        left: Left,
        progress: &Option<Progress>,
        timeouts: Timeouts,
    ) -> Result<(Response<Incoming>, Line), Unanswered> {
        let asking = |request| self.ask_anew(origin, request, progress, timeouts);
        match left {
            Left::Unwritten(request) => asking(*request).await,
            Left::Copy(request) => asking(*request).await.map_err(Unanswered::seen),
            Left::Unsent(request, source) => Err(Unanswered::unsent(
                broken(origin.target(), source),
                *request,
            )),
            Left::Nothing(source) => Err(broken(origin.target(), source).into()),
        }
    }

    async fn ask_anew(
        &self,
        origin: &Origin,
        request: Request<Body>,
        progress: &Option<Progress>,
        timeouts: Timeouts,
    ) -> Result<(Response<Incoming>, Line), Unanswered> {
        let target = origin.target();
        let mut line = match self.line(origin, timeouts).await {
            Ok((line, _)) => line,
            Err(error) => return Err(Unanswered::unsent(error, request)),
        };
        let asking = line.ask(request, target);
        let asked = patiently(asking, target, progress, timeouts.answer).await?;
        match asked {
            Ok(answer) => Ok((answer, line)),
            Err(mut failed) => {
                let unsent = failed.take_message().map(Box::new);
                let error = broken(target, failed.into_error());
                Err(Unanswered { error, unsent })
            }
        }
    }

    async fn line(
        &self,
        origin: &Origin,
        timeouts: Timeouts,
    ) -> Result<(Line, Age), UpstreamError> {
        let deadline = Deadline::within(timeouts.connect);
        origin.line(self.tls(), self.tasks(), deadline).await
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

/// Waits for the head; the time begins anew with each piece of the request that goes out.
async fn patiently(
    mut asking: impl Future<Output = Asked> + Unpin,
    target: &Target,
    progress: &Option<Progress>,
    patience: Duration,
) -> Result<Asked, UpstreamError> {
    if patience == Duration::MAX {
        return Ok(asking.await);
    }
    let mut seen = 0;
    loop {
        if let Ok(asked) = timeout(patience, &mut asking).await {
            return Ok(asked);
        }
        let pieces = progress.as_ref().map_or(0, Progress::pieces);
        if pieces == seen {
            return Err(UpstreamError::AnswerTimeout {
                target: target.to_string(),
                after: patience,
            });
        }
        seen = pieces;
    }
}

/// Whether a request that comes back unsent is sent to somebody else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Elsewhere {
    Never,
    Perhaps,
}

impl Elsewhere {
    /// Whether it has to be known before that the peer is there: TCP takes what is written to one that is not.
    fn needs_certainty(self, target: &Target) -> bool {
        self == Elsewhere::Perhaps && matches!(target, Target::Tcp { .. })
    }
}

/// What is left of a request after its line failed.
enum Left {
    /// All of it, and what failed had rested: it goes over a new line.
    Unwritten(Box<Request<Body>>),
    /// A copy, which may be sent over a new line though the first may have been seen.
    Copy(Box<Request<Body>>),
    /// All of it. What failed was new, and so the next one would.
    Unsent(Box<Request<Body>>, hyper::Error),
    /// It may have been seen, and that is that.
    Nothing(hyper::Error),
}

impl Left {
    fn of(mut failed: TrySendError<Request<Body>>, again: Option<Again>, age: Age) -> Left {
        let unsent = failed.take_message().map(Box::new);
        let again = again.filter(|_| died(failed.error()));
        match (unsent, age) {
            (Some(request), Age::Used) => Left::Unwritten(request),
            (Some(request), Age::New) => Left::Unsent(request, failed.into_error()),
            // There is a copy only of what went over a line that had rested.
            (None, _) => match again.and_then(Again::request) {
                Some(request) if was_refused(failed.error()) => Left::Unwritten(Box::new(request)),
                Some(request) => Left::Copy(Box::new(request)),
                None => Left::Nothing(failed.into_error()),
            },
        }
    }
}

/// Whether the connection ended, rather than that something wrong was said over it.
fn died(error: &hyper::Error) -> bool {
    let by_system = matches!(
        by_system(error),
        Some(
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::NotConnected
                | io::ErrorKind::UnexpectedEof
        )
    );
    error.is_incomplete_message() || error.is_canceled() || error.is_closed() || by_system
}

/// Whether nobody read when the last of a request was written. One without a body has then reached nobody as a whole, and
/// half a head does nothing.
fn was_refused(error: &hyper::Error) -> bool {
    by_system(error) == Some(io::ErrorKind::BrokenPipe)
}

fn by_system(error: &hyper::Error) -> Option<io::ErrorKind> {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
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
