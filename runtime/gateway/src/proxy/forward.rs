//! A request through a rule.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use rookery_bundle::Manifest;
use rookery_pool::Body;
use rookery_routing::Address;
use rookery_upstream::Timeouts;

use crate::body::{Defect, limited};
use crate::error::RequestError;
use crate::exchange::Exchange;
use crate::gateway::Gateway;
use crate::proxy::fields::for_upstream;
use crate::proxy::rules::{Asked, Counting};
use crate::site::Site;
use crate::worker::declared_length;

/// How long connecting to an upstream may take, at most the bundle's own timeout.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends a request to the rule's target and gives its answer as it is.
pub(crate) async fn forward(
    gateway: &Arc<Gateway>,
    site: &Site,
    asked: Asked<'_>,
    address: &Address,
    exchange: &Exchange,
    request: Request<Incoming>,
) -> Result<Response<Body>, RequestError> {
    let figures = Arc::clone(&asked.figures);
    Counting::around(
        figures,
        ask(gateway, site, &asked, address, exchange, request),
    )
    .await
}

async fn ask(
    gateway: &Gateway,
    site: &Site,
    asked: &Asked<'_>,
    address: &Address,
    exchange: &Exchange,
    request: Request<Incoming>,
) -> Result<Response<Body>, RequestError> {
    let manifest = &site.revision.bundle.manifest;
    let limit = manifest.max_body_size;
    if declared_length(request.headers()).is_some_and(|length| length > limit) {
        return Err(RequestError::BodyTooLarge { limit });
    }
    let (parts, body) = request.into_parts();
    let (body, course) = limited(body, limit);
    let mut sent = Request::new(body);
    *sent.method_mut() = parts.method;
    *sent.uri_mut() = Uri::from(asked.matched.path_and_query(parts.uri.query())?);
    *sent.headers_mut() = for_upstream(
        parts.headers,
        &parts.uri,
        asked.matched.rule(),
        address,
        exchange,
    );
    let answered = gateway
        .upstreams
        .send(asked.target, sent, timeouts(manifest))
        .await;
    // Whatever the upstream made of a body that broke off: the client is told what was wrong with it.
    match (course.defect(), answered) {
        (Some(Defect::TooLarge), _) => Err(RequestError::BodyTooLarge { limit }),
        (Some(Defect::Broken), _) => Err(RequestError::BodyBroken),
        (None, answered) => Ok(answered?),
    }
}

/// The bundle's timeout counts as it does for a worker: to the head of the answer, then from one piece to the next.
pub(super) fn timeouts(manifest: &Manifest) -> Timeouts {
    Timeouts {
        connect: CONNECT_TIMEOUT.min(manifest.timeout),
        answer: manifest.timeout,
        idle: manifest.timeout,
    }
}
