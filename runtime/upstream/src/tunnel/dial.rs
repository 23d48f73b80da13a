//! The handshake with the upstream.

use std::sync::Arc;

use bytes::Bytes;
use http::header::UPGRADE;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::body::{Answer, Body};
use crate::config::Timeouts;
use crate::dial::{Deadline, dial};
use crate::error::UpstreamError;
use crate::fields;
use crate::origin::{broken, handshake};
use crate::stream::Stream;
use crate::target::Target;
use crate::tls::Inside;
use crate::tunnel::{Early, TunnelIo};
use crate::upstreams::Upstreams;

/// What the upstream said to a handshake.
pub enum Dialled {
    /// It changed over.
    Accepted(Accepted),
    /// It answered like any other request: its status, fields and body, which are for the client.
    Refused(Response<Body>),
}

/// A handshake that the upstream accepted.
pub struct Accepted {
    /// The fields of its answer, `Sec-WebSocket-Accept` among them, without those of its connection.
    pub head: Response<()>,
    /// The connection from here on, with what the upstream said already.
    pub io: TunnelIo,
}

impl Upstreams {
    /// Passes a WebSocket handshake on, over a connection of its own.
    ///
    /// The fields of the handshake (`Sec-WebSocket-…`) go as they are, so that key, subprotocols and extensions are
    /// between the two ends; `Connection` and `Upgrade` are said anew.
    pub async fn tunnel(
        &self,
        target: &Target,
        mut request: Request<()>,
        timeouts: Timeouts,
    ) -> Result<Dialled, UpstreamError> {
        let (tunnels, max) = self.tunnels();
        let place = Arc::clone(tunnels)
            .try_acquire_owned()
            .map_err(|_| UpstreamError::TooManyTunnels { max })?;
        fields::for_handshake(&mut request, target);
        let nothing = Empty::<Bytes>::new().map_err(|never| match never {});
        let request = request.map(|()| nothing.boxed_unsync());

        let deadline = Deadline::within(timeouts.connect);
        let (stream, _) = dial(target, self.tls(), Inside::Tunnel, deadline).await?;
        let place = Arc::new(place);
        let mut line = handshake(target, stream, self.tasks(), Arc::clone(&place)).await?;
        let asking = timeout(timeouts.answer, line.send_request(request));
        let answer = match asking.await {
            Ok(answer) => answer.map_err(|source| broken(target, source))?,
            Err(_) => {
                return Err(UpstreamError::AnswerTimeout {
                    target: target.to_string(),
                    after: timeouts.answer,
                });
            }
        };
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            // The connection is not used again: what refuses a handshake is seldom at ease with what follows.
            let origin = self.origin(target);
            let mut answer =
                answer.map(|body| Answer::new(body, None, origin, timeouts.idle).boxed_unsync());
            fields::end_to_end(answer.headers_mut());
            return Ok(Dialled::Refused(answer));
        }
        accepted(target, answer, place).await
    }
}

async fn accepted(
    target: &Target,
    answer: Response<Incoming>,
    place: Arc<OwnedSemaphorePermit>,
) -> Result<Dialled, UpstreamError> {
    let is_websocket =
        |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"websocket");
    if !answer.headers().get(UPGRADE).is_some_and(is_websocket) {
        return Err(UpstreamError::OtherProtocol {
            target: target.to_string(),
        });
    }
    let (mut head, body) = answer.into_parts();
    fields::end_to_end(&mut head.headers);
    let upgraded = hyper::upgrade::on(Response::from_parts(head.clone(), body))
        .await
        .map_err(|source| broken(target, source))?;
    let parts = upgraded
        .downcast::<TokioIo<Stream>>()
        .expect("the handshake was made over this kind of stream");
    let io = Early::new(parts.io.into_inner(), parts.read_buf);
    let io = TunnelIo::new(io, place);
    let mut accepted = Response::new(());
    *accepted.status_mut() = head.status;
    *accepted.headers_mut() = head.headers;
    Ok(Dialled::Accepted(Accepted { head: accepted, io }))
}
