//! The whole way of a request: read this first.
//!
//! Address → revision → route → upstream, static file, worker or session → answer. Nothing here waits but for the app's
//! worker, its upstream and the disk.

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::HOST;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use rookery_pool::Body;
use rookery_routing::{Address, AddressError, Facts, Route, Upgrade, choose};

use crate::error::RequestError;
use crate::exchange::Exchange;
use crate::gateway::Gateway;
use crate::proxy::{self, Asked};
use crate::rollout::{Blame, Drawn, Sent};
use crate::site::Site;
use crate::static_files::Found;
use crate::{health, respond, root, worker, ws};

const X_ROOKERY_VERSION: HeaderName = HeaderName::from_static("x-rookery-version");
const X_ROOKERY_REQUESTED: HeaderName = HeaderName::from_static("x-rookery-requested");

/// Answers one request. Never fails: what goes wrong is an answer, too.
pub(crate) async fn handle(
    gateway: Arc<Gateway>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<Body> {
    let exchange = Exchange::of(request.headers(), peer);
    let answered = serve(&gateway, &exchange, request).await;
    let mut response = answered.unwrap_or_else(|error| failed(&gateway, &exchange, &error));
    exchange.sign(&mut response);
    response
}

fn failed(gateway: &Gateway, exchange: &Exchange, error: &RequestError) -> Response<Body> {
    respond::failed(error, &exchange.id, gateway.config.disclosure)
}

async fn serve(
    gateway: &Arc<Gateway>,
    exchange: &Exchange,
    request: Request<Incoming>,
) -> Result<Response<Body>, RequestError> {
    if request.version() == Version::HTTP_11 && request.headers().get_all(HOST).iter().count() != 1
    {
        return Err(RequestError::Host);
    }
    let address = match request.uri().path() {
        "/health" => {
            return Ok(respond::text(
                StatusCode::OK,
                "text/plain; charset=utf-8",
                "OK\n",
            ));
        }
        "/ready" => return Ok(root::ready(gateway)),
        "/" => match gateway.config.app_shell.as_deref() {
            Some(shell) => Address::parse(&format!("/{shell}/")),
            None => return Ok(root::index(gateway, &request)),
        },
        path if path == "/_" || path.starts_with("/_/") => {
            let mut request = request;
            request.extensions_mut().insert(exchange.peer);
            return Ok(gateway.internal.serve(request).await);
        }
        path => Address::parse(path),
    };
    let address = address.map_err(not_an_address)?;
    serve_app(gateway, exchange, address, request).await
}

async fn serve_app(
    gateway: &Arc<Gateway>,
    exchange: &Exchange,
    address: Address,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, RequestError> {
    let mut drawn = None;
    let (site, requested, by) = {
        let table = gateway.sites.table();
        let (app, asked) = (address.app(), address.selector());
        let lot = || drawn.insert(Drawn::of(request.headers())).lot;
        let resolved = table
            .resolve_for(app, asked, gateway.config.fallback, lot)
            .ok_or_else(|| missing(gateway, &address))?;
        // A selector that was parsed is printable; what is not is left out rather than guessed.
        let requested = || HeaderValue::from_str(address.selector_text()).ok();
        let requested = if resolved.exact { None } else { requested() };
        (Arc::clone(resolved.value), requested, resolved.by)
    };
    let sent = Sent::of(by, drawn, &address, &mut request);
    let answered = dispatch(gateway, &site, &address, exchange, request).await;
    let blame = Blame::of(&answered);
    // A failure is the revision's answer, too: who judges a canary has to know whose.
    let mut response = answered.unwrap_or_else(|error| failed(gateway, exchange, &error));
    if let Some(sent) = sent {
        sent.finish(&site.revision.tally, blame, &mut response);
    }
    let headers = response.headers_mut();
    headers.insert(X_ROOKERY_VERSION, site.version.clone());
    if let Some(requested) = requested {
        headers.insert(X_ROOKERY_REQUESTED, requested);
    }
    Ok(response)
}

async fn dispatch(
    gateway: &Arc<Gateway>,
    site: &Arc<Site>,
    address: &Address,
    exchange: &Exchange,
    request: Request<Incoming>,
) -> Result<Response<Body>, RequestError> {
    let pool = site.revision.pool.as_ref();
    let rules = site.rules.as_ref();
    let asked = rules.and_then(|rules| rules.find(address.tail()));
    let manifest = &site.revision.bundle.manifest;
    if asked.is_none() && health::is_asked(manifest, request.method(), address.tail()) {
        return health::answer(pool).await;
    }
    let upgrade = ws::upgrade(&request);
    let route = choose(facts(site, asked.as_ref()), upgrade);
    if let Some(asked) = asked {
        // Boxed, because the future of every other request would be as large, and is moved several times.
        return match upgrade {
            Upgrade::WebSocket => {
                Box::pin(proxy::join(
                    gateway, site, asked, address, exchange, request,
                ))
                .await
            }
            Upgrade::None => {
                Box::pin(proxy::forward(
                    gateway, site, asked, address, exchange, request,
                ))
                .await
            }
        };
    }
    // A form is posted to the worker even where a page of that name lies.
    let for_files = match route {
        Route::Static => true,
        Route::StaticThenWorker => matches!(*request.method(), Method::GET | Method::HEAD),
        _ => false,
    };
    if let (true, Some(files)) = (for_files, &site.files) {
        let (parts, body) = request.into_parts();
        let base = format!("{}/", address.prefix());
        return match (files.serve(&parts, address.tail(), &base).await, pool) {
            (Found::Response(response), _) => Ok(response),
            (Found::Missing, Some(pool)) => {
                let request = Request::from_parts(parts, body);
                worker::forward(site, pool, address, exchange, request).await
            }
            (Found::Missing, None) => Err(RequestError::NotFound),
        };
    }
    match (route, pool) {
        (Route::Worker | Route::StaticThenWorker, Some(pool)) => {
            worker::forward(site, pool, address, exchange, request).await
        }
        (Route::Session, Some(_)) => ws::accept(gateway, site, address, exchange, request),
        (Route::Tunnel, Some(pool)) => {
            Box::pin(ws::to_worker(gateway, pool, address, exchange, request)).await
        }
        _ => Err(RequestError::NotFound),
    }
}

fn facts(site: &Site, asked: Option<&Asked<'_>>) -> Facts {
    let pool = site.revision.pool.as_ref();
    Facts {
        rule: asked.is_some(),
        static_files: site.files.is_some(),
        worker: pool.is_some(),
        sessions: pool.is_some_and(|pool| pool.serves_sessions()),
        tunnels: pool.is_some_and(|pool| pool.serves_tunnels()),
    }
}

/// Why nothing answers at an address: nothing is there, or nothing that can be served.
fn missing(gateway: &Gateway, address: &Address) -> RequestError {
    let (app, asked) = (address.app(), address.selector());
    match (gateway.supervisor).refused(app, asked, gateway.config.fallback) {
        Some(refused) => refused.into(),
        None => RequestError::AppNotFound(address.key().to_owned()),
    }
}

fn not_an_address(error: AddressError) -> RequestError {
    RequestError::AppNotFound(error.key().to_owned())
}
