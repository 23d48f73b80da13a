//! The front door of the simulation: where new sessions wait for a worker, and where those that are there move to.
//!
//! It does what the gateway does about batches and moves, with the same parts and without its sockets.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rookery_bundle::Namespace;
use rookery_contract::{BATCH_EVENTS_MAX, Event as Told, EventKind, Opened, SessionId};
use rookery_hub::{
    Attach, Attached, EventsDone, Hub, ReadyQueue, Session, SessionLimits, Toll, close,
};
use rookery_lifecycle::Tasks;
use rookery_pool::{Effect, EventsOutcome, Fault, Pool, Verdict};
use rookery_routing::{Fallback, Selector};
use rookery_supervisor::Supervisor;
use tokio::time::sleep;

use super::event::{Event, Item, Redelivered, What};
use super::guest::Stage;
use super::plan::Fall;

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
    /// Where sessions go back to that the build died of: to itself, by another door.
    back: Arc<ReadyQueue>,
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
        let (ready, back) = (ReadyQueue::new(), ReadyQueue::new());
        let place = Place { pool, ready, back };
        for (here, there) in [(&place.ready, &place.back), (&place.back, &place.ready)] {
            for _ in 0..DELIVERERS {
                let (pool, here, there) = (&place.pool, Arc::clone(here), Arc::clone(there));
                let delivers = Arc::clone(self).deliver(Arc::clone(pool), here, there);
                self.tasks.spawn("deliver", delivers);
            }
        }
        *self.place.lock() = Some(place.clone());
        for session in self.sessions.lock().iter() {
            session.move_to(&place.ready, "before");
            self.stage.trace.add(Event::Moved(session.id().0));
        }
        if let Some(before) = before {
            self.tasks.spawn("retire", retire(before));
        }
    }

    async fn deliver(
        self: Arc<Self>,
        pool: Arc<Pool>,
        ready: Arc<ReadyQueue>,
        there: Arc<ReadyQueue>,
    ) {
        // Without chance, which would not come from the seed.
        let mut pause = PAUSE;
        let _stake = pool.stake();
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
            let culprit = match done {
                EventsDone::Traceless(index) => Some(batch.events()[index].session),
                _ => None,
            };
            if let Some(culprit) = culprit
                && let Fall::GoesBack = self.stage.fall()
            {
                self.go_back(culprit, &pool, &there);
            }
            let toll = ready.finish(batch, done);
            if let (Some(culprit), Toll::None) = (culprit, toll) {
                self.stage.trace.add(Event::Spared(culprit.0));
            }
            if done == EventsDone::NotGiven {
                sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }

    /// Unless it was moved on meanwhile, with all the others.
    fn go_back(&self, session: SessionId, from: &Arc<Pool>, there: &Arc<ReadyQueue>) {
        let place = self.place.lock();
        if !(place.as_ref()).is_some_and(|place| Arc::ptr_eq(&place.pool, from)) {
            return;
        }
        let sessions = self.sessions.lock();
        if let Some(session) = sessions.iter().find(|one| one.id() == session) {
            session.move_to(there, "the other");
            self.stage.trace.add(Event::Moved(session.id().0));
        }
    }

    /// The evening: whoever waits is told, then nobody is served any more.
    pub async fn close(&self) {
        let place = self.place.lock().take();
        if let Some(place) = place {
            for session in self.sessions.lock().iter() {
                session.close(close::GOING_AWAY);
            }
            retire(place).await;
        }
    }
}

/// Who ended before the others moved is told by those who knew it.
async fn retire(place: Place) {
    let Place { ready, back, .. } = place;
    // Who is in a batch of the one may still go to the other.
    while !(ready.is_done() && back.is_done()) {
        sleep(Duration::from_millis(20)).await;
    }
    ready.close();
    back.close();
}

fn done(outcome: &EventsOutcome) -> EventsDone {
    match (&outcome.verdict, outcome.began) {
        (Verdict::Reusable | Verdict::Spent, _) => EventsDone::All,
        (Verdict::Fault(Fault::Cancelled), None) => EventsDone::NotGiven,
        (Verdict::Fault(_), Some(index)) if outcome.effect == Effect::None => {
            EventsDone::Traceless(index)
        }
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
