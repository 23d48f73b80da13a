//! Connections in both directions, such as WebSockets, that a worker keeps itself.
//!
//! **Absent on purpose:** what goes through them. The bytes after the handshake are between the client and the worker.

use http::Response;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::worker::Body;

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
