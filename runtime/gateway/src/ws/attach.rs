//! From a connection that changed over to a session in the hub.

use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade;
use rookery_contract::Opened;
use rookery_hub::{Attach, Hub, SessionLimits, close};
use rookery_pool::Pool;
use tokio::net::TcpStream;

use crate::connection::Place;
use crate::gateway::Gateway;
use crate::site::Site;
use crate::ws::deliver;
use crate::ws::wire::{Wire, WireLimits};

/// Starts a session as soon as the connection has changed over, on a task of its own.
pub(super) fn when_upgraded(
    gateway: &Arc<Gateway>,
    site: &Arc<Site>,
    pool: &Arc<Pool>,
    opened: Opened,
    mut request: Request<Incoming>,
) {
    let place = request.extensions_mut().remove::<Place>();
    let upgrade = hyper::upgrade::on(request);
    let (gateway, site, pool) = (Arc::clone(gateway), Arc::clone(site), Arc::clone(pool));
    let tasks = gateway.tasks.clone();
    tasks.spawn("session", async move {
        match upgrade.await {
            Ok(upgraded) => converse(&gateway, site, &pool, opened, upgraded).await,
            Err(error) => tracing::debug!(reason = %error, "a connection did not change over"),
        }
        drop(place);
    });
}

async fn converse(
    gateway: &Gateway,
    site: Arc<Site>,
    pool: &Arc<Pool>,
    opened: Opened,
    upgraded: Upgraded,
) {
    // The listener only knows this kind of stream, so nothing else can be inside.
    let Ok(parts) = upgrade::downcast::<TokioIo<TcpStream>>(upgraded) else {
        tracing::error!("an upgraded connection is of an unknown kind");
        return;
    };
    let manifest = &site.revision.bundle.manifest.sessions;
    let wire = Wire::new(
        parts.io.into_inner(),
        &parts.read_buf,
        WireLimits {
            message_bytes_max: usize::try_from(manifest.max_message_size).unwrap_or(usize::MAX),
            idle_timeout: manifest.idle_timeout,
        },
    );
    let Some(sessions) = site.sessions(|ready| deliver::start(&gateway.tasks, ready, pool)) else {
        return wire.refuse(close::RESTART).await;
    };
    let session = Hub::attach(
        &gateway.hub,
        Attach {
            namespace: site.revision.bundle.namespace(),
            ready: sessions.ready,
            opened,
            limits: SessionLimits {
                outbox_bytes: usize::try_from(manifest.outbox).unwrap_or(usize::MAX),
                ..SessionLimits::default()
            },
        },
    );
    let retired = site.retired.clone();
    // The site may go while the session lives; the session keeps what it needs of it.
    drop(site);
    wire.converse(session, retired, &gateway.shutdown).await;
    drop(sessions.stay);
}
