//! Why a request did not get what it asked for. `respond` turns it into an answer.

use rookery_pool::InvokeError;

/// Why a request did not get what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// No such app, no such version, or a path that names none. Holds the key as the client typed it.
    #[error("App not found: {0}")]
    AppNotFound(String),
    /// The app has nothing at this path.
    #[error("Not found")]
    NotFound,
    /// The request is larger than the app takes.
    #[error("The request's body is larger than {limit} bytes")]
    BodyTooLarge {
        /// What the app takes, in bytes.
        limit: u64,
    },
    /// The request's body ended early or was not framed as HTTP frames a body.
    #[error("The request's body is broken")]
    BodyBroken,
    /// An HTTP/1.1 request without a Host header, or with several (RFC 9112, 3.2).
    #[error("The request must have one Host header")]
    Host,
    /// A WebSocket handshake that is none.
    #[error("The WebSocket handshake is not valid: {0}")]
    Handshake(&'static str),
    /// The server is going down.
    #[error("The server is shutting down")]
    ShuttingDown,
    /// The worker gave no answer.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
}
