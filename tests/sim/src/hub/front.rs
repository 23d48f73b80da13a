//! The front door of the simulation: where new sessions wait for a worker, and where those that are there move to.
//!
//! It does what the gateway does about batches and moves, with the same parts and without its sockets.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rookery_bundle::Namespace;
use rookery_contract::{BATCH_EVENTS_MAX, Event as Told, EventKind, Opened};
use rookery_hub::{Attach, Attached, EventsDone, Hub, ReadyQueue, Session, SessionLimits, close};
use rookery_lifecycle::Tasks;
use rookery_pool::{EventsOutcome, Fault, Pool, Verdict};
use rookery_routing::{Fallback, Selector};
use rookery_supervisor::Supervisor;
use tokio::time::sleep;

use super::event::{Event, Item, Redelivered, What};
use super::guest::Stage;

/// As many batches of one build are on their way at once.
const DELIVERERS: usize = 2;
/// After a batch for which no worker was to be had.
const PAUSE: Duration = Duration::from_millis(20);
/// At most.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// The door.
pub struct Front {
    stage: Arc<Stage>,
    hub: Arc<Hub>,
    tasks: Tasks,
    place: Mutex<Option<Place>>,
    /// Those who are there.
    sessions: Mutex<Vec<Arc<Session>>>,
}

/// The build that serves.
#[derive(Clone)]
struct Place {
    pool: Arc<Pool>,
    ready: Arc<ReadyQueue>,
}

impl Front {
    pub fn new(stage: &Arc<Stage>, hub: &Arc<Hub>, tasks: &Tasks) -> Arc<Front> {
        Arc::new(Front {
            stage: Arc::clone(stage),
            hub: Arc::clone(hub),
            tasks: tasks.clone(),
            place: Mutex::default(),
            sessions: Mutex::default(),
        })
    }

    /// The namespace of the app.
    pub fn namespace() -> Namespace {
        Namespace::parse("a@1").expect("it is one")
    }

    /// A session for a client.
    pub fn attach(&self, outbox_bytes: usize) -> Attached {
        let place = self.place.lock().clone().expect("a build serves all day");
        let attached = self.hub.attach(Attach {
            namespace: Front::namespace(),
            ready: Arc::clone(&place.ready),
            opened: Opened::default(),
            limits: SessionLimits {
                outbox_bytes,
                ..SessionLimits::default()
            },
        });
        self.sessions.lock().push(Arc::clone(attached.session()));
        attached
    }

    /// The client is gone.
    pub fn leave(&self, session: &Arc<Session>) {
        self.sessions
            .lock()
            .retain(|one| !Arc::ptr_eq(one, session));
    }

    /// Follows the supervisor: every session is at the build that serves.
    pub async fn follow(self: Arc<Self>, supervisor: Arc<Supervisor>) {
        let mut changed = supervisor.changed();
        loop {
            let table = supervisor.table();
            let found = table.resolve("a", &Selector::None, Fallback::Highest);
            let pool = found.and_then(|found| found.value.pool.clone());
            drop(table);
            if let Some(pool) = pool {
                self.serve_from(pool);
            }
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    fn serve_from(self: &Arc<Self>, pool: Arc<Pool>) {
        let before = self.place.lock().clone();
        if before
            .as_ref()
            .is_some_and(|before| Arc::ptr_eq(&before.pool, &pool))
        {
            return;
        }
        let ready = ReadyQueue::new();
        let place = Place { pool, ready };
        for _ in 0..DELIVERERS {
            self.tasks
                .spawn("deliver", Arc::clone(self).deliver(place.clone()));
        }
        *self.place.lock() = Some(place.clone());
        for session in self.sessions.lock().iter() {
            session.move_to(&place.ready, "before");
            self.stage.trace.add(Event::Moved(session.id().0));
        }
        if let Some(before) = before {
            self.tasks.spawn("retire", retire(before.ready));
        }
    }

    async fn deliver(self: Arc<Self>, place: Place) {
        // Without chance, which would not come from the seed.
        let mut pause = PAUSE;
        let _stake = place.pool.stake();
        let Place { pool, ready } = &place;
        while let Some(batch) = ready.take(BATCH_EVENTS_MAX).await {
            let done = match pool.events(batch.events(), None).await {
                Ok(outcome) => {
                    pause = PAUSE;
                    done(&outcome)
                }
                Err(_) => {
                    let items = batch.events().iter().map(item).collect();
                    self.stage.trace.add(Event::NotGiven(items));
                    EventsDone::NotGiven
                }
            };
            ready.finish(batch, done);
            if done == EventsDone::NotGiven {
                sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }

    /// The evening: whoever waits is told, then nobody is served any more.
    pub async fn close(&self) {
        let place = self.place.lock().take();
        if let Some(place) = place {
            for session in self.sessions.lock().iter() {
                session.close(close::GOING_AWAY);
            }
            retire(place.ready).await;
        }
    }
}

/// Who ended before the others moved is told by those who knew it.
async fn retire(ready: Arc<ReadyQueue>) {
    while !ready.is_done() {
        sleep(Duration::from_millis(20)).await;
    }
    ready.close();
}

fn done(outcome: &EventsOutcome) -> EventsDone {
    match (&outcome.verdict, outcome.began) {
        (Verdict::Reusable | Verdict::Spent, _) => EventsDone::All,
        (Verdict::Fault(Fault::Cancelled), None) => EventsDone::NotGiven,
        (Verdict::Fault(_), Some(index)) => EventsDone::Culprit(index),
        (Verdict::Fault(_), None) => EventsDone::NoneBegan,
    }
}

/// An event as the trace has it.
pub fn item(told: &Told) -> Item {
    let mut redelivered = Redelivered::No;
    let number = |text: &str| {
        let number = text
            .split(' ')
            .next()
            .and_then(|number| number.parse().ok());
        number.expect("clients say numbers")
    };
    let what = match &told.kind {
        EventKind::Opened(_) => What::Opened,
        EventKind::Message {
            payload,
            redelivered: again,
        } => {
            if *again {
                redelivered = Redelivered::Yes;
            }
            What::Message(number(&String::from_utf8_lossy(payload.as_bytes())))
        }
        EventKind::Timer { name } => What::Timer(number(name)),
        EventKind::Resumed { .. } => What::Resumed,
        EventKind::Closed { code, .. } => What::Closed(*code),
    };
    Item {
        session: told.session.0,
        what,
        redelivered,
    }
}
