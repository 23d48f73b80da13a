//! A process as the pool knows it: what it does with a request, and what becomes of it.
//!
//! **Invariant:** requests share a process and nothing else: one that fails, or whose client leaves, ends alone. Only
//! what shows that the process itself is at its end takes the others with it.
//! **Absent on purpose:** session events; a process keeps its WebSockets itself, through tunnels.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use rookery_contract::Event;
use rookery_pool::{
    Body, Deadline, Effect, EventsOutcome, Fault, Invocation, Notice, Reply, TunnelAnswer,
    Unopened, Verdict, Worker,
};
use rookery_upstream::{Dialled, Timeouts, UpstreamError};
use rustix::io::Errno;

use crate::body::{Begun, Ended, Reading, begin};
use crate::process::Process;
use crate::tunnel::Tunnel;

/// How long a process has to accept a connection; all that it does for it is to be there.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long after a broken exchange the process' end is waited for, to tell one from the other.
const END_WITHIN: Duration = Duration::from_millis(250);

/// A handle on a process.
pub(crate) struct ProcessWorker(pub(crate) Arc<Process>);

#[async_trait::async_trait]
impl Worker for ProcessWorker {
    async fn request(&mut self, invocation: Invocation) -> Verdict {
        let process = &self.0;
        let _flight = process.flight();
        let Invocation {
            request,
            reply,
            deadline,
        } = invocation;
        let answers = process.answers();
        let timeouts = timeouts(&deadline);
        let sending = process.upstream().send(request, timeouts);
        let answered = tokio::select! {
            biased;
            answered = sending => answered,
            () = deadline.passed() => {
                let (fault, verdict) = self.out_of_time(&deadline, answers);
                reply.fail(fault);
                return verdict;
            }
        };
        match answered {
            Ok(response) => {
                process.answered();
                self.stream(response, reply, deadline).await
            }
            Err(unanswered) => {
                let (fault, verdict) = self.failed(&unanswered.error, &deadline, answers).await;
                match (unanswered.unsent, &verdict) {
                    // It came in the moment of the end, and another one may have it.
                    (Some(request), Verdict::Fault(_)) => reply.give_back(request, fault),
                    _ => reply.fail(fault),
                }
                verdict
            }
        }
    }

    async fn events(&mut self, _events: &[Event], _deadline: Deadline) -> EventsOutcome {
        EventsOutcome {
            began: None,
            effect: Effect::None,
            verdict: Verdict::Fault(Fault::Unsupported("session events")),
        }
    }

    async fn tunnel(
        &mut self,
        request: Request<()>,
        deadline: Deadline,
    ) -> Result<TunnelAnswer, Unopened> {
        let process = &self.0;
        let flight = process.flight();
        let answers = process.answers();
        let unopened = |(fault, verdict)| Unopened {
            fault,
            verdict,
            unseen: None,
        };
        let timeouts = timeouts(&deadline);
        let copy = Box::new(request.clone());
        let dialling = process.upstream().tunnel(request, timeouts);
        let dialled = tokio::select! {
            biased;
            dialled = dialling => dialled,
            () = deadline.passed() => {
                return Err(unopened(self.out_of_time(&deadline, answers)));
            }
        };
        match dialled {
            Ok(Dialled::Accepted(accepted)) => {
                process.answered();
                Ok(TunnelAnswer::Accepted {
                    head: accepted.head,
                    io: Box::new(Tunnel {
                        io: accepted.io,
                        _flight: flight,
                    }),
                })
            }
            Ok(Dialled::Refused(response)) => {
                process.answered();
                Ok(TunnelAnswer::Refused(response))
            }
            Err(error) => {
                let mut failed = unopened(self.failed(&error, &deadline, answers).await);
                let is_at_its_end = matches!(failed.verdict, Verdict::Fault(_));
                failed.unseen = (is_at_its_end && is_unreached(&error)).then_some(copy);
                Err(failed)
            }
        }
    }

    async fn tell(&mut self, notice: Notice, deadline: Deadline) {
        let Some(control) = self.0.control() else {
            return;
        };
        if notice == Notice::Terminate {
            self.0.retire();
        }
        tokio::select! {
            () = async { control.lock().await.tell(notice).await } => {}
            () = self.0.ended() => {}
            () = deadline.passed() => {}
        }
    }

    fn share(&self) -> Option<Box<dyn Worker>> {
        Some(Box::new(ProcessWorker(Arc::clone(&self.0))))
    }

    fn memory_bytes(&self) -> Option<u64> {
        self.0.memory_bytes()
    }

    fn process(&self) -> Option<u32> {
        Some(self.0.pid())
    }

    fn is_alive(&self) -> bool {
        self.0.is_alive()
    }
}

/// Whether there was no connection, and that was the process' fault.
fn is_unreached(error: &UpstreamError) -> bool {
    match error {
        UpstreamError::ConnectTimeout { .. } => true,
        UpstreamError::Connect { source, .. } => !is_ours(source),
        _ => false,
    }
}

/// Whether this server is short of something: a process that is well must not be ended for that, and one after the other
/// would be.
fn is_ours(error: &io::Error) -> bool {
    let lacks = Errno::from_io_error(error);
    matches!(
        lacks,
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::ADDRNOTAVAIL)
    )
}

fn timeouts(deadline: &Deadline) -> Timeouts {
    Timeouts {
        connect: CONNECT_WITHIN.min(deadline.timeout()),
        // The deadline is looked at by whoever asks, and a second clock beside it would be set for each request.
        answer: Duration::MAX,
        // And by whoever sees the answer to its end; this is for the case that nobody does.
        idle: deadline.timeout(),
    }
}

impl ProcessWorker {
    /// The request alone is given up. If nobody had an answer since it began, the process is stuck, and gets no more of
    /// them; those that it has may still be answered.
    fn out_of_time(&self, deadline: &Deadline, answers: u64) -> (Fault, Verdict) {
        let fault = Fault::Timeout(deadline.timeout());
        if self.0.answers() > answers {
            return (fault, Verdict::Reusable);
        }
        self.0.retire();
        (fault.clone(), Verdict::Fault(fault))
    }

    /// An exchange, or a handshake, had no answer: what its client is told, and what is left of the process.
    async fn failed(
        &self,
        error: &UpstreamError,
        deadline: &Deadline,
        answers: u64,
    ) -> (Fault, Verdict) {
        match error {
            UpstreamError::AnswerTimeout { .. } => self.out_of_time(deadline, answers),
            _ => self.broken(error).await,
        }
    }

    /// An exchange broke: because the process ended, because it does not listen any more, or for a reason of its own.
    async fn broken(&self, error: &UpstreamError) -> (Fault, Verdict) {
        if let Some(fault) = self.0.fault_within(END_WITHIN).await {
            return (fault.clone(), Verdict::Fault(fault));
        }
        let fault = Fault::Gone(error.to_string());
        if !is_unreached(error) {
            return (fault, Verdict::Reusable);
        }
        self.0.retire();
        (fault.clone(), Verdict::Fault(fault))
    }

    /// Hands the answer over and sees its body to the end.
    async fn stream(&self, response: Response<Body>, reply: Reply, deadline: Deadline) -> Verdict {
        let (parts, body) = response.into_parts();
        match begin(body).await {
            Begun::Whole(body) => {
                reply.respond(Response::from_parts(parts, body));
                Verdict::Reusable
            }
            Begun::Streams(body, reading) => {
                reply.respond(Response::from_parts(parts, body));
                self.see_read(reading, deadline).await
            }
        }
    }

    async fn see_read(&self, mut reading: Reading, deadline: Deadline) -> Verdict {
        let ended = tokio::select! {
            biased;
            ended = &mut reading.ended => ended,
            () = deadline.passed() => {
                reading.cut(Fault::Timeout(deadline.timeout()));
                return Verdict::Reusable;
            }
        };
        match ended {
            // One that was dropped is over as well: its connection is closed, and the process is free.
            Ok(Ended::Whole) | Err(_) => Verdict::Reusable,
            Ok(Ended::Broken(reason)) => match self.0.fault_within(END_WITHIN).await {
                Some(fault) => Verdict::Fault(fault),
                None => {
                    tracing::debug!(reason, "a process did not finish an answer");
                    Verdict::Reusable
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_server_is_short_of_is_not_the_process_end() {
        let connect = |errno: Errno| UpstreamError::Connect {
            target: "unix:/x".to_owned(),
            source: errno.into(),
        };
        for gone in [Errno::CONNREFUSED, Errno::NOENT, Errno::CONNRESET] {
            assert!(is_unreached(&connect(gone)), "{gone}");
        }
        for ours in [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL] {
            assert!(!is_unreached(&connect(ours)), "{ours}");
        }
    }
}
