//! The course of a canary: from step to step as long as nothing speaks against it. Pure.
//!
//! **Invariant:** no step is left before its window is over and [`ASKED_MIN`] requests and events were seen in it: a
//! version that nobody asked has shown nothing.
//! **Absent on purpose:** the clock. Whoever looks says what time it is.

use std::time::Duration;

use super::judge::{Judge, Side};
use super::state::{Canary, Limits};
use super::status::JudgementStatus;

/// How often a canary is looked at. Four times a second, so that a bad one is back within two.
pub const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How many requests and events a canary has to be asked in each step.
pub const ASKED_MIN: u64 = 20;

/// A canary under way.
#[derive(Clone, Debug)]
pub struct Course {
    judge: Judge,
    window: Duration,
    steps: usize,
    step: usize,
    /// When this step began.
    since: Duration,
    /// What was asked in it.
    asked: u64,
}

/// What becomes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// Nothing new.
    Stay,
    /// It gets its next share.
    Advance,
    /// It gets everything.
    Promote,
    /// It gets nothing any more, for this reason.
    Reverse(String),
}

impl Course {
    /// Begins with the step that the canary is in.
    pub fn begin(canary: &Canary, now: Duration) -> Course {
        Course::of(
            canary.limits,
            canary.window,
            canary.steps.len(),
            canary.step,
            now,
        )
    }

    fn of(limits: Limits, window: Duration, steps: usize, step: usize, now: Duration) -> Course {
        Course {
            judge: Judge::new(limits),
            window,
            steps,
            step,
            since: now,
            asked: 0,
        }
    }

    /// Looks at what both sides did since the look before.
    pub fn look(&mut self, now: Duration, canary: &Side, stable: &Side) -> Next {
        self.asked += canary.asked();
        let breach = if self.settles(now) {
            let untimed = |side: &Side| Side {
                counts: side.counts,
                ..Side::default()
            };
            self.judge.look(&untimed(canary), &untimed(stable))
        } else {
            self.judge.look(canary, stable)
        };
        if let Some(breach) = breach {
            return Next::Reverse(breach.to_string());
        }
        if self.left(now) > Duration::ZERO || self.asked < ASKED_MIN {
            return Next::Stay;
        }
        if self.step + 1 >= self.steps {
            return Next::Promote;
        }
        self.step += 1;
        (self.since, self.asked) = (now, 0);
        Next::Advance
    }

    /// Whether workers are still being started for the share that it got: what that takes is not how fast it is.
    fn settles(&self, now: Duration) -> bool {
        now.saturating_sub(self.since) < self.window / 10
    }

    /// How much of the step's window is left.
    pub fn left(&self, now: Duration) -> Duration {
        self.window.saturating_sub(now.saturating_sub(self.since))
    }

    /// Why it does not go on though the window is over.
    pub fn waits(&self, now: Duration) -> Option<String> {
        let is_over = self.left(now).is_zero();
        (is_over && self.asked < ASKED_MIN).then(|| {
            let asked = self.asked;
            format!("was asked {asked} times in this step, {ASKED_MIN} are needed")
        })
    }

    /// How it does.
    pub fn status(&self) -> JudgementStatus {
        self.judge.status()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rookery_routing::Share;
    use semver::Version;

    use super::super::judge::Counts;
    use super::*;

    fn course() -> Course {
        let steps = [5.0, 50.0].map(|percent| Share::of_percent(percent).unwrap());
        let canary = Canary {
            version: Version::new(1, 0, 0),
            steps: steps.into(),
            step: 0,
            window: Duration::from_secs(10),
            limits: Limits::default(),
            began: 0,
        };
        Course::begin(&canary, Duration::from_secs(100))
    }

    fn side(answers: u64, errors: u64) -> Side {
        let counts = Counts {
            answers,
            errors,
            ..Counts::default()
        };
        Side {
            counts,
            ..Side::default()
        }
    }

    #[test]
    fn a_good_canary_goes_from_step_to_step_to_everything() {
        let mut course = course();
        let mut look =
            |second| course.look(Duration::from_secs(second), &side(30, 0), &side(99, 0));
        assert_eq!(look(109), Next::Stay);
        assert_eq!(look(110), Next::Advance);
        assert_eq!(look(119), Next::Stay);
        assert_eq!(look(120), Next::Promote);
    }

    #[test]
    fn a_canary_that_nobody_asks_stays_where_it_is() {
        let mut course = course();
        let mut look =
            |second, asked| course.look(Duration::from_secs(second), &side(asked, 0), &side(99, 0));
        assert_eq!(look(110, 19), Next::Stay);
        assert_eq!(look(1_000, 0), Next::Stay);
        assert_eq!(look(1_001, 1), Next::Advance);
        assert_eq!(look(1_011, 19), Next::Stay, "each step counts for itself");
        assert!(course.waits(Duration::from_secs(1_011)).is_some());
        assert_eq!(course.waits(Duration::from_secs(1_010)), None);
    }

    #[test]
    fn a_bad_canary_is_reversed_whatever_the_time_is() {
        let mut course = course();
        let next = course.look(Duration::from_secs(101), &side(10, 10), &side(99, 0));
        assert!(matches!(next, Next::Reverse(_)), "{next:?}");
    }
}
