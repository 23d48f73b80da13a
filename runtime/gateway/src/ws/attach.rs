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
use rookery_hub::{Attach, Attached, SessionLimits, close};
use tokio::net::TcpStream;

use crate::client::ClientStream;
use crate::connection::Place;
use crate::gateway::Gateway;
use crate::site::Site;
use crate::ws::wire::{Wire, WireLimits};
use crate::ws::{Asked, Berth};

/// How often a place is looked for that is gone when the session comes to it: each time takes a new table.
const TABLES_MAX: usize = 8;

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
    sent_to: Arc<Site>,
    asked: Asked,
    opened: Opened,
    upgraded: Upgraded,
    place: Option<Place>,
) {
    let Some((stream, early)) = client(upgraded) else {
        tracing::error!("an upgraded connection is of an unknown kind");
        return;
    };
    let Some(Begun {
        site,
        session,
        berth,
    }) = find(gateway, asked, opened)
    else {
        let why = match gateway.shutdown.is_requested() {
            true => close::GOING_AWAY,
            false => close::RESTART,
        };
        let wire = Wire::new(stream, &early, wire_limits(&sent_to));
        return wire.refuse(why).await;
    };
    let wire = Wire::new(stream, &early, wire_limits(&site));
    // Not an async block, which would have room for the conversation twice.
    let conversation = wire.converse(session).map(move |()| {
        berth.leave();
        drop(place);
    });
    gateway.tasks.spawn("session", conversation);
}

/// A session that waits for its guest.
struct Begun {
    site: Arc<Site>,
    session: Attached,
    berth: Arc<Berth>,
}

/// Finds the place that the path leads to by now, which may be another one than when the handshake was answered.
fn find(gateway: &Gateway, asked: Asked, mut opened: Opened) -> Option<Begun> {
    for _ in 0..TABLES_MAX {
        let (site, ready) = gateway.sites.place(&asked)?;
        let arrival = gateway.hub.arrive(Attach {
            namespace: site.revision.bundle.namespace(),
            ready,
            opened,
            limits: limits(&site),
        });
        let admitted = gateway.sites.admit(&site, arrival.session(), asked.clone());
        if let Some(berth) = admitted {
            let session = arrival.begin();
            return Some(Begun {
                site,
                session,
                berth,
            });
        }
        opened = arrival.withdraw()?;
    }
    None
}

fn wire_limits(site: &Site) -> WireLimits {
    let manifest = &site.revision.bundle.manifest.sessions;
    WireLimits {
        message_bytes_max: usize::try_from(manifest.max_message_size).unwrap_or(usize::MAX),
        idle_timeout: manifest.idle_timeout,
    }
}

/// The client's socket, and what it sent early. What HTTP needed for it is let go of here, and not when the session ends:
/// its buffer alone is several times what an idle session costs.
pub(super) fn client(upgraded: Upgraded) -> Option<(TcpStream, Bytes)> {
    // The listener only knows this kind of stream, so nothing else can be inside.
    let parts = upgrade::downcast::<TokioIo<ClientStream>>(upgraded).ok()?;
    Some((parts.io.into_inner().into_inner(), parts.read_buf))
}

fn limits(site: &Site) -> SessionLimits {
    let outbox = site.revision.bundle.manifest.sessions.outbox;
    SessionLimits {
        outbox_bytes: usize::try_from(outbox).unwrap_or(usize::MAX),
        ..SessionLimits::default()
    }
}
