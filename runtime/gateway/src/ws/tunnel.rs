//! A client joined to somebody who speaks WebSocket itself: bytes both ways, without a session.
//!
//! **Invariant:** a tunnel ends with the server, however silent it is: its ending is told when the server goes.
//! **Absent on purpose:** frames, but for knowing where one ends; `upstream` knows that.

use std::future::Future;
use std::sync::Arc;

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use rookery_hub::CloseCode;
use rookery_hub::close;
use rookery_pool::{Body, Pool, TunnelAnswer, TunnelHold};
use rookery_routing::Address;
use rookery_upstream::tunnel::{self, Close, Early};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::Place;
use crate::error::RequestError;
use crate::exchange::Exchange;
use crate::gateway::Gateway;
use crate::proxy::tell_the_way;
use crate::respond;
use crate::worker::{below_app, introduce};
use crate::ws::{check, client};

/// The other end, which has accepted already.
pub(crate) struct Tunnel<Io, Held> {
    /// What it said to the handshake.
    pub head: Response<()>,
    /// Its bytes.
    pub io: Io,
    /// Dropped when the tunnel has ended.
    pub held: Held,
}

impl<Io, Held> Tunnel<Io, Held>
where
    Io: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    Held: Send + 'static,
{
    /// Answers the client's handshake as the other end did, and joins the two when the client has changed over. When
    /// `ending` is ready, the client is told so.
    pub fn join(
        self,
        gateway: &Gateway,
        mut request: Request<Incoming>,
        ending: impl Future<Output = CloseCode> + Send + 'static,
    ) -> Response<Body> {
        let Tunnel { head, io, held } = self;
        let place = request.extensions_mut().remove::<Place>();
        let upgrade = hyper::upgrade::on(request);
        gateway.tasks.spawn("tunnel", async move {
            match upgrade.await.map(client) {
                Ok(Some((stream, early))) => {
                    tunnel::keep_alive(&stream);
                    let ending = async { said(ending.await) };
                    let ended = tunnel::run(Early::new(stream, early), io, ending).await;
                    tracing::debug!(?ended, "a tunnel ended");
                }
                Ok(None) => tracing::error!("an upgraded connection is of an unknown kind"),
                Err(error) => {
                    tracing::debug!(reason = %error, "a connection did not change over");
                }
            }
            drop((place, held));
        });
        let mut response = head.map(|()| respond::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        rookery_upstream::end_to_end(headers);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        response
    }
}

/// Joins the client to a worker that speaks WebSocket itself, or gives what the worker said instead.
pub(crate) async fn to_worker(
    gateway: &Arc<Gateway>,
    pool: &Arc<Pool>,
    address: &Address,
    exchange: &Exchange,
    request: Request<Incoming>,
) -> Result<Response<Body>, RequestError> {
    if gateway.shutdown.is_requested() {
        return Err(RequestError::ShuttingDown);
    }
    check(&request)?;
    let mut sent = Request::new(());
    *sent.uri_mut() = below_app(request.uri(), address.tail());
    *sent.headers_mut() = request.headers().clone();
    let headers = sent.headers_mut();
    // What the client names in `Connection` must not be what we add.
    rookery_upstream::of_request(headers);
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    introduce(headers, address, exchange);
    tell_the_way(headers, exchange);
    let opened = pool.tunnel(sent).await?;
    let hold = Arc::new(opened.hold);
    match opened.answer {
        TunnelAnswer::Refused(answer) => {
            // The worker is held until its answer was read.
            let holding = |body: Body| {
                let held = move |frame| {
                    let _ = &hold;
                    frame
                };
                body.map_frame(held).boxed_unsync()
            };
            Ok(answer.map(holding))
        }
        TunnelAnswer::Accepted { head, io } => {
            let held = Arc::clone(&hold);
            let ending = ending(Arc::clone(gateway), hold);
            Ok(Tunnel { head, io, held }.join(gateway, request, ending))
        }
    }
}

async fn ending(gateway: Arc<Gateway>, hold: Arc<TunnelHold>) -> CloseCode {
    tokio::select! {
        biased;
        () = gateway.shutdown.requested() => close::GOING_AWAY,
        () = hold.cut() => close::RESTART,
    }
}

fn said(code: CloseCode) -> Close {
    Close {
        code: code.code,
        reason: code.reason,
    }
}
