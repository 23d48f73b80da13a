//! From a linked component to a live isolate.

use std::sync::Arc;

use rookery_host::{Guest, Stream};
use rookery_pool::{Deadline, Fault, SpawnError};
use wasmtime::Store;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi_http::p2::bindings::Proxy;

use crate::bindings::App;
use crate::bindings::attentive::Attentive;
use crate::cpu::CpuTime;
use crate::engine::{Slot, Slots};
use crate::epoch;
use crate::limits::Limits;
use crate::link::Linked;
use crate::start::{self, Late, Starter};
use crate::state::State;
use crate::stdio::GuestStream;

/// How many bytes one call of a guest may make the host copy.
const HOST_CALL_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A live wasm instance.
pub(crate) struct Isolate {
    pub store: Store<State>,
    pub http: Option<Proxy>,
    pub sessions: Option<App>,
    pub life: Option<Attentive>,
    /// Whether no call failed, and none was dropped before its end.
    pub sound: bool,
    /// Given back after the store is gone.
    _slot: Slot,
}

/// What a component exports, in a live instance.
type Exports = (Option<Proxy>, Option<App>, Option<Attentive>);

/// Starts an isolate.
pub(crate) async fn instantiate(
    slots: &Slots,
    linked: &Linked,
    guest: &Arc<Guest>,
    cpu: &Arc<CpuTime>,
) -> Result<Isolate, SpawnError> {
    let slot = slots.slot().await;
    let manifest = &guest.bundle().manifest;
    let state = State::new(
        Arc::clone(guest),
        Limits::new(manifest.memory),
        Deadline::after(start::PASSED_MAX),
        wasi(guest),
        Arc::clone(cpu),
    );
    let mut store = Store::new(linked.pre.engine(), state);
    store.limiter(|state| &mut state.limits);
    store.set_hostcall_fuel(HOST_CALL_BYTES_MAX);
    store.set_epoch_deadline(1);
    let long_runs = Arc::clone(slots.long_runs());
    store.epoch_deadline_callback(move |store| Ok(epoch::next(store.data(), &long_runs)));
    let starter = Starter::of(store.data(), manifest.timeout);
    let started = starter.run(exports(&mut store, linked)).await;
    store.data_mut().end_invocation();
    let started = match started {
        Ok(started) => started.map_err(|error| crate::trap::fault(store.data(), &error)),
        Err(Late(had)) => Err(Fault::Timeout(had)),
    };
    let (http, sessions, life) = started.map_err(|fault| SpawnError::new(fault.to_string()))?;
    Ok(Isolate {
        store,
        http,
        sessions,
        life,
        sound: true,
        _slot: slot,
    })
}

async fn exports(store: &mut Store<State>, linked: &Linked) -> wasmtime::Result<Exports> {
    let instance = linked.pre.instantiate_async(&mut *store).await?;
    let http = linked.http.as_ref();
    let http = http
        .map(|indices| indices.load(&mut *store, &instance))
        .transpose()?;
    let sessions = linked.sessions.as_ref();
    let sessions = sessions
        .map(|indices| indices.load(&mut *store, &instance))
        .transpose()?;
    let life = linked.life.as_ref();
    let life = life
        .map(|indices| indices.load(&mut *store, &instance))
        .transpose()?;
    Ok((http, sessions, life))
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
