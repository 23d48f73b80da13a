//! One invocation from end to end: a worker is leased, does its work, and goes back.
//!
//! A request that its worker saw nothing of, because that was at its end, is given to another one: it came in the moment in
//! which nobody had been told of the end yet.
//!
//! The guest runs on the task of whoever asks. Only when the head of the response is out while the guest still
//! streams does it move to a task of its own, so that a plain answer costs no hand-over between tasks.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use rookery_contract::Event;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::deadline::Deadline;
use crate::error::{AcquireError, InvokeError};
use crate::lease::Lease;
use crate::pool::Pool;
use crate::reply::{Answer, Unserved, reply};
use crate::worker::{Body, BodyError, EventsOutcome, Fault, Invocation, Verdict};

/// To how many more workers an invocation is given that none has seen anything of.
pub(crate) const AGAIN_MAX: usize = 2;

impl Pool {
    /// Runs one request and answers with the head of the response, its body still streaming.
    ///
    /// Dropping this future, or the response's body before its end, stops the guest.
    pub async fn request(
        self: &Arc<Self>,
        request: Request<Body>,
    ) -> Result<Response<Body>, InvokeError> {
        let asked = Instant::now();
        self.stats().requested();
        let lease = self.acquire().await?;
        let deadline = Deadline::after(self.policy().timeout);
        let (run, answer) = begin(lease, request, &deadline);
        let answered = match self.outcome(run, answer, &deadline).await {
            Ok(response) => Ok(response),
            Err(unserved) => match unserved.unseen {
                None => Err(self.fault(unserved.fault)),
                // Boxed, because the future of every other request would be as large.
                Some(request) => Box::pin(self.run_again(request, unserved.fault, &deadline)).await,
            },
        };
        self.stats().answered(asked.elapsed());
        answered
    }

    /// Gives a request to other workers until one has seen it. The fault is what became of the first.
    async fn run_again(
        self: &Arc<Self>,
        mut request: Box<Request<Body>>,
        mut fault: Fault,
        deadline: &Deadline,
    ) -> Result<Response<Body>, InvokeError> {
        for _ in 0..AGAIN_MAX {
            let Some(lease) = self.acquire_within(deadline).await else {
                break;
            };
            let (run, answer) = begin(lease?, *request, deadline);
            match self.outcome(run, answer, deadline).await {
                Ok(response) => return Ok(response),
                Err(unserved) => {
                    fault = unserved.fault;
                    match unserved.unseen {
                        Some(unseen) => request = unseen,
                        None => break,
                    }
                }
            }
        }
        Err(self.fault(fault))
    }

    /// A worker for an invocation that has begun. `None` when its time is over.
    pub(crate) async fn acquire_within(
        self: &Arc<Self>,
        deadline: &Deadline,
    ) -> Option<Result<Lease, AcquireError>> {
        tokio::select! {
            biased;
            lease = self.acquire() => Some(lease),
            () = deadline.passed() => None,
        }
    }

    /// The head of the response, whatever the guest does after it.
    async fn outcome(
        &self,
        mut run: Pin<Box<impl Future<Output = Verdict> + Send + 'static>>,
        answer: Answer,
        deadline: &Deadline,
    ) -> Result<Response<Body>, Unserved> {
        let mut answer = std::pin::pin!(answer.wait());
        tokio::select! {
            biased;
            verdict = &mut run => {
                // The guest is done, and its answer may wait for what it wrote to be durable.
                let answered = tokio::select! {
                    biased;
                    answered = &mut answer => answered,
                    () = deadline.passed() => Err(Fault::Timeout(deadline.timeout()).into()),
                };
                // A guest that failed after its head was out has cut the body; one that failed before has none.
                answered.map_err(|unserved| match verdict {
                    Verdict::Fault(fault) => Unserved { fault, ..unserved },
                    Verdict::Reusable | Verdict::Spent => unserved,
                })
            }
            answered = &mut answer => {
                answered.map(|response| self.watch(response, run, deadline.clone()))
            }
        }
    }

    /// Runs one batch of session events. When somebody had to wake up for it, `woken` is when; it is counted how long
    /// that was before the guest had it.
    pub async fn events(
        self: &Arc<Self>,
        events: &[Event],
        woken: Option<Instant>,
    ) -> Result<EventsOutcome, AcquireError> {
        let asked = Instant::now();
        self.stats().requested();
        let mut lease = self.acquire().await?;
        if let Some(woken) = woken {
            self.stats().woke(woken.elapsed());
        }
        let deadline = Deadline::after(self.policy().timeout);
        let outcome = lease.worker().events(events, deadline).await;
        lease.finish(&outcome.verdict);
        self.stats().answered(asked.elapsed());
        Ok(outcome)
    }

    /// Lets the guest go on by itself and stops it when the client loses interest.
    fn watch(
        &self,
        response: Response<Body>,
        run: impl Future<Output = Verdict> + Send + 'static,
        deadline: Deadline,
    ) -> Response<Body> {
        let (interest, lost) = oneshot::channel::<Finished>();
        self.tasks().spawn("guest streams", async move {
            tokio::pin!(run);
            tokio::select! {
                biased;
                _ = &mut run => {}
                read = lost => {
                    // Read to its end: what the guest still does is its own time, within the deadline. Else nobody
                    // wants it any more, and the guest is dropped where it stands.
                    if read.is_ok() {
                        run.await;
                    }
                }
            }
        });
        response.map(|body| {
            let watched = WatchedBody {
                body,
                interest: Some(interest),
                deadline,
            };
            watched.boxed_unsync()
        })
    }

    pub(crate) fn fault(&self, fault: Fault) -> InvokeError {
        let label = self.label().to_owned();
        InvokeError::Fault { label, fault }
    }
}

/// A request on its way into a worker, and where the head of its response comes out.
fn begin(
    lease: Lease,
    request: Request<Body>,
    deadline: &Deadline,
) -> (
    Pin<Box<impl Future<Output = Verdict> + Send + 'static>>,
    Answer,
) {
    let (reply, answer) = reply();
    let invocation = Invocation {
        request,
        reply,
        deadline: deadline.clone(),
    };
    (Box::pin(run(lease, invocation)), answer)
}

async fn run(mut lease: Lease, invocation: Invocation) -> Verdict {
    let verdict = lease.worker().request(invocation).await;
    lease.finish(&verdict);
    verdict
}

/// Says that the client read the whole body.
struct Finished;

/// A body that the guest still writes. Each piece that is taken is progress; dropping it early is the end of interest.
struct WatchedBody {
    body: Body,
    interest: Option<oneshot::Sender<Finished>>,
    deadline: Deadline,
}

impl WatchedBody {
    fn finished(&mut self) {
        if let Some(interest) = self.interest.take() {
            let _ = interest.send(Finished);
        }
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        // A body that was empty from the start is never polled.
        if self.body.is_end_stream() {
            self.finished();
        }
    }
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(_)) => self.deadline.extend(),
            Some(Err(_)) => {}
            None => self.finished(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
