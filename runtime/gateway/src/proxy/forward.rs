//! A request through a rule.

use std::future::Future;
use std::time::Duration;

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use rookery_bundle::Manifest;
use rookery_pool::Body;
use rookery_routing::Address;
use rookery_upstream::{Timeouts, Unanswered};

use crate::body::{Course, Defect, limited};
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
///
/// What can be done at once is done here: a future has room for all that it was made of while it waits.
pub(crate) fn forward<'a>(
    gateway: &'a Gateway,
    site: &'a Site,
    asked: Asked<'a>,
    address: &Address,
    exchange: &Exchange,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Body>, RequestError>> + use<'a> {
    let prepared = prepare(site, &asked, address, exchange, request);
    let manifest = &site.revision.bundle.manifest;
    let target = asked.target;
    let counting = Counting::begin(asked.figures);
    async move {
        let answered = match prepared {
            Ok((request, course)) => {
                let sending = gateway.upstreams.send(target, request, timeouts(manifest));
                judged(sending.await, &course, manifest)
            }
            Err(error) => Err(error),
        };
        counting.ended(&answered);
        answered
    }
}

/// What is asked of the target, and how the client's body fares.
type Prepared = (Request<Body>, Course);

fn prepare(
    site: &Site,
    asked: &Asked<'_>,
    address: &Address,
    exchange: &Exchange,
    request: Request<Incoming>,
) -> Result<Prepared, RequestError> {
    let limit = site.revision.bundle.manifest.max_body_size;
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
    Ok((sent, course))
}

/// Whatever the upstream made of a body that broke off: the client is told what was wrong with it.
fn judged(
    answered: Result<Response<Body>, Unanswered>,
    course: &Course,
    manifest: &Manifest,
) -> Result<Response<Body>, RequestError> {
    match course.defect() {
        Some(Defect::TooLarge) => Err(RequestError::BodyTooLarge {
            limit: manifest.max_body_size,
        }),
        Some(Defect::Broken) => Err(RequestError::BodyBroken),
        None => answered.map_err(|unanswered| unanswered.error.into()),
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
