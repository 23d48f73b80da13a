//! Joins a component to the host: what it imports, what it exports.
//!
//! Once per revision; instantiating afterwards only copies what was worked out here.

use std::sync::Arc;

use rookery_bundle::KeysIn;
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime_wasi_http::p2::bindings::ProxyIndices;

use crate::bindings::attentive::AttentiveIndices;
use crate::bindings::lasting::wasi::keyvalue::{atomics, store};
use crate::bindings::{App, AppIndices};
use crate::error::IsolateError;
use crate::state::State;

/// A component with its imports joined and its exports found.
#[derive(Clone)]
pub(crate) struct Linked {
    pub pre: InstancePre<State>,
    /// How to call it with a request; `None` when it does not export the handler.
    pub http: Option<ProxyIndices>,
    /// How to call it with session events; `None` when it does not export the interface.
    pub sessions: Option<AppIndices>,
    /// How to tell it of its life; `None` when it does not export the interface.
    pub life: Option<AttentiveIndices>,
}

/// Everything that the host offers, once for all components with keys in the same place.
#[derive(Clone)]
pub(crate) struct Offer {
    keys: KeysIn,
    memory: Arc<Linker<State>>,
    database: Arc<Linker<State>>,
}

impl Offer {
    /// The offer with keys in memory.
    pub fn new(engine: &Engine) -> Result<Offer, IsolateError> {
        let memory = linker(engine).map_err(IsolateError::Link)?;
        let mut database = memory.clone();
        lasting(&mut database).map_err(IsolateError::Link)?;
        Ok(Offer {
            keys: KeysIn::Memory,
            memory: Arc::new(memory),
            database: Arc::new(database),
        })
    }

    /// The same with keys there.
    pub fn with_keys_in(self, keys: KeysIn) -> Offer {
        Offer { keys, ..self }
    }

    fn linker(&self) -> &Linker<State> {
        match self.keys {
            KeysIn::Memory => &self.memory,
            KeysIn::Database => &self.database,
        }
    }
}

/// Joins a component to what the host offers.
pub(crate) fn link(offer: &Offer, component: &Component) -> Result<Linked, IsolateError> {
    let pre = offer
        .linker()
        .instantiate_pre(component)
        .map_err(IsolateError::Link)?;
    let linked = Linked {
        http: ProxyIndices::new(&pre).ok(),
        sessions: AppIndices::new(&pre).ok(),
        life: AttentiveIndices::new(&pre).ok(),
        pre,
    };
    if linked.http.is_none() && linked.sessions.is_none() {
        return Err(IsolateError::NothingToCall);
    }
    Ok(linked)
}

/// All that the host offers.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    // The whole of WASI, since the standard libraries of most languages import it; the context of an isolate grants
    // no file, no socket and no variable that the manifest does not have.
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    App::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// Puts the keys of the database in the place of those in memory.
fn lasting(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    store::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    atomics::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}
