//! The course of a canary: from step to step as long as nothing speaks against it. Pure.
//!
//! **Invariant:** no step is left before its window is over and as many requests and events were seen in it as the canary
//! has to be asked: a version that nobody asked has shown nothing. It waits for them for [`HELD_AFTER`] windows; then it is
//! held, which is told, and goes on only when they came all the same.
//! **Absent on purpose:** the clock. Whoever looks says what time it is.

use std::time::Duration;

use rookery_bundle::show_duration;

use super::judge::{Judge, Side};
use super::state::Canary;
use super::status::JudgementStatus;

/// How often a canary is looked at. Four times a second, so that a bad one is back within two.
pub const LOOK_EVERY: Duration = Duration::from_millis(250);
/// After how many windows of a step a canary that still waits for requests is held.
pub const HELD_AFTER: u32 = 10;

/// A canary under way.
#[derive(Clone, Debug)]
pub struct Course {
    judge: Judge,
    window: Duration,
    /// How much has to be asked in each step.
    asked_min: u64,
    steps: usize,
    step: usize,
    /// When this step began.
    since: Duration,
    /// What was asked in it.
    asked: u64,
    /// Whether it was told in this step that it is held.
    held: Held,
}

/// Whether it was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Held {
    Untold,
    Told,
}

/// What becomes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// Nothing new.
    Stay,
    /// It gets its next share.
    Advance,
    /// It keeps what it has, for this reason, until it is asked more. Said once in a step.
    Hold(String),
    /// It gets everything.
    Promote,
    /// It gets nothing any more, for this reason.
    Reverse(String),
}

impl Course {
    /// Begins with the step that the canary is in.
    pub fn begin(canary: &Canary, now: Duration) -> Course {
        Course {
            judge: Judge::new(canary.limits),
            window: canary.window,
            asked_min: canary.requests_min,
            steps: canary.steps.len(),
            step: canary.step,
            since: now,
            asked: 0,
            held: Held::Untold,
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
        if self.left(now) > Duration::ZERO {
            return Next::Stay;
        }
        if self.asked < self.asked_min {
            return self.hold(now, None);
        }
        if self.step + 1 >= self.steps {
            return Next::Promote;
        }
        self.step += 1;
        (self.since, self.asked, self.held) = (now, 0, Held::Untold);
        Next::Advance
    }

    /// Lets a look go by in which nothing can be judged, and why.
    pub fn pass(&mut self, now: Duration, why: &str) -> Next {
        self.hold(now, Some(why))
    }

    /// Tells it once in a step when it has waited for long enough.
    fn hold(&mut self, now: Duration, why: Option<&str>) -> Next {
        match self.held(now, why) {
            Some(reason) if self.held == Held::Untold => {
                self.held = Held::Told;
                Next::Hold(reason)
            }
            _ => Next::Stay,
        }
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
        let (asked, needed) = (self.asked, self.asked_min);
        (is_over && asked < needed)
            .then(|| format!("was asked {asked} times in this step, {needed} are needed"))
    }

    /// Why nobody should count on its going on: it waited for long enough, for requests or for what else is said.
    pub fn held(&self, now: Duration, why: Option<&str>) -> Option<String> {
        let waited = now.saturating_sub(self.since);
        if waited < self.window.saturating_mul(HELD_AFTER) {
            return None;
        }
        let window = show_duration(self.window);
        let asked = || self.waits(now).map(|waits| format!("it {waits}"));
        let why = why.map(str::to_owned).or_else(asked)?;
        Some(format!(
            "{why}, and {HELD_AFTER} windows of {window} are over"
        ))
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
    use super::super::state::Limits;
    use super::*;

    fn course() -> Course {
        course_with(20)
    }

    fn course_with(requests_min: u64) -> Course {
        let steps = [5.0, 50.0].map(|percent| Share::of_percent(percent).unwrap());
        let canary = Canary {
            version: Version::new(1, 0, 0),
            steps: steps.into(),
            step: 0,
            window: Duration::from_secs(10),
            requests_min,
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
        assert_eq!(look(198, 0), Next::Stay);
        assert_eq!(look(199, 1), Next::Advance);
        assert_eq!(look(209, 19), Next::Stay, "each step counts for itself");
        assert!(course.waits(Duration::from_secs(209)).is_some());
        assert_eq!(course.waits(Duration::from_secs(208)), None);
    }

    #[test]
    fn a_canary_that_waited_for_ten_windows_is_held_and_goes_on_when_it_is_asked() {
        let mut course = course();
        let mut look =
            |second, asked| course.look(Duration::from_secs(second), &side(asked, 0), &side(99, 0));
        assert_eq!(look(110, 3), Next::Stay);
        assert_eq!(look(199, 0), Next::Stay);
        let reason =
            "it was asked 3 times in this step, 20 are needed, and 10 windows of 10s are over";
        assert_eq!(look(200, 0), Next::Hold(reason.to_owned()));
        assert_eq!(look(201, 0), Next::Stay, "it is told once");
        assert_eq!(
            look(5_000, 16),
            Next::Stay,
            "and is never promoted for nothing"
        );
        assert_eq!(look(5_001, 1), Next::Advance);
        assert_eq!(look(5_011, 0), Next::Stay);
        assert!(
            matches!(look(5_101, 0), Next::Hold(_)),
            "the last step as well"
        );
        assert_eq!(look(9_999, 20), Next::Promote);
    }

    #[test]
    fn a_canary_that_cannot_be_judged_for_ten_windows_is_held_and_goes_on_when_it_can() {
        let mut course = course();
        let asked = (side(30, 0), side(99, 0));
        let after = Duration::from_secs;
        assert_eq!(course.look(after(105), &asked.0, &asked.1), Next::Stay);
        let why = "1.0.0 does not serve";
        assert_eq!(course.pass(after(199), why), Next::Stay);
        let reason = "1.0.0 does not serve, and 10 windows of 10s are over";
        assert_eq!(course.pass(after(200), why), Next::Hold(reason.to_owned()));
        assert_eq!(course.pass(after(201), why), Next::Stay, "it is told once");
        assert_eq!(course.held(after(201), Some(why)).as_deref(), Some(reason));
        assert_eq!(course.held(after(201), None), None, "it was asked enough");
        let nothing = Side::default();
        assert_eq!(course.look(after(202), &nothing, &nothing), Next::Advance);
    }

    #[test]
    fn how_much_a_canary_has_to_be_asked_is_the_operators_to_say() {
        let look = |course: &mut Course, second, asked| {
            course.look(Duration::from_secs(second), &side(asked, 0), &side(99, 0))
        };
        let mut none = course_with(0);
        assert_eq!(look(&mut none, 110, 0), Next::Advance);
        assert_eq!(look(&mut none, 120, 0), Next::Promote);
        let mut many = course_with(500);
        assert_eq!(look(&mut many, 110, 499), Next::Stay);
        assert_eq!(look(&mut many, 111, 1), Next::Advance);
    }

    #[test]
    fn a_bad_canary_that_is_held_is_reversed() {
        let mut course = course();
        let mut look =
            |second, bad| course.look(Duration::from_secs(second), &side(bad, bad), &side(0, 0));
        assert!(matches!(look(300, 0), Next::Hold(_)));
        assert!(matches!(look(301, 10), Next::Reverse(_)));
    }

    #[test]
    fn a_bad_canary_is_reversed_whatever_the_time_is() {
        let mut course = course();
        let next = course.look(Duration::from_secs(101), &side(10, 10), &side(99, 0));
        assert!(matches!(next, Next::Reverse(_)), "{next:?}");
    }
}
