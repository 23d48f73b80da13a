//! What the processes of all revisions share, and how a bundle gets its own.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_bundle::{Bundle, Entry, Isolation};
use rookery_host::{Guest, Services};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{Budget, Prepare, Spares, Spawn, SpawnError};
use rookery_upstream::Upstreams;
use tokio::sync::Semaphore;

use crate::config::ProcessConfig;
use crate::error::StartError;
use crate::folders::{Folder, Folders};
use crate::guard;
use crate::revision::{ProcessSpawn, Revision};
use crate::runtimes::{Runtime, Runtimes};
use crate::start::Recipe;

/// How often revisions are looked at whose spare may rest, or is missing.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What all of them share.
pub(crate) struct House {
    pub config: ProcessConfig,
    /// Made for the first that needs it: a server without processes writes nothing.
    folders: Mutex<Option<Arc<Folders>>>,
    pub runtimes: Runtimes,
    pub upstreams: Arc<Upstreams>,
    pub tasks: Tasks,
    pub shutdown: Shutdown,
    /// One permit for each spare process.
    pub spares: Arc<Semaphore>,
    /// Where each of them has a place.
    pub budget: Arc<Budget>,
    // Held to look through them, never across an await.
    revisions: Mutex<Vec<Weak<Revision>>>,
}

impl House {
    /// A folder for a worker.
    pub fn folder(&self) -> Result<Folder, StartError> {
        self.folders()?.folder()
    }

    fn folders(&self) -> Result<Arc<Folders>, StartError> {
        let mut folders = self.folders.lock();
        if let Some(made) = &*folders {
            return Ok(Arc::clone(made));
        }
        let made = Folders::new(&self.config.folder)?;
        Ok(Arc::clone(folders.insert(made)))
    }

    /// What runs a bundle's script. May start a program and wait for it.
    pub fn runtime_for(&self, bundle: &Bundle) -> Result<Runtime, StartError> {
        self.runtimes
            .find(bundle.manifest.runtime, &self.config.path)
    }

    fn revisions(&self) -> Vec<Arc<Revision>> {
        let mut revisions = self.revisions.lock();
        revisions.retain(|revision| revision.strong_count() > 0);
        revisions.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Spares for House {
    fn count(&self) -> usize {
        let free = self.spares.available_permits();
        self.config.spares_max.saturating_sub(free)
    }

    fn give_up(&self) -> bool {
        let has_some = self.count() > 0;
        has_some && self.revisions().iter().any(|one| one.give_up_spare())
    }
}

/// Prepares bundles whose entry is a script or a command.
#[derive(Clone)]
pub struct Processes {
    house: Arc<House>,
    services: Services,
}

impl Processes {
    /// Processes for guests of these services, reached over these connections; spare ones live within this budget. They
    /// end with the shutdown, when nobody uses them any more.
    pub fn new(
        config: ProcessConfig,
        services: Services,
        upstreams: Arc<Upstreams>,
        budget: &Arc<Budget>,
        tasks: &Tasks,
        shutdown: &Shutdown,
    ) -> Processes {
        let house = Arc::new(House {
            folders: Mutex::default(),
            runtimes: Runtimes::default(),
            upstreams,
            tasks: tasks.clone(),
            shutdown: shutdown.clone(),
            spares: Arc::new(Semaphore::new(config.spares_max)),
            budget: Arc::clone(budget),
            revisions: Mutex::default(),
            config,
        });
        let spares: Weak<House> = Arc::downgrade(&house);
        budget.evicts_first(spares);
        tasks.spawn(
            "spare processes",
            look_after_spares(Arc::downgrade(&house), shutdown.clone()),
        );
        Processes { house, services }
    }

    /// What can be known before a process is needed: without a place to be there is none, and walls are a promise, so a
    /// bundle that asks for them in vain is refused. A runtime may still be installed.
    fn check(recipe: &Recipe) -> Result<(), StartError> {
        recipe.house.folders()?;
        let bundle = recipe.guest.bundle();
        if bundle.manifest.isolation == Isolation::Strict {
            guard::can(&recipe.house.config.guard, &recipe.confinement(None, None))?;
        }
        if matches!(bundle.entry, Entry::Script { .. })
            && let Err(reason) = recipe.house.runtime_for(bundle)
        {
            tracing::warn!(app = bundle.label(), %reason, "its processes will not start");
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl Prepare for Processes {
    async fn prepare(&self, bundle: Arc<Bundle>) -> Result<Arc<dyn Spawn>, SpawnError> {
        if !matches!(bundle.entry, Entry::Script { .. } | Entry::Command { .. }) {
            return Err(SpawnError::new(
                "the entry is neither a script nor a command",
            ));
        }
        let recipe = Arc::new(Recipe {
            house: Arc::clone(&self.house),
            guest: Guest::new(bundle, &self.services),
            used: Arc::default(),
            computed: Arc::default(),
        });
        let checked = Arc::clone(&recipe);
        tokio::task::spawn_blocking(move || Processes::check(&checked))
            .await
            .map_err(|stopped| SpawnError::new(format!("preparing stopped: {stopped}")))??;
        let revision = Revision::new(recipe);
        self.house.revisions.lock().push(Arc::downgrade(&revision));
        Ok(Arc::new(ProcessSpawn(revision)))
    }
}

async fn look_after_spares(house: Weak<House>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.requested() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let Some(house) = house.upgrade() else { return };
        house
            .revisions()
            .iter()
            .for_each(Revision::look_after_spare);
    }
}
