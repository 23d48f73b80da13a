//! A WebSocket through a rule: the upstream first, then the client.
//!
//! **Invariant:** the client's connection changes over only after the upstream's did.

use std::sync::Arc;

use http::{Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use rookery_hub::close;
use rookery_pool::Body;
use rookery_routing::Address;
use rookery_upstream::Dialled;

use crate::error::RequestError;
use crate::exchange::Exchange;
use crate::gateway::Gateway;
use crate::proxy::fields::for_upstream;
use crate::proxy::forward::timeouts;
use crate::proxy::rules::{Asked, Counting, OpenTunnel};
use crate::site::Site;
use crate::ws::{self, Tunnel};

/// Dials the rule's target, and joins the client to it when it accepts; else gives what it said.
pub(crate) async fn join(
    gateway: &Arc<Gateway>,
    site: &Arc<Site>,
    asked: Asked<'_>,
    address: &Address,
    exchange: &Exchange,
    request: Request<Incoming>,
) -> Result<Response<Body>, RequestError> {
    let figures = Arc::clone(&asked.figures);
    Counting::around(
        figures,
        dial(gateway, site, &asked, address, exchange, request),
    )
    .await
}

async fn dial(
    gateway: &Arc<Gateway>,
    site: &Arc<Site>,
    asked: &Asked<'_>,
    address: &Address,
    exchange: &Exchange,
    request: Request<Incoming>,
) -> Result<Response<Body>, RequestError> {
    if gateway.shutdown.is_requested() {
        return Err(RequestError::ShuttingDown);
    }
    ws::check(&request)?;
    let mut sent = Request::new(());
    *sent.uri_mut() = Uri::from(asked.matched.path_and_query(request.uri().query())?);
    *sent.headers_mut() = for_upstream(
        request.headers().clone(),
        request.uri(),
        asked.matched.rule(),
        address,
        exchange,
    );
    let timeouts = timeouts(&site.revision.bundle.manifest);
    let accepted = match gateway
        .upstreams
        .tunnel(asked.target, sent, timeouts)
        .await?
    {
        Dialled::Accepted(accepted) => accepted,
        Dialled::Refused(answer) => return Ok(answer),
    };
    debug_assert_eq!(accepted.head.status(), StatusCode::SWITCHING_PROTOCOLS);
    let ending = {
        let (gateway, site) = (Arc::clone(gateway), Arc::clone(site));
        async move {
            tokio::select! {
                biased;
                () = gateway.shutdown.requested() => close::GOING_AWAY,
                () = site.gone_for(gateway.config.drain_grace) => close::RESTART,
            }
        }
    };
    let tunnel = Tunnel {
        head: accepted.head,
        io: accepted.io,
        held: OpenTunnel::new(Arc::clone(&asked.figures)),
    };
    Ok(tunnel.join(gateway, request, ending))
}
