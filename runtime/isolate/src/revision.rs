//! One revision's component: linked while it is used, on disk while it is not.
//!
//! A revision that nobody asks for costs a name and a few hundred bytes, so that a thousand versions fit beside the ones
//! that work. Waking one up maps its machine code again, which takes about a millisecond.
//!
//! **Invariant:** what wakes up is what was linked when the revision was prepared: it is found by the digest of its bytes.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use rookery_pool::{Pressure, SpawnError};
use tokio::time::Instant;

use crate::compile::{CompileCache, Kept};
use crate::engine::Thrift;
use crate::error::IsolateError;
use crate::link::{Linked, link};
use crate::rest::awake_for;
use crate::workshop::Workshop;

/// Where a component comes from.
#[derive(Clone)]
pub(crate) struct Origin {
    pub workshop: Workshop,
    pub cache: CompileCache,
    /// The bundle's file.
    pub path: PathBuf,
    pub thrift: Thrift,
}

impl Origin {
    /// Compiles the bytes of the bundle's file. Blocks.
    pub fn compile(&self, wasm: &[u8]) -> Result<wasmtime::component::Component, IsolateError> {
        self.cache.component(&self.workshop.engine, wasm)
    }

    /// Compiles and links them. Blocks.
    pub fn link(&self, wasm: &[u8]) -> Result<Linked, IsolateError> {
        link(&self.workshop.offer, &self.compile(wasm)?)
    }

    /// Where the compiled component is found again.
    pub fn kept(&self, wasm: &[u8]) -> Option<Kept> {
        self.cache.kept(&self.workshop.engine, wasm)
    }
}

/// A revision's component.
pub(crate) struct Component {
    origin: Origin,
    /// Where to find it again; `None` when it must stay awake, since nothing is kept on disk.
    kept: Option<Kept>,
    linked: ArcSwapOption<Linked>,
    /// Held by whoever wakes it: who comes meanwhile waits, and finds it awake.
    waking: tokio::sync::Mutex<()>,
    used: Mutex<Instant>,
    serves_sessions: bool,
    hears_notices: bool,
}

impl Component {
    /// A component that was just linked. It sleeps until it is used, if it can be found again.
    pub fn new(origin: Origin, kept: Option<Kept>, linked: Linked) -> Self {
        let serves_sessions = linked.sessions.is_some();
        let hears_notices = linked.life.is_some();
        let awake = kept.is_none().then(|| Arc::new(linked));
        Component {
            origin,
            kept,
            linked: ArcSwapOption::new(awake),
            waking: tokio::sync::Mutex::default(),
            used: Mutex::new(Instant::now()),
            serves_sessions,
            hears_notices,
        }
    }

    /// Whether it takes session events.
    pub fn serves_sessions(&self) -> bool {
        self.serves_sessions
    }

    /// Whether it wants to hear of its instances' lives.
    pub fn hears_notices(&self) -> bool {
        self.hears_notices
    }

    /// The linked component, woken up if it sleeps.
    pub async fn linked(self: &Arc<Self>) -> Result<Arc<Linked>, SpawnError> {
        *self.used.lock() = Instant::now();
        if let Some(linked) = self.linked.load_full() {
            return Ok(linked);
        }
        let _turn = self.waking.lock().await;
        if let Some(linked) = self.linked.load_full() {
            return Ok(linked);
        }
        let component = Arc::clone(self);
        tokio::task::spawn_blocking(move || component.wake())
            .await
            .map_err(|stopped| SpawnError::new(format!("loading stopped: {stopped}")))?
    }

    /// Lets go of what was not used for a while, less long the shorter memory is. Whether it did.
    pub fn rest(&self, pressure: Pressure) -> bool {
        let idle = self.used.lock().elapsed();
        let rests = self.kept.is_some()
            && idle >= awake_for(self.origin.thrift, pressure)
            && self.is_awake_for_nobody();
        if rests {
            self.linked.store(None);
        }
        rests
    }

    /// Whether it is linked and no live isolate has it. What one has stays in memory in any case, and the next isolate
    /// would bring it there a second time.
    fn is_awake_for_nobody(&self) -> bool {
        let linked = self.linked.load_full();
        // Ours and the component's own.
        linked.is_some_and(|linked| Arc::strong_count(&linked) <= 2)
    }

    fn wake(&self) -> Result<Arc<Linked>, SpawnError> {
        // One who gave up waiting may have brought it.
        if let Some(linked) = self.linked.load_full() {
            return Ok(linked);
        }
        let Workshop { engine, offer } = &self.origin.workshop;
        let kept = self.kept.as_ref().and_then(|kept| kept.load(engine));
        let linked = match kept {
            Some(component) => link(offer, &component),
            None => self.compile_again(),
        };
        let linked = linked.map_err(|error| SpawnError::new(error.to_string()))?;
        let linked = Arc::new(linked);
        self.linked.store(Some(Arc::clone(&linked)));
        Ok(linked)
    }

    /// Somebody emptied the cache. The bundle's file will do, if it still is what this revision was made of.
    fn compile_again(&self) -> Result<Linked, IsolateError> {
        let wasm = std::fs::read(&self.origin.path).map_err(IsolateError::Read)?;
        if self.origin.kept(&wasm) != self.kept {
            return Err(IsolateError::Replaced);
        }
        self.origin.link(&wasm)
    }
}

#[cfg(test)]
mod tests;
