//! All realms, and the one task that the hub runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rookery_bundle::Namespace;
use rookery_contract::SessionId;
use rookery_lifecycle::{Shutdown, Tasks};

use crate::config::HubConfig;
use crate::publisher::Publisher;
use crate::realm::{Realm, Shared};

/// How often topics are asked for what they kept too long.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// Sessions, topics and fan-out of all namespaces.
pub struct Hub {
    shared: Arc<Shared>,
    realms: Mutex<HashMap<Namespace, Arc<Realm>>>,
}

impl Hub {
    /// Starts a hub with its task, which ends when shutdown is requested: from then on no timer runs out. Must be called
    /// in a runtime.
    pub fn new(config: HubConfig, tasks: &Tasks, shutdown: Shutdown) -> Arc<Hub> {
        let hub = Arc::new(Hub {
            shared: Arc::new(Shared::new(config)),
            realms: Mutex::default(),
        });
        tasks.spawn("hub-clock", Arc::clone(&hub).clock(shutdown));
        hub
    }

    /// The hands of a guest of this namespace, for one invocation.
    pub fn publisher(&self, namespace: &Namespace) -> Publisher {
        Publisher::new(self.realm(namespace))
    }

    /// How many sessions a namespace has.
    pub fn session_count(&self, namespace: &Namespace) -> usize {
        self.realms
            .lock()
            .get(namespace)
            .cloned()
            .map_or(0, |realm| realm.session_count())
    }

    pub(crate) fn realm(&self, namespace: &Namespace) -> Arc<Realm> {
        let mut realms = self.realms.lock();
        if let Some(realm) = realms.get(namespace) {
            return Arc::clone(realm);
        }
        let realm = Realm::new(namespace.clone(), Arc::clone(&self.shared));
        realms.insert(namespace.clone(), Arc::clone(&realm));
        realm
    }

    pub(crate) fn realms(&self) -> Vec<Arc<Realm>> {
        self.realms.lock().values().cloned().collect()
    }

    pub(crate) fn next_session_id(&self) -> SessionId {
        self.shared.next_session_id()
    }

    pub(crate) fn timer_count(&self) -> usize {
        self.shared.timers.len()
    }

    async fn clock(self: Arc<Self>, shutdown: Shutdown) {
        let sweeps = async {
            loop {
                tokio::time::sleep(SWEEP_EVERY).await;
                for realm in self.realms() {
                    realm.sweep().await;
                }
            }
        };
        tokio::select! {
            () = shutdown.requested() => {}
            () = self.shared.timers.run() => {}
            () = self.shared.beats.run() => {}
            () = self.shared.paces.run() => {}
            () = sweeps => {}
        }
        self.shared.paces.stop();
    }
}
