//! What a revision is tried on: the sessions that it takes over from one that was deployed before it.
//!
//! The trial begins with the first of them and lasts for a fixed time. When the guest dies of one of them meanwhile, all
//! that are on trial go back to where they came from, and none comes again.
//!
//! While a rollout tries the revision out it is on trial as well, however long that takes, for each session by itself: the
//! one whose event its guest dies of goes back alone, and does not come again before that is over. Sessions that were
//! opened here go back to where they would be without it. Whether the others stay is for the rollout to judge.
//!
//! **Invariant:** a trial ends once: passed for good, or failed for good. Another build is another revision, and has a
//! trial of its own.
//! **Absent on purpose:** requests; and, where no rollout tries it out, sessions that were opened here. They are served as
//! if there were no trial.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_contract::{EventKind, SessionId};
use rookery_hub::Batch;
use rookery_pool::{AcquireError, EventsOutcome, Fault, Verdict};
use rookery_telemetry::Counter;
use tokio::time::Instant;

use crate::site::Site;
use crate::ws::Berth;

/// How a revision does with the sessions of its predecessors.
#[derive(Default)]
pub(crate) struct Trial {
    state: Mutex<State>,
    /// Whether a rollout tries it out.
    judged: AtomicBool,
}

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    NotBegun,
    /// Passed, once this is over.
    Until(Instant),
    Failed,
}

/// What a session that comes from an earlier revision has to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// It may go back until then.
    OnTrial(Instant),
    /// It stays.
    Passed,
    /// It must not come.
    Failed,
}

/// Whether a rollout tries a revision out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Judged {
    Yes,
    No,
}

/// How many sessions changed their revision, ever.
#[derive(Debug, Default)]
pub struct Moves {
    /// To another one, because their paths led there.
    pub moved: Counter,
    /// Back, because the guest there died of one of them.
    pub went_back: Counter,
}

impl Trial {
    /// A session of another revision comes. The first one begins the trial.
    pub fn enter(&self, length: Duration) -> Standing {
        let mut state = self.state.lock();
        let now = Instant::now();
        if let State::NotBegun = *state {
            *state = State::Until(now + length);
        }
        match *state {
            State::Until(end) if now < end => Standing::OnTrial(end),
            State::Failed => Standing::Failed,
            State::Until(_) | State::NotBegun if self.is_judged() => {
                Standing::OnTrial(now + length)
            }
            State::Until(_) | State::NotBegun => Standing::Passed,
        }
    }

    /// Whether it failed.
    pub fn has_failed(&self) -> bool {
        matches!(*self.state.lock(), State::Failed)
    }

    /// A rollout tries it out from now on, or does so no more. To be said before sessions are moved to it because of that,
    /// and after they were moved away.
    pub fn set_judged(&self, judged: Judged) {
        self.judged.store(judged == Judged::Yes, Ordering::Release);
    }

    /// Whether a rollout tries it out.
    pub fn is_judged(&self) -> bool {
        self.judged.load(Ordering::Acquire)
    }

    /// The guest died of a session on trial. Whether the trial is failed: it is not when it was passed before.
    fn fail(&self) -> bool {
        let mut state = self.state.lock();
        match *state {
            State::Until(end) if Instant::now() < end => *state = State::Failed,
            State::Failed => {}
            State::Until(_) | State::NotBegun => return false,
        }
        true
    }
}

/// Judges what came of a batch: when the guest died of a session on trial, all of those have gone back when this returns.
/// True when the session whose event it was is not here any more.
pub(crate) fn judge(site: &Site, batch: &Batch, outcome: &EventsOutcome) -> bool {
    let Verdict::Fault(fault) = &outcome.verdict else {
        return false;
    };
    if !is_the_guests(fault) {
        return false;
    }
    match outcome.began.and_then(|index| batch.events().get(index)) {
        Some(culprit) => {
            // The end of a session is told where it was; nobody can take that back.
            if !matches!(culprit.kind, EventKind::Closed { .. }) {
                send_back(site, std::iter::once(culprit.session));
            }
            // Another batch may have been judged meanwhile, or the table have changed.
            site.members.get(culprit.session).is_none()
        }
        None => {
            send_back(site, batch.events().iter().map(|event| event.session));
            false
        }
    }
}

/// A revision whose workers cannot even start has failed on whoever waits for one.
pub(crate) fn judge_start(site: &Site, batch: &Batch, error: &AcquireError) {
    if let AcquireError::Spawn { .. } = error {
        send_back(site, batch.events().iter().map(|event| event.session));
    }
}

/// Whether this is for the revision to answer for.
fn is_the_guests(fault: &Fault) -> bool {
    match fault {
        Fault::Trap(_) | Fault::Timeout(_) | Fault::Memory(_) | Fault::Gone(_) => true,
        Fault::Lost | Fault::NoAnswer | Fault::Cancelled | Fault::Unsupported(_) => false,
    }
}

/// Sends all sessions on trial back, if one of these is. Of a revision that is tried out, just these.
fn send_back(site: &Site, mut sessions: impl Iterator<Item = SessionId>) {
    if site.trial.is_judged() {
        return send_each_back(site, sessions);
    }
    let is_tried = |session| {
        let berth: Option<Arc<Berth>> = site.members.get(session);
        berth.is_some_and(|berth| berth.is_on_trial())
    };
    // In this order: who comes in between sees that it failed.
    if !sessions.any(is_tried) || !site.trial.fail() {
        return;
    }
    let all = site.members.all();
    let tried = all.iter().filter(|berth| berth.is_on_trial());
    let count = tried.filter(|berth| berth.go_back(site)).count();
    if count > 0 {
        site.moves.went_back.add(count as u64);
        tracing::warn!(
            app = %site.revision.bundle.label(),
            sessions = count,
            "the app failed on a session that it took over: those it took over went back"
        );
    }
}

fn send_each_back(site: &Site, sessions: impl Iterator<Item = SessionId>) {
    // A session may have several events in one batch.
    let berths = sessions.filter_map(|session| site.members.get(session));
    let count = berths.filter(|berth| berth.go_back(site)).count();
    if count > 0 {
        site.moves.went_back.add(count as u64);
        let app = site.revision.bundle.label();
        tracing::debug!(%app, sessions = count, "sessions went back from a version that is tried out");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_trial_lasts_from_its_first_session_for_its_length() {
        let trial = Trial::default();
        assert!(!trial.fail(), "it has not begun");
        let end = Instant::now() + LENGTH;
        assert_eq!(trial.enter(LENGTH), Standing::OnTrial(end));
        tokio::time::advance(LENGTH / 2).await;
        assert_eq!(trial.enter(LENGTH), Standing::OnTrial(end));
        tokio::time::advance(LENGTH / 2).await;
        assert_eq!(trial.enter(LENGTH), Standing::Passed);
        assert!(!trial.fail());
        assert!(!trial.has_failed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_trial_stays_failed() {
        let trial = Trial::default();
        trial.enter(LENGTH);
        assert!(trial.fail());
        tokio::time::advance(2 * LENGTH).await;
        assert!(trial.has_failed());
        assert!(trial.fail(), "whoever is still on trial goes back");
        assert_eq!(trial.enter(LENGTH), Standing::Failed);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_length_there_is_no_trial() {
        let trial = Trial::default();
        assert_eq!(trial.enter(Duration::ZERO), Standing::Passed);
        assert!(!trial.fail());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_tried_out_is_on_trial_for_as_long_as_that_takes() {
        let trial = Trial::default();
        trial.set_judged(Judged::Yes);
        for _ in 0..3 {
            let end = Instant::now() + LENGTH;
            assert_eq!(trial.enter(LENGTH), Standing::OnTrial(end));
            tokio::time::advance(2 * LENGTH).await;
        }
        assert!(matches!(trial.enter(Duration::ZERO), Standing::OnTrial(_)));
        trial.set_judged(Judged::No);
        assert_eq!(trial.enter(LENGTH), Standing::Passed);
    }
}
