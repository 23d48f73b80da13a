//! The task that looks at the disk: when something moved, while something is unsettled, and every now and then.
//!
//! **Invariant:** the disk is only touched on tokio's blocking threads.
//! **Invariant:** a look waits for the one before it to be taken, so there is one on its way at most.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rookery_lifecycle::{Shutdown, Tasks};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use super::slot::SETTLE_STEP;
use super::watch::{Coverage, Watch};
use super::{Catalog, Look};
use crate::config::{SupervisorConfig, Watching};

/// How long after the first event the disk is looked at: a copy makes many.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// The shortest time from a look that found nothing to the next: a guest that writes into its own folder makes events
/// all day.
const QUIET: Duration = Duration::from_millis(250);

struct Looker {
    eyes: Arc<Mutex<Eyes>>,
    wake: Arc<Notify>,
    rescan: Duration,
    poll: Duration,
}

/// What goes to the blocking thread and back. Behind a lock, so that a panic there does not lose what is known.
struct Eyes {
    catalog: Catalog,
    watch: Watch,
}

/// Looks until the shutdown. Whoever notifies `wake` has the next look brought forward.
pub fn spawn(
    config: &SupervisorConfig,
    wake: Arc<Notify>,
    tasks: &Tasks,
    shutdown: Shutdown,
) -> mpsc::Receiver<Look> {
    let (sender, receiver) = mpsc::channel(1);
    let watch = match config.watching {
        Watching::Events => Watch::new(Arc::clone(&wake)),
        Watching::Looks => Watch::off(),
    };
    let catalog = Catalog::new(&config.apps_dirs, &config.bundles, config.broken_manifest);
    let looker = Looker {
        eyes: Arc::new(Mutex::new(Eyes { catalog, watch })),
        wake,
        rescan: config.rescan,
        poll: config.poll,
    };
    tasks.spawn("catalog", async move {
        tokio::select! {
            () = shutdown.requested() => {}
            () = looker.run(sender) => {}
        }
    });
    receiver
}

impl Looker {
    async fn run(self, looks: mpsc::Sender<Look>) {
        let (mut soonest, mut latest) = (Instant::now(), Instant::now());
        let mut was_unsettled = false;
        loop {
            tokio::select! {
                () = sleep_until(latest) => {}
                () = self.wake.notified() => {
                    let soon = soonest.max(Instant::now() + DEBOUNCE);
                    sleep_until(soon.min(latest)).await;
                }
            }
            let now = Instant::now();
            let (pause, quiet) = match self.look(now).await {
                Some((look, pause)) => {
                    let is_unsettled = look.unsettled > 0;
                    // One that sees a folder come to rest found something, too: who copies the next bundle after it
                    // does not wait for that.
                    let found = is_unsettled || was_unsettled;
                    was_unsettled = is_unsettled;
                    if looks.send(look).await.is_err() {
                        return;
                    }
                    (pause, if found { Duration::ZERO } else { QUIET })
                }
                None => (self.poll, QUIET),
            };
            (soonest, latest) = (now + quiet, now + pause);
        }
    }

    /// One look, and how long to wait for the next one. None when it panicked.
    async fn look(&self, now: Instant) -> Option<(Look, Duration)> {
        let eyes = Arc::clone(&self.eyes);
        let looked = tokio::task::spawn_blocking(move || {
            let mut eyes = eyes.lock();
            let look = eyes.catalog.look(now.into_std());
            let coverage = eyes.watch.align(&look.listed);
            (look, coverage)
        });
        match looked.await {
            Ok((look, coverage)) => {
                let pause = self.pause(&look, coverage);
                Some((look, pause))
            }
            Err(error) => {
                tracing::error!(%error, "a look at the apps directory failed");
                None
            }
        }
    }

    fn pause(&self, look: &Look, coverage: Coverage) -> Duration {
        match coverage {
            _ if look.unsettled > 0 => SETTLE_STEP,
            // A directory that is not there cannot be watched.
            _ if look.unlisted_roots > 0 => self.poll,
            // What moved between the listing and the watching was told to nobody.
            Coverage::EventsFromNow => SETTLE_STEP,
            Coverage::Looks => self.poll,
            Coverage::Events => self.rescan,
        }
    }
}
