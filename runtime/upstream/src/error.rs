//! What goes wrong with upstreams.

use std::io;
use std::time::Duration;

use http::Request;

use crate::body::Body;

/// Why there was no answer, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// Nobody could be reached at the target.
    #[error("cannot connect to {target}: {source}")]
    Connect {
        /// Whom.
        target: String,
        /// Why.
        source: io::Error,
    },
    /// Connecting took too long.
    #[error("{target} did not accept a connection within {} ms", after.as_millis())]
    ConnectTimeout {
        /// Whom.
        target: String,
        /// How long it had.
        after: Duration,
    },
    /// All connections that the target may have were in use for too long.
    #[error("all {max} connections to {target} are in use")]
    Saturated {
        /// Whom.
        target: String,
        /// How many there may be.
        max: usize,
    },
    /// The target was reached and sent no head of an answer.
    #[error("{target} did not answer within {} ms", after.as_millis())]
    AnswerTimeout {
        /// Who.
        target: String,
        /// How long it had.
        after: Duration,
    },
    /// The answer stopped in the middle.
    #[error("{target} sent nothing more of its answer for {} ms", after.as_millis())]
    Stalled {
        /// Who.
        target: String,
        /// How long it had.
        after: Duration,
    },
    /// The connection ended, or what came was no HTTP.
    #[error("the exchange with {target} broke: {}", chain(source))]
    Broken {
        /// With whom.
        target: String,
        /// Why.
        source: hyper::Error,
    },
    /// The target switched protocols unasked, or to something that nobody asked for.
    #[error("{target} changed over to something that nobody asked for")]
    OtherProtocol {
        /// Who.
        target: String,
    },
    /// There are as many tunnels as there may be.
    #[error("there are {max} tunnels already")]
    TooManyTunnels {
        /// How many there may be.
        max: usize,
    },
}

/// Why a request was not answered, and the request itself when it may be sent to somebody else.
#[derive(Debug)]
pub struct Unanswered {
    /// Why.
    pub error: UpstreamError,
    /// The request with all of its body. `None` when the target may have seen something of it. Its head has the form that
    /// it is sent in.
    pub unsent: Option<Box<Request<Body>>>,
}

impl Unanswered {
    /// Nothing of the request was sent.
    pub(crate) fn unsent(error: UpstreamError, request: Request<Body>) -> Unanswered {
        let unsent = Some(Box::new(request));
        Unanswered { error, unsent }
    }

    /// The same of a request that was sent before.
    pub(crate) fn seen(self) -> Unanswered {
        let unsent = None;
        Unanswered { unsent, ..self }
    }
}

impl From<UpstreamError> for Unanswered {
    /// The request may have been seen.
    fn from(error: UpstreamError) -> Unanswered {
        let unsent = None;
        Unanswered { error, unsent }
    }
}

/// An error with what caused it: hyper's own text leaves the cause out.
fn chain(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
