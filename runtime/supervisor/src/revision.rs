//! One revision's life, as a pure state machine, and the revision as those who serve it hold it.
//!
//! **Invariant:** a revision becomes `Live` once at most, and never again after it was `Draining` or `Retired`.
//! **Absent on purpose:** clock, task, I/O. `plan.rs` decides which step is taken, `apply.rs` takes it.

use std::fmt;
use std::sync::Arc;

use rookery_bundle::Bundle;
use rookery_pool::Pool;
use rookery_proxy_rules::RuleSet;
use serde::Serialize;

use crate::rollout::Tally;

/// Tells one revision from every other that this process had. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RevisionId(pub u64);

/// A bundle that is being served. Whoever holds one may finish with it, even after it was replaced.
#[derive(Clone)]
pub struct Revision {
    /// Which deployment of the bundle this is.
    pub id: RevisionId,
    /// What is served.
    pub bundle: Arc<Bundle>,
    /// Its workers; none for a static bundle.
    pub pool: Option<Arc<Pool>>,
    /// Its proxy rules, which come before everything else; none for a bundle without.
    pub rules: Option<Arc<RuleSet>>,
    /// What it did for those whom a rollout sent to it.
    pub tally: Arc<Tally>,
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.bundle.label(), self.id.0)
    }
}

/// Where a revision is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Wanted; waits for its turn to be prepared.
    Staged,
    /// Being compiled, checked and connected.
    Warming,
    /// In the table: requests go to it.
    Live,
    /// Out of the table; finishes what it began.
    Draining,
    /// Gone.
    Retired,
    /// Could not be prepared.
    Refused(Refusal),
}

/// Why a revision does not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For the operator, in one line or a few.
    pub reason: Arc<str>,
    /// What has to be installed, if that is why. For strangers, too.
    pub lacks: Option<Arc<str>>,
    /// What may change it.
    pub until: Until,
}

/// What ends a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Perhaps nothing but time: it is tried again, ever more rarely.
    Retried,
    /// Only other bytes on disk.
    Changed,
}

/// What happens to a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its turn has come.
    Begin,
    /// It can take requests.
    Ready,
    /// It cannot.
    Refuse(Refusal),
    /// Its back-off is over.
    Retry,
    /// It is not wanted any more.
    Withdraw,
    /// The last lease was returned, or the grace is over.
    Drained,
}

impl State {
    /// The state after `step`; `None` when the step means nothing here. That is no error: what was begun for a revision
    /// that was withdrawn meanwhile still reports its end.
    pub fn after(&self, step: Step) -> Option<State> {
        match (self, step) {
            (State::Staged, Step::Begin) => Some(State::Warming),
            (State::Warming, Step::Ready) => Some(State::Live),
            (State::Staged | State::Warming, Step::Refuse(refusal)) => {
                Some(State::Refused(refusal))
            }
            (State::Refused(_), Step::Retry) => Some(State::Staged),
            (State::Staged | State::Warming | State::Refused(_), Step::Withdraw) => {
                Some(State::Retired)
            }
            (State::Live, Step::Withdraw) => Some(State::Draining),
            (State::Draining, Step::Drained) => Some(State::Retired),
            _ => None,
        }
    }

    /// The word for it in answers and logs.
    pub fn name(&self) -> &'static str {
        match self {
            State::Staged => "staged",
            State::Warming => "warming",
            State::Live => "live",
            State::Draining => "draining",
            State::Retired => "retired",
            State::Refused(_) => "refused",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> Refusal {
        Refusal {
            reason: "no".into(),
            lacks: None,
            until: Until::Retried,
        }
    }

    fn states() -> [State; 6] {
        [
            State::Staged,
            State::Warming,
            State::Live,
            State::Draining,
            State::Retired,
            State::Refused(refusal()),
        ]
    }

    fn steps() -> [Step; 6] {
        [
            Step::Begin,
            Step::Ready,
            Step::Refuse(refusal()),
            Step::Retry,
            Step::Withdraw,
            Step::Drained,
        ]
    }

    #[test]
    fn every_step_in_every_state_leads_where_the_table_says() {
        //  columns: begin, ready, refuse, retry, withdraw, drained
        let table = [
            ("staged", ["warming", "-", "refused", "-", "retired", "-"]),
            ("warming", ["-", "live", "refused", "-", "retired", "-"]),
            ("live", ["-", "-", "-", "-", "draining", "-"]),
            ("draining", ["-", "-", "-", "-", "-", "retired"]),
            ("retired", ["-", "-", "-", "-", "-", "-"]),
            ("refused", ["-", "-", "-", "staged", "retired", "-"]),
        ];
        for (state, (name, row)) in states().iter().zip(table) {
            assert_eq!(state.name(), name);
            for (step, expected) in steps().into_iter().zip(row) {
                let after = state.after(step.clone());
                let after = after.as_ref().map_or("-", State::name);
                assert_eq!(after, expected, "{name} after {step:?}");
            }
        }
    }

    #[test]
    fn a_refusal_keeps_its_reason() {
        let after = State::Warming.after(Step::Refuse(refusal()));
        assert_eq!(after, Some(State::Refused(refusal())));
    }

    #[test]
    fn nothing_leads_back_to_live() {
        let mut reached = vec![State::Draining];
        let mut next = 0;
        while next < reached.len() {
            for step in steps() {
                if let Some(state) = reached[next].after(step)
                    && !reached.contains(&state)
                {
                    reached.push(state);
                }
            }
            next += 1;
        }
        assert_eq!(reached, [State::Draining, State::Retired]);
    }
}
