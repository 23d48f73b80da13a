//! The loop: something happened, so what runs is brought closer to what is on disk.
//!
//! **Invariant:** one task decides, so no two decisions are made from the same picture.
//! **Absent on purpose:** stopping what runs. At the shutdown the gateway still finishes requests, and the table and the
//! pools stay as they are for it.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::apply::Work;
use crate::catalog::Look;
use crate::event::Event;
use crate::revision::State;
use crate::rolling::Command;

/// How long the start waits for folders to come to rest: a copy that goes on and on does not hold up the others.
const SETTLE_MAX: Duration = Duration::from_secs(1);

/// How often they are looked at before that: one that lies there at rest is known for it at the third look, or at the
/// fifth when its manifest names what lies deeper, and on a busy machine that may take longer. A server that was ready by
/// then would not have what was there all along.
const SETTLE_LOOKS: u32 = 8;

/// Works until the shutdown.
pub(crate) async fn run(
    mut work: Work,
    mut looks: mpsc::Receiver<Look>,
    mut commands: mpsc::Receiver<Command>,
) {
    let shutdown = work.shutdown.clone();
    let begun = Instant::now();
    let (mut is_settled, mut looked) = (false, 0_u32);
    loop {
        let next_retry = work.shared.roster.lock().next_due();
        let next_judgement = work.ledger.next_due();
        tokio::select! {
            // In this order, so that the same events lead to the same steps.
            biased;
            () = shutdown.requested() => return,
            // First: a canary that is bad is not to wait for a thousand bundles.
            () = wait_until(next_judgement) => work.judge(),
            Some(command) = commands.recv() => work.obey(command),
            Some(look) = looks.recv() => {
                looked = looked.saturating_add(1);
                is_settled |= look.unsettled == 0 || has_waited(looked, begun.elapsed());
                work.take_look(look);
            }
            Some(ended) = work.under_way.next() => {
                work.take_end(ended);
                // A thousand cached components are ready within milliseconds: one new table does for many.
                while let Some(Some(ended)) = work.under_way.next().now_or_never() {
                    work.take_end(ended);
                }
            }
            () = wait_until(next_retry) => work.retry_due(),
        }
        work.reconcile();
        work.show_rollouts();
        if is_settled {
            become_ready(&work);
        }
    }
}

async fn wait_until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// Whether the start waits no more for what is unsettled still.
fn has_waited(looked: u32, passed: Duration) -> bool {
    looked >= SETTLE_LOOKS && passed >= SETTLE_MAX
}

/// Once everything that was found at the start is live or refused; then for good.
fn become_ready(work: &Work) {
    let shared = &work.shared;
    let roster = shared.roster.lock();
    if *shared.ready.borrow() || roster.is_busy() {
        return;
    }
    let live = roster.live().count();
    let is_refused = |state: &State| matches!(state, State::Refused(_));
    let refused = roster.records().filter(|record| is_refused(&record.state));
    let refused = refused.count() + shared.broken();
    drop(roster);
    tracing::info!(live, refused, "the bundles that were found are deployed");
    shared.ready.send_replace(true);
    shared.send(Event::Ready { live, refused });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_waits_for_looks_and_for_a_second() {
        let check = |looked, passed_ms, expected| {
            let passed = Duration::from_millis(passed_ms);
            assert_eq!(has_waited(looked, passed), expected, "{looked} {passed:?}");
        };
        check(1, 0, false);
        check(1, 5_000, false);
        check(7, 60_000, false);
        check(8, 999, false);
        check(8, 1_000, true);
        check(20, 1_000, true);
    }
}
