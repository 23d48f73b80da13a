//! Isolates as the pool knows them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rookery_bundle::{Bundle, Entry};
use rookery_contract::Event;
use rookery_host::{Guest, Services};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{
    Deadline, EventsOutcome, Invocation, Milestone, Notice, Prepare, Pressure, Spawn, SpawnError,
    Verdict, Watch, Worker,
};
use tokio::sync::watch;

use crate::compile::CompileCache;
use crate::cpu::CpuTime;
use crate::engine::{Slots, Thrift};
use crate::error::IsolateError;
use crate::instantiate::{Isolate, instantiate};
use crate::link::{Linked, link};
use crate::rest::Components;
use crate::revision::{Component, Origin};
use crate::workshop::Workshops;
use crate::{http, life, sessions};

/// Prepares bundles whose entrypoint is a component.
#[derive(Clone)]
pub struct Isolates {
    slots: Slots,
    workshops: Workshops,
    cache: CompileCache,
    services: Services,
    components: Components,
}

impl Isolates {
    /// Isolates in these slots, compiled through this cache, for guests of these services.
    ///
    /// # Errors
    /// When the engine takes none of what the host offers to guests; that is a defect of the host.
    pub fn new(
        slots: Slots,
        cache: CompileCache,
        services: Services,
    ) -> Result<Self, IsolateError> {
        Ok(Isolates {
            workshops: Workshops::new(&slots)?,
            slots,
            cache,
            services,
            components: Components::default(),
        })
    }

    /// Lets go of components that nobody used for a while until the shutdown: every few seconds, and whenever a look at
    /// memory found it short. What isolates left in their slots is given back to the system then, too.
    pub fn keep_rested(
        &self,
        pressure: watch::Receiver<Pressure>,
        tasks: &Tasks,
        shutdown: Shutdown,
    ) {
        let components = self.components.clone();
        let rests = components.keep_rested(self.slots.clone(), pressure, shutdown);
        tasks.spawn("resting components", rests);
    }

    /// Compiles and links a bundle's component, and refuses it with the reason when it cannot run here. Blocks.
    fn component(
        &self,
        bundle: &Bundle,
        path: PathBuf,
        watch: &dyn Watch,
    ) -> Result<Component, IsolateError> {
        let (asked, allowed) = (bundle.manifest.memory, self.slots.memory_bytes_max());
        if asked > allowed {
            return Err(IsolateError::Memory { asked, allowed });
        }
        let wasm = std::fs::read(&path).map_err(IsolateError::Read)?;
        let thrift = Thrift::of(&bundle.manifest);
        let workshop = self.workshops.of(thrift)?;
        let origin = Origin {
            workshop: workshop.with_keys_in(bundle.manifest.database.keys),
            cache: self.cache.clone(),
            path,
            thrift,
        };
        let begun = Instant::now();
        let compiled = origin.compile(&wasm)?;
        watch.reached(Milestone::Compiled {
            took: begun.elapsed(),
        });
        let linked = link(&origin.workshop.offer, &compiled)?;
        watch.reached(Milestone::Checked {
            serves: serves(&linked),
        });
        let kept = origin.kept(&wasm);
        Ok(Component::new(origin, kept, linked))
    }
}

#[async_trait::async_trait]
impl Prepare for Isolates {
    async fn prepare(&self, bundle: Arc<Bundle>) -> Result<Arc<dyn Spawn>, SpawnError> {
        self.prepare_watched(bundle, Arc::new(Nobody)).await
    }

    async fn prepare_watched(
        &self,
        bundle: Arc<Bundle>,
        watch: Arc<dyn Watch>,
    ) -> Result<Arc<dyn Spawn>, SpawnError> {
        let Entry::Component { path } = &bundle.entry else {
            return Err(SpawnError::new("the entrypoint is not a wasm component"));
        };
        let (isolates, path, linked_bundle) = (self.clone(), path.clone(), Arc::clone(&bundle));
        let watches = Arc::clone(&watch);
        let component = tokio::task::spawn_blocking(move || {
            isolates.component(&linked_bundle, path, watches.as_ref())
        });
        let component = component
            .await
            .map_err(|stopped| SpawnError::new(format!("compiling stopped: {stopped}")))?
            .map_err(|error| SpawnError::new(error.to_string()))?;
        let guest = Guest::new(bundle, &self.services);
        // Before any traffic, and after the component proved to be one.
        let ran = guest.migrate().await.map_err(SpawnError::new)?;
        watch.reached(Milestone::Migrated { ran });
        let component = Arc::new(component);
        self.components.add(&component);
        Ok(Arc::new(IsolateSpawn {
            slots: self.slots.clone(),
            component,
            guest,
            cpu: Arc::default(),
        }))
    }
}

/// Watches nothing.
struct Nobody;

impl Watch for Nobody {
    fn reached(&self, _: Milestone) {}
}

/// By what a component can be called.
fn serves(linked: &Linked) -> Vec<&'static str> {
    let exports = [
        ("http", linked.http.is_some()),
        ("sessions", linked.sessions.is_some()),
        ("life", linked.life.is_some()),
    ];
    let there = exports.into_iter().filter(|(_, is_there)| *is_there);
    there.map(|(name, _)| name).collect()
}

/// Starts isolates of one revision.
struct IsolateSpawn {
    slots: Slots,
    component: Arc<Component>,
    guest: Arc<Guest>,
    cpu: Arc<CpuTime>,
}

#[async_trait::async_trait]
impl Spawn for IsolateSpawn {
    async fn spawn(&self) -> Result<Box<dyn Worker>, SpawnError> {
        let linked = self.component.linked().await?;
        let isolate = instantiate(&self.slots, &linked, &self.guest, &self.cpu).await?;
        Ok(Box::new(IsolateWorker {
            isolate,
            _linked: linked,
        }))
    }

    fn serves_sessions(&self) -> bool {
        self.component.serves_sessions()
    }

    fn hears_notices(&self) -> bool {
        self.component.hears_notices()
    }

    fn cpu_time(&self) -> Option<Duration> {
        Some(self.cpu.total())
    }
}

struct IsolateWorker {
    isolate: Isolate,
    // Says that the component is in use.
    _linked: Arc<Linked>,
}

#[async_trait::async_trait]
impl Worker for IsolateWorker {
    async fn request(&mut self, invocation: Invocation) -> Verdict {
        http::request(&mut self.isolate, invocation).await
    }

    async fn events(&mut self, events: &[Event], deadline: Deadline) -> EventsOutcome {
        sessions::events(&mut self.isolate, events, deadline).await
    }

    async fn tell(&mut self, notice: Notice, deadline: Deadline) {
        life::tell(&mut self.isolate, notice, deadline).await;
    }

    fn memory_bytes(&self) -> Option<u64> {
        Some(self.isolate.store.data().limits.memory_bytes())
    }

    fn is_alive(&self) -> bool {
        self.isolate.sound
    }
}
