//! What is known of a request before anybody looks at its path.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderName, Response};
use rookery_pool::Body;
use rookery_telemetry::{RequestId, TraceContext};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// One request and its answer.
pub(crate) struct Exchange {
    /// The client's own id when it is sane, else a new one.
    pub id: RequestId,
    /// The client's trace continued, or a new one.
    pub trace: TraceContext,
    /// Who is at the other end of the connection.
    pub peer: SocketAddr,
}

impl Exchange {
    pub fn of(headers: &HeaderMap, peer: SocketAddr) -> Self {
        Exchange {
            id: RequestId::of(headers),
            trace: TraceContext::of(headers),
            peer,
        }
    }

    /// Puts on the answer what every answer has.
    pub fn sign(&self, response: &mut Response<Body>) {
        response
            .headers_mut()
            .insert(X_REQUEST_ID, self.id.header_value());
    }
}
