//! From a connection that changed over to a session in the hub.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use http::Request;
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade;
use rookery_contract::Opened;
use rookery_hub::{Attach, Hub, SessionLimits, close};
use tokio::net::TcpStream;

use crate::connection::Place;
use crate::gateway::Gateway;
use crate::site::Site;
use crate::ws::Asked;
use crate::ws::wire::{Wire, WireLimits};

/// Starts a session as soon as the connection has changed over.
pub(super) fn when_upgraded(
    gateway: &Arc<Gateway>,
    site: &Arc<Site>,
    asked: Asked,
    opened: Opened,
    mut request: Request<Incoming>,
) {
    let place = request.extensions_mut().remove::<Place>();
    let upgrade = hyper::upgrade::on(request);
    let (gateway, site) = (Arc::clone(gateway), Arc::clone(site));
    let tasks = gateway.tasks.clone();
    tasks.spawn("session begins", async move {
        match upgrade.await {
            Ok(upgraded) => begin(&gateway, site, asked, opened, upgraded, place).await,
            Err(error) => tracing::debug!(reason = %error, "a connection did not change over"),
        }
    });
}

/// Attaches the session, which then goes on by itself: what is here is needed once, and three times as large as what a
/// session needs for as long as it lasts.
async fn begin(
    gateway: &Gateway,
    site: Arc<Site>,
    asked: Asked,
    opened: Opened,
    upgraded: Upgraded,
    place: Option<Place>,
) {
    let Some(wire) = wire(upgraded, &site) else {
        tracing::error!("an upgraded connection is of an unknown kind");
        return;
    };
    let Some(ready) = site.ready(&gateway.tasks) else {
        return wire.refuse(close::RESTART).await;
    };
    let session = Hub::attach(
        &gateway.hub,
        Attach {
            namespace: site.revision.bundle.namespace(),
            ready: Arc::clone(ready),
            opened,
            limits: limits(&site),
        },
    );
    let berth = gateway.sites.admit(&site, &session, asked);
    if berth.is_none() {
        session.close(close::RESTART);
    }
    // Not an async block, which would have room for the conversation twice.
    let conversation = wire.converse(session).map(move |()| {
        if let Some(berth) = berth {
            berth.leave();
        }
        drop(place);
    });
    gateway.tasks.spawn("session", conversation);
}

/// The socket with what the client sent early. What HTTP needed for it is let go of here, and not when the session ends:
/// its buffer alone is several times what an idle session costs.
fn wire(upgraded: Upgraded, site: &Site) -> Option<Wire<TcpStream>> {
    let (stream, early) = client(upgraded)?;
    let manifest = &site.revision.bundle.manifest.sessions;
    let limits = WireLimits {
        message_bytes_max: usize::try_from(manifest.max_message_size).unwrap_or(usize::MAX),
        idle_timeout: manifest.idle_timeout,
    };
    Some(Wire::new(stream, &early, limits))
}

/// The client's socket, and what it sent early.
pub(super) fn client(upgraded: Upgraded) -> Option<(TcpStream, Bytes)> {
    // The listener only knows this kind of stream, so nothing else can be inside.
    let parts = upgrade::downcast::<TokioIo<TcpStream>>(upgraded).ok()?;
    Some((parts.io.into_inner(), parts.read_buf))
}

fn limits(site: &Site) -> SessionLimits {
    let outbox = site.revision.bundle.manifest.sessions.outbox;
    SessionLimits {
        outbox_bytes: usize::try_from(outbox).unwrap_or(usize::MAX),
        ..SessionLimits::default()
    }
}
