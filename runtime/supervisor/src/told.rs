//! A supervisor that is told what is on disk instead of looking, for simulations: no thread and no file is in it, so
//! that it does the same whenever it is told the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use rookery_bundle::Bundle;
use rookery_lifecycle::{Shutdown, Tasks};
use tokio::sync::mpsc;

use crate::apply::{Kinds, MakePool};
use crate::catalog::{Found, Look};
use crate::config::SupervisorConfig;
use crate::handle::{Shared, Supervisor};
use crate::plan::Key;

/// All bundles that are on disk at one moment, each with a serial that grows when somebody touches its files.
pub type Disk = Vec<(Arc<Bundle>, u64)>;

/// How many tellings may be on their way.
const TELLINGS_MAX: usize = 8;

/// Starts a supervisor, and what it is told by.
pub fn supervisor(
    config: SupervisorConfig,
    kinds: Kinds,
    make_pool: MakePool,
    tasks: &Tasks,
    shutdown: &Shutdown,
) -> (Arc<Supervisor>, mpsc::Sender<Disk>) {
    let (tell, mut told) = mpsc::channel::<Disk>(TELLINGS_MAX);
    let (sender, looks) = mpsc::channel(1);
    let until = shutdown.clone();
    tasks.spawn("told what is on disk", async move {
        loop {
            let disk = tokio::select! {
                biased;
                () = until.requested() => return,
                disk = told.recv() => disk,
            };
            let Some(disk) = disk else { return };
            if sender.send(look(disk)).await.is_err() {
                return;
            }
        }
    });
    let shared = Arc::new(Shared::new());
    let supervisor =
        Supervisor::following(looks, shared, config, kinds, make_pool, tasks, shutdown);
    (supervisor, tell)
}

fn look(disk: Disk) -> Look {
    let found = disk.into_iter().map(|(bundle, opened)| {
        let folder = bundle.label().into();
        let found = Found {
            folder,
            opened,
            bundle,
        };
        (Key::of(&found.bundle), found)
    });
    let found: BTreeMap<Key, Found> = found.collect();
    Look {
        found,
        ..Look::default()
    }
}
