//! Isolates as the pool knows them.

use std::sync::Arc;

use rookery_bundle::{Bundle, Entry};
use rookery_contract::Event;
use rookery_host::{Guest, Services};
use rookery_pool::{
    Deadline, EventsOutcome, Invocation, Prepare, Spawn, SpawnError, Verdict, Worker,
};

use crate::compile::CompileCache;
use crate::engine::Slots;
use crate::error::IsolateError;
use crate::instantiate::{Isolate, instantiate};
use crate::link::{Linked, link};
use crate::{http, sessions};

/// Prepares bundles whose entrypoint is a component.
#[derive(Clone)]
pub struct Isolates {
    slots: Slots,
    cache: CompileCache,
    services: Services,
}

impl Isolates {
    /// Isolates in these slots, compiled through this cache, for guests of these services.
    pub fn new(slots: Slots, cache: CompileCache, services: Services) -> Self {
        Isolates {
            slots,
            cache,
            services,
        }
    }

    /// Compiles and links a component, and refuses it with the reason when it cannot run here. Blocks.
    fn link(&self, bundle: &Bundle, wasm: &[u8]) -> Result<Linked, IsolateError> {
        let (asked, allowed) = (bundle.manifest.memory, self.slots.memory_bytes_max());
        if asked > allowed {
            return Err(IsolateError::Memory { asked, allowed });
        }
        let component = self.cache.component(self.slots.engine(), wasm)?;
        link(self.slots.engine(), &component)
    }
}

#[async_trait::async_trait]
impl Prepare for Isolates {
    async fn prepare(&self, bundle: Arc<Bundle>) -> Result<Arc<dyn Spawn>, SpawnError> {
        let Entry::Component { path } = &bundle.entry else {
            return Err(SpawnError("the entrypoint is not a wasm component".into()));
        };
        let (isolates, path, linked_bundle) = (self.clone(), path.clone(), Arc::clone(&bundle));
        let linked = tokio::task::spawn_blocking(move || {
            let wasm = std::fs::read(path).map_err(IsolateError::Read)?;
            isolates.link(&linked_bundle, &wasm)
        });
        let linked = linked
            .await
            .map_err(|stopped| SpawnError(format!("compiling stopped: {stopped}")))?
            .map_err(|error| SpawnError(error.to_string()))?;
        Ok(Arc::new(IsolateSpawn {
            slots: self.slots.clone(),
            linked,
            guest: Guest::new(bundle, &self.services),
        }))
    }
}

/// Starts isolates of one revision.
struct IsolateSpawn {
    slots: Slots,
    linked: Linked,
    guest: Arc<Guest>,
}

#[async_trait::async_trait]
impl Spawn for IsolateSpawn {
    async fn spawn(&self) -> Result<Box<dyn Worker>, SpawnError> {
        let isolate = instantiate(&self.slots, &self.linked, &self.guest).await?;
        Ok(Box::new(IsolateWorker(isolate)))
    }

    fn serves_sessions(&self) -> bool {
        self.linked.sessions.is_some()
    }
}

struct IsolateWorker(Isolate);

#[async_trait::async_trait]
impl Worker for IsolateWorker {
    async fn request(&mut self, invocation: Invocation) -> Verdict {
        http::request(&mut self.0, invocation).await
    }

    async fn events(&mut self, events: &[Event], deadline: Deadline) -> EventsOutcome {
        sessions::events(&mut self.0, events, deadline).await
    }
}
