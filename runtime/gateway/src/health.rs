//! Whether an app lives: asked of the host, answered with a worker in hand.
//!
//! `health` of the manifest names the path, `/health` unless it says otherwise; `false` leaves the path to the app.

use std::sync::Arc;

use http::{Method, Response, StatusCode};
use rookery_bundle::{Health, Manifest};
use rookery_pool::{Body, Pool, Verdict};

use crate::error::RequestError;
use crate::respond::text;

/// Whether this request asks for the app's health.
pub(crate) fn is_asked(manifest: &Manifest, method: &Method, tail: &str) -> bool {
    match &manifest.health {
        Health::Path(path) => *path == tail && matches!(*method, Method::GET | Method::HEAD),
        Health::Off => false,
    }
}

/// `OK` when a worker could be had, as a request would have it; files alone are always well.
pub(crate) async fn answer(pool: Option<&Arc<Pool>>) -> Result<Response<Body>, RequestError> {
    if let Some(pool) = pool {
        let lease = pool.acquire().await;
        let lease = lease.map_err(|error| RequestError::Invoke(error.into()))?;
        lease.finish(&Verdict::Reusable);
    }
    Ok(text(StatusCode::OK, "text/plain; charset=utf-8", "OK"))
}
