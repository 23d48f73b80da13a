//! All upstreams of the server.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Request, Response};
use parking_lot::RwLock;
use rookery_lifecycle::{Shutdown, Tasks};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::body::Body;
use crate::config::{Timeouts, UpstreamConfig};
use crate::error::{Unanswered, UpstreamError};
use crate::origin::Origin;
use crate::send::Elsewhere;
use crate::target::Target;
use crate::tls::Tls;
use crate::tunnel::Dialled;

/// Connections to upstreams, by target. One for the whole server.
pub struct Upstreams {
    config: UpstreamConfig,
    origins: RwLock<HashMap<Target, Arc<Origin>>>,
    tls: Tls,
    tasks: Tasks,
    tunnels: Arc<Semaphore>,
    /// Nothing rests any more.
    closed: AtomicBool,
}

/// Connections to one target, found once, for somebody who asks it again and again. What rests of them goes with this.
pub struct Upstream {
    all: Arc<Upstreams>,
    origin: Arc<Origin>,
}

impl Upstream {
    /// [`Upstreams::send`].
    pub fn send(
        &self,
        request: Request<Body>,
        timeouts: Timeouts,
    ) -> impl Future<Output = Result<Response<Body>, Unanswered>> + Send + use<'_> {
        let origin = Arc::clone(&self.origin);
        (self.all).send_to(origin, request, timeouts, Elsewhere::Perhaps)
    }

    /// [`Upstreams::tunnel`].
    pub fn tunnel(
        &self,
        request: Request<()>,
        timeouts: Timeouts,
    ) -> impl Future<Output = Result<Dialled, UpstreamError>> + Send + use<'_> {
        self.all.tunnel(self.origin.target(), request, timeouts)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let target = self.origin.target();
        let mut origins = self.all.origins.write();
        // Somebody else may have the target by now.
        let found = origins.get(target);
        if found.is_some_and(|found| Arc::ptr_eq(found, &self.origin)) {
            origins.remove(target);
        }
        drop(origins);
        self.origin.close();
    }
}

impl Upstreams {
    /// No connections yet. Those that rest too long are closed until the shutdown, and all of them with it; what is under
    /// way then goes on to its end.
    pub fn new(config: UpstreamConfig, tasks: &Tasks, shutdown: &Shutdown) -> Arc<Upstreams> {
        let upstreams = Arc::new(Upstreams {
            origins: RwLock::default(),
            tls: Tls::default(),
            tasks: tasks.clone(),
            tunnels: Arc::new(Semaphore::new(config.tunnels_max)),
            closed: AtomicBool::new(false),
            config,
        });
        tasks.spawn(
            "upstream sweep",
            Arc::clone(&upstreams).keep_swept(shutdown.clone()),
        );
        upstreams
    }

    /// Connections to a target for one who has them for himself, none yet. Whoever asks for the target has these, too.
    pub fn upstream(self: &Arc<Self>, target: &Target) -> Upstream {
        let origin = Arc::new(Origin::new(target.clone(), &self.config));
        let mut origins = self.origins.write();
        if self.closed.load(Ordering::Relaxed) {
            origin.close();
        } else {
            origins.insert(target.clone(), Arc::clone(&origin));
        }
        drop(origins);
        let all = Arc::clone(self);
        Upstream { all, origin }
    }

    /// Closes what rests of a target's connections, and forgets the target until somebody asks for it again.
    pub fn forget(&self, target: &Target) {
        let gone = self.origins.write().remove(target);
        if let Some(origin) = gone {
            origin.close();
        }
    }

    pub(crate) fn origin(&self, target: &Target) -> Arc<Origin> {
        if let Some(origin) = self.origins.read().get(target) {
            return Arc::clone(origin);
        }
        let mut origins = self.origins.write();
        let origin = origins
            .entry(target.clone())
            .or_insert_with(|| Arc::new(Origin::new(target.clone(), &self.config)));
        if self.closed.load(Ordering::Relaxed) {
            origin.close();
        }
        Arc::clone(origin)
    }

    pub(crate) fn tls(&self) -> &Tls {
        &self.tls
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    pub(crate) fn tunnels(&self) -> (&Arc<Semaphore>, usize) {
        (&self.tunnels, self.config.tunnels_max)
    }

    async fn keep_swept(self: Arc<Self>, shutdown: Shutdown) {
        let mut turns = tokio::time::interval(self.config.idle_timeout / 2);
        loop {
            tokio::select! {
                () = shutdown.requested() => break,
                _ = turns.tick() => self.sweep(),
            }
        }
        // Under the lock, so that an origin is either among these or made by somebody who sees the flag.
        let mut origins = self.origins.write();
        self.closed.store(true, Ordering::Relaxed);
        for (_, origin) in origins.drain() {
            origin.close();
        }
    }

    fn sweep(&self) {
        let now = Instant::now();
        // One that somebody is about to use is held by them as well, and finds its way back by `rest` for a last time.
        self.origins
            .write()
            .retain(|_, origin| origin.sweep(now) || Arc::strong_count(origin) > 1);
    }
}

#[cfg(test)]
mod tests;
