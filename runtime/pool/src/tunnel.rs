//! Connections in both directions, such as WebSockets, that a worker keeps itself.
//!
//! **Absent on purpose:** what goes through them. The bytes after the handshake are between the client and the worker.

use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::worker::{Body, Fault, Verdict};

/// Bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// What a worker says to a handshake.
pub enum TunnelAnswer {
    /// The connection is open.
    Accepted {
        /// What the client is to read before the first byte: usually a 101 with the worker's headers.
        head: Response<()>,
        /// What comes after, bytes that arrived with the head included.
        io: Box<dyn Duplex>,
    },
    /// It is not wanted; an answer as to any request.
    Refused(Response<Body>),
}

/// Why no connection was opened, and what that leaves of the worker: a handshake that fails is not the end of whoever
/// serves others meanwhile.
#[derive(Debug)]
pub struct Unopened {
    /// What went wrong.
    pub fault: Fault,
    /// Whether the worker may have other work.
    pub verdict: Verdict,
    /// The handshake, when the worker is at its end and saw nothing of it: it is for another one.
    pub unseen: Option<Box<Request<()>>>,
}

impl From<Fault> for Unopened {
    /// The worker failed.
    fn from(fault: Fault) -> Unopened {
        let verdict = Verdict::Fault(fault.clone());
        Unopened {
            fault,
            verdict,
            unseen: None,
        }
    }
}
