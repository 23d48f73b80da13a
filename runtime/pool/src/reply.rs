//! The way back of a response's head, from a worker to whoever waits for it.

use http::{Request, Response};
use tokio::sync::oneshot;

use crate::worker::{Body, Fault};

/// Takes the head of one response, with its body still streaming.
pub struct Reply(oneshot::Sender<Result<Response<Body>, Unserved>>);

/// Waits for what goes into the [`Reply`].
pub struct Answer(oneshot::Receiver<Result<Response<Body>, Unserved>>);

/// Why there is no response.
#[derive(Debug)]
pub struct Unserved {
    /// What went wrong.
    pub fault: Fault,
    /// The request with all of its body, when the guest saw nothing of it.
    pub unseen: Option<Box<Request<Body>>>,
}

impl From<Fault> for Unserved {
    /// The guest may have seen the request.
    fn from(fault: Fault) -> Unserved {
        let unseen = None;
        Unserved { fault, unseen }
    }
}

/// Makes the two ends.
pub fn reply() -> (Reply, Answer) {
    let (sender, receiver) = oneshot::channel();
    (Reply(sender), Answer(receiver))
}

impl Reply {
    /// Hands over the response. Nobody may be waiting any more; then it is dropped.
    pub fn respond(self, response: Response<Body>) {
        let _ = self.0.send(Ok(response));
    }

    /// Says that there will be none.
    pub fn fail(self, fault: Fault) {
        let _ = self.0.send(Err(fault.into()));
    }

    /// Says that the worker was at its end before it saw anything of the request, which is here for another one. The
    /// verdict is a fault then.
    pub fn give_back(self, request: Box<Request<Body>>, fault: Fault) {
        let unseen = Some(request);
        let _ = self.0.send(Err(Unserved { fault, unseen }));
    }

    /// Ends when nobody waits for the answer any more.
    pub async fn abandoned(&mut self) {
        self.0.closed().await;
    }
}

impl Answer {
    /// The response, or why there is none. A reply that was dropped unanswered is [`Fault::NoAnswer`].
    pub async fn wait(self) -> Result<Response<Body>, Unserved> {
        let answered = self.0.await;
        answered.unwrap_or_else(|_dropped| Err(Fault::NoAnswer.into()))
    }
}
