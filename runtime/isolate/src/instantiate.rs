//! From a linked component to a live isolate.

use std::sync::Arc;

use rookery_host::{Guest, Stream};
use rookery_pool::{Deadline, SpawnError};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::Store;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi_http::p2::bindings::Proxy;

use crate::bindings::App;
use crate::engine::Slots;
use crate::epoch;
use crate::limits::Limits;
use crate::link::Linked;
use crate::state::State;
use crate::stdio::GuestStream;

/// How many bytes one call of a guest may make the host copy.
const HOST_CALL_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A live wasm instance.
pub(crate) struct Isolate {
    pub store: Store<State>,
    pub http: Option<Proxy>,
    pub sessions: Option<App>,
    /// Given back after the store is gone.
    _slot: OwnedSemaphorePermit,
}

/// Starts an isolate.
pub(crate) async fn instantiate(
    slots: &Slots,
    linked: &Linked,
    guest: &Arc<Guest>,
) -> Result<Isolate, SpawnError> {
    let slot = slots.slot().await;
    let manifest = &guest.bundle().manifest;
    let deadline = Deadline::after(manifest.timeout);
    let state = State::new(
        Arc::clone(guest),
        Limits::new(manifest.memory),
        deadline,
        wasi(guest),
    );
    let mut store = Store::new(slots.engine(), state);
    store.limiter(|state| &mut state.limits);
    store.set_hostcall_fuel(HOST_CALL_BYTES_MAX);
    store.set_epoch_deadline(1);
    let long_runs = Arc::clone(slots.long_runs());
    store.epoch_deadline_callback(move |store| Ok(epoch::next(store.data(), &long_runs)));
    let started = start(&mut store, linked).await;
    let (http, sessions) = started
        .map_err(|error| SpawnError(crate::trap::fault(store.data(), &error).to_string()))?;
    Ok(Isolate {
        store,
        http,
        sessions,
        _slot: slot,
    })
}

async fn start(
    store: &mut Store<State>,
    linked: &Linked,
) -> wasmtime::Result<(Option<Proxy>, Option<App>)> {
    let instance = linked.pre.instantiate_async(&mut *store).await?;
    let http = linked.http.as_ref();
    let http = http
        .map(|indices| indices.load(&mut *store, &instance))
        .transpose()?;
    let sessions = linked.sessions.as_ref();
    let sessions = sessions
        .map(|indices| indices.load(&mut *store, &instance))
        .transpose()?;
    Ok((http, sessions))
}

/// No files, no sockets, no arguments; of the environment what was granted.
fn wasi(guest: &Arc<Guest>) -> wasmtime_wasi::WasiCtx {
    WasiCtxBuilder::new()
        .stdout(GuestStream::new(guest, Stream::Stdout))
        .stderr(GuestStream::new(guest, Stream::Stderr))
        .envs(guest.config())
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build()
}
