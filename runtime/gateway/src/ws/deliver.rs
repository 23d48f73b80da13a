//! Events from the inboxes to the guest: all sessions that are ready, in one batch.
//!
//! **Invariant:** a batch ends in the hub whatever happens to its worker; an event is never lost between the two.

use std::sync::Arc;
use std::time::Duration;

use rookery_contract::{BATCH_EVENTS_MAX, Event, EventKind};
use rookery_hub::{Batch, EventsDone, ReadyQueue, Toll};
use rookery_lifecycle::{Backoff, Tasks};
use rookery_pool::{Effect, EventsOutcome, Fault, Pool, Verdict};

use crate::site::Site;
use crate::trial;

/// How many batches may be out at once, where the cores and the manifest do not say else. Guests that wait for the database
/// wait together: what several write at once costs it little more than what one does.
const DELIVERERS: usize = 8;

/// Starts the deliverers: while one waits for its worker, or its guest for something, the others go on.
pub(crate) fn start(tasks: &Tasks, site: &Arc<Site>, ready: &Arc<ReadyQueue>, pool: &Arc<Pool>) {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let workers_max = pool.policy().workers_max.unwrap_or(usize::MAX);
    for _ in 0..DELIVERERS.max(cores).min(workers_max.max(1)) {
        let run = run(Arc::clone(site), Arc::clone(ready), Arc::clone(pool));
        tasks.spawn("deliver", run);
    }
}

/// Delivers until the queue is closed.
async fn run(site: Arc<Site>, ready: Arc<ReadyQueue>, pool: Arc<Pool>) {
    let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(5));
    let _stake = pool.stake();
    while let Some(batch) = ready.take(BATCH_EVENTS_MAX).await {
        match pool.events(batch.events(), batch.woken()).await {
            Ok(outcome) => {
                backoff.reset();
                let done = done(&site, &pool, &batch, &outcome);
                let given = given(&batch, &outcome);
                let toll = ready.finish(batch, done);
                count(&site, given, done, toll);
            }
            Err(error) => {
                // Not the events' fault: they wait, and so do we, rather than ask again at once.
                tracing::warn!(app = pool.label(), reason = %error, "session events wait for a worker");
                trial::judge_start(&site, &batch, &error);
                ready.finish(batch, EventsDone::NotGiven);
                tokio::time::sleep(backoff.next_delay()).await;
            }
        }
    }
}

/// How many events the guest began with.
fn given(batch: &Batch, outcome: &EventsOutcome) -> usize {
    match (&outcome.verdict, outcome.began) {
        (Verdict::Fault(_), Some(index)) => index + 1,
        (Verdict::Fault(_), None) => 0,
        _ => batch.events().len(),
    }
}

/// Counts for who judges the revision.
fn count(site: &Site, given: usize, done: EventsDone, toll: Toll) {
    let tally = &site.revision.tally;
    tally.given(given as u64);
    if !matches!(done, EventsDone::All | EventsDone::NotGiven) {
        tally.failed();
    }
    if toll == Toll::Closed {
        tally.closed();
    }
}

fn done(site: &Site, pool: &Pool, batch: &Batch, outcome: &EventsOutcome) -> EventsDone {
    let Verdict::Fault(fault) = &outcome.verdict else {
        return EventsDone::All;
    };
    let culprit = outcome.began.and_then(|index| batch.events().get(index));
    tracing::warn!(
        app = pool.label(),
        session = culprit.map(|event| event.session.0),
        %fault,
        "the app failed on a session's event"
    );
    // Before the batch is finished: what comes back of it follows its session.
    let is_gone = trial::judge(site, batch, outcome);
    let of_the_move = |event: &Event| matches!(event.kind, EventKind::Resumed { .. });
    match (fault, outcome.began) {
        (Fault::Cancelled, None) => EventsDone::NotGiven,
        (_, Some(index)) if is_gone && culprit.is_some_and(of_the_move) => {
            EventsDone::Excused(index)
        }
        // What comes of it depends on where the session is by now, which the hub knows.
        (_, Some(index)) if outcome.effect == Effect::None => EventsDone::Traceless(index),
        (_, Some(index)) => EventsDone::Culprit(index),
        (_, None) => EventsDone::NoneBegan,
    }
}
