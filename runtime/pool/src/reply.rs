//! The way back of a response's head, from a worker to whoever waits for it.

use http::Response;
use tokio::sync::oneshot;

use crate::worker::{Body, Fault};

/// Takes the head of one response, with its body still streaming.
pub struct Reply(oneshot::Sender<Result<Response<Body>, Fault>>);

/// Waits for what goes into the [`Reply`].
pub struct Answer(oneshot::Receiver<Result<Response<Body>, Fault>>);

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
        let _ = self.0.send(Err(fault));
    }

    /// Ends when nobody waits for the answer any more.
    pub async fn abandoned(&mut self) {
        self.0.closed().await;
    }
}

impl Answer {
    /// The response, or why there is none. A reply that was dropped unanswered is [`Fault::NoAnswer`].
    pub async fn wait(self) -> Result<Response<Body>, Fault> {
        self.0.await.unwrap_or(Err(Fault::NoAnswer))
    }
}
