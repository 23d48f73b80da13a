//! Why a request did not get what it asked for. `respond` turns it into an answer.

use std::sync::Arc;

use rookery_pool::InvokeError;
use rookery_proxy_rules::UriTooLong;
use rookery_supervisor::Refused;
use rookery_upstream::UpstreamError;

/// Why a request did not get what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// No such app, no such version, or a path that names none. Holds the key as the client typed it.
    #[error("App not found: {0}")]
    AppNotFound(String),
    /// What the path leads to has a manifest that is wrong, and nothing else of the app can answer.
    #[error("{inside}")]
    InvalidConfig {
        /// Every field with its reason, for the log and for authors.
        inside: String,
        /// The fields alone.
        public: String,
    },
    /// What the path leads to could not be made ready, and nothing else of the app can answer.
    #[error("{label} cannot start: {reason}")]
    NotPrepared {
        /// `name@version`.
        label: Arc<str>,
        /// In a line or a few.
        reason: Arc<str>,
        /// What has to be installed, if that is why.
        lacks: Option<Arc<str>>,
    },
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
    /// A rule made more of the path than can be sent.
    #[error(transparent)]
    Rewrite(#[from] UriTooLong),
    /// The rule's upstream gave no answer.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The worker gave no answer.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
}

impl From<Refused> for RequestError {
    fn from(refused: Refused) -> RequestError {
        match refused {
            Refused::Preparation {
                label,
                reason,
                lacks,
            } => RequestError::NotPrepared {
                label,
                reason,
                lacks,
            },
            Refused::Manifest { label, faults } => {
                let says = |texts: Vec<String>, between: &str| {
                    format!("Invalid worker config for {label}: {}", texts.join(between))
                };
                let full = faults
                    .iter()
                    .map(|fault| format!("{}: {}", fault.field, fault.reason));
                let fields = faults.iter().map(|fault| fault.field.clone());
                RequestError::InvalidConfig {
                    inside: says(full.collect(), "; "),
                    public: says(fields.collect(), ", "),
                }
            }
        }
    }
}
