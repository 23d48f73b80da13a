//! Whether a canary may go on: what its revision did, compared with what the others did over the same time. Pure.
//!
//! Six things are judged, each with its own evidence: errors and faults against their limits; errors, faults, session
//! closes and slow answers against the stable versions. A canary is bad as soon as one of them reaches its threshold.
//!
//! **Invariant:** a canary that is as the others, and within the limits, is reversed with a probability of at most
//! [`FALSE_ALARM_RATE`], however long it runs and however often it is looked at.
//! **Absent on purpose:** steps and clocks (`course.rs`).

use std::fmt;

use rookery_telemetry::HistogramSnapshot;

use super::evidence::{Above, Trials, Worse};
use super::state::Limits;
use super::status::{JudgementStatus, SeenStatus, percent};

/// How often a good canary is reversed by chance, at most: one in 200.
pub const FALSE_ALARM_RATE: f64 = 0.005;
const TESTS: f64 = 6.0;

/// What is worse than the others, but less than this part of the limit, is nobody's concern.
const CONCERN: f64 = 0.1;
/// Of so many answers of the stable versions their p99 is known well enough to be compared with.
const TIMES_MIN: u64 = 100;
/// A difference below this is not what anybody sees.
const SLOWER_US_MIN: u64 = 1_000;

/// What one side did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Requests that were answered.
    pub answers: u64,
    /// Those with a 5xx.
    pub errors: u64,
    /// Events that a guest was given.
    pub events: u64,
    /// Requests and batches of events that a guest failed on.
    pub faults: u64,
    /// Sessions that were closed because of that.
    pub closes: u64,
}

/// What one side did, and how long its answers took.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// How often.
    pub counts: Counts,
    /// How long to the heads of the answers.
    pub times: HistogramSnapshot,
}

/// Watches a canary.
#[derive(Clone, Debug)]
pub struct Judge {
    limits: Limits,
    canary: Side,
    stable: Side,
    errors: Above,
    faults: Above,
    errors_worse: Worse,
    faults_worse: Worse,
    closes_worse: Worse,
    slow_worse: Worse,
}

/// Why a canary is bad.
#[derive(Clone, PartialEq, Debug)]
pub struct Breach {
    what: &'static str,
    found: String,
    against: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Breach {
            what,
            found,
            against,
        } = self;
        write!(f, "{what}: {found}, {against}")
    }
}

impl Side {
    /// What came since an earlier moment of the same side.
    pub(crate) fn since(&self, earlier: &Side) -> Side {
        let (now, then) = (self.counts, earlier.counts);
        Side {
            counts: Counts {
                answers: now.answers.saturating_sub(then.answers),
                errors: now.errors.saturating_sub(then.errors),
                events: now.events.saturating_sub(then.events),
                faults: now.faults.saturating_sub(then.faults),
                closes: now.closes.saturating_sub(then.closes),
            },
            times: self.times.since(&earlier.times),
        }
    }

    /// Adds what another did.
    pub(crate) fn add(&mut self, more: &Side) {
        let (counts, other) = (&mut self.counts, more.counts);
        counts.answers += other.answers;
        counts.errors += other.errors;
        counts.events += other.events;
        counts.faults += other.faults;
        counts.closes += other.closes;
        self.times.merge(&more.times);
    }

    fn errors(&self) -> Trials {
        trials(self.counts.answers, self.counts.errors)
    }

    fn faults(&self) -> Trials {
        trials(self.asked(), self.counts.faults)
    }

    fn closes(&self) -> Trials {
        trials(self.counts.events, self.counts.closes)
    }

    fn slow(&self, above_us: u64) -> Trials {
        trials(self.times.count(), self.times.above(above_us))
    }

    /// Requests and events.
    pub(crate) fn asked(&self) -> u64 {
        self.counts.answers + self.counts.events
    }

    fn status(&self) -> SeenStatus {
        SeenStatus {
            answers: self.counts.answers,
            errors: self.counts.errors,
            events: self.counts.events,
            faults: self.counts.faults,
            closes: self.counts.closes,
            p99_ms: self.times.quantile(0.99) as f64 / 1e3,
        }
    }
}

/// What is counted a moment apart may be out by one; a fault can be known before its event is.
fn trials(all: u64, bad: u64) -> Trials {
    Trials {
        all: all.max(bad),
        bad,
    }
}

fn rate(trials: Trials) -> f64 {
    trials.bad as f64 / trials.all.max(1) as f64
}

impl Judge {
    /// Has seen nothing yet.
    pub fn new(limits: Limits) -> Judge {
        Judge {
            limits,
            canary: Side::default(),
            stable: Side::default(),
            errors: Above::new(limits.error_rate),
            faults: Above::new(limits.fault_rate),
            errors_worse: Worse::new(),
            faults_worse: Worse::new(),
            closes_worse: Worse::new(),
            slow_worse: Worse::new(),
        }
    }

    /// Takes what both sides did since the look before. Says why the canary is bad, if it is.
    pub fn look(&mut self, canary: &Side, stable: &Side) -> Option<Breach> {
        // By what was known before this look.
        if let Some(slow_us) = self.slow_us() {
            self.slow_worse
                .look(canary.slow(slow_us), stable.slow(slow_us));
        }
        self.errors.look(canary.errors());
        self.faults.look(canary.faults());
        self.errors_worse.look(canary.errors(), stable.errors());
        self.faults_worse.look(canary.faults(), stable.faults());
        self.closes_worse.look(canary.closes(), stable.closes());
        self.canary.add(canary);
        self.stable.add(stable);
        self.breach()
    }

    /// How long an answer takes that is slower than it may be, in microseconds.
    fn slow_us(&self) -> Option<u64> {
        if self.stable.times.count() < TIMES_MIN {
            return None;
        }
        let p99 = self.stable.times.quantile(0.99);
        let slow = (p99 as f64 * self.limits.p99_ratio) as u64;
        Some(slow.max(p99 + SLOWER_US_MIN))
    }

    fn breach(&self) -> Option<Breach> {
        let (canary, stable, limits) = (&self.canary, &self.stable, &self.limits);
        let limit = |what, trials: Trials, limit: f64| Breach {
            what,
            found: shown(trials),
            against: format!("and {} % is the limit", percent(limit)),
        };
        let worse = |what, ours: Trials, theirs: Trials| Breach {
            what,
            found: shown(ours),
            against: format!("the stable version {}", shown(theirs)),
        };
        let concerns = |trials: Trials, limit: f64| rate(trials) > limit * CONCERN;
        if is_enough(self.errors.log()) {
            return Some(limit("errors", canary.errors(), limits.error_rate));
        }
        if is_enough(self.faults.log()) {
            return Some(limit("faults", canary.faults(), limits.fault_rate));
        }
        if is_enough(self.errors_worse.log()) && concerns(canary.errors(), limits.error_rate) {
            return Some(worse("errors", canary.errors(), stable.errors()));
        }
        if is_enough(self.faults_worse.log()) && concerns(canary.faults(), limits.fault_rate) {
            return Some(worse("faults", canary.faults(), stable.faults()));
        }
        if is_enough(self.closes_worse.log()) && concerns(canary.closes(), limits.fault_rate) {
            return Some(worse("closed sessions", canary.closes(), stable.closes()));
        }
        let (ours, theirs) = (canary.times.quantile(0.99), stable.times.quantile(0.99));
        if is_enough(self.slow_worse.log()) && ours as f64 > theirs as f64 * limits.p99_ratio {
            let ms = |us: u64| format!("{:.1} ms", us as f64 / 1e3);
            let ratio = limits.p99_ratio;
            return Some(Breach {
                what: "p99",
                found: ms(ours),
                against: format!(
                    "the stable version {}; {ratio} times is the limit",
                    ms(theirs)
                ),
            });
        }
        None
    }

    /// How the canary does.
    pub fn status(&self) -> JudgementStatus {
        let near = |log: f64| {
            let near = (log / threshold()).clamp(0.0, 1.0);
            (near * 1e3).round() / 1e3
        };
        let evidence = [
            ("errors", near(self.errors.log())),
            ("faults", near(self.faults.log())),
            ("errorsWorse", near(self.errors_worse.log())),
            ("faultsWorse", near(self.faults_worse.log())),
            ("closesWorse", near(self.closes_worse.log())),
            ("slowWorse", near(self.slow_worse.log())),
        ];
        JudgementStatus {
            canary: self.canary.status(),
            stable: self.stable.status(),
            evidence: evidence.into(),
        }
    }
}

/// What the logarithm of each evidence has to reach, so that all together alarm no more often than they may.
fn threshold() -> f64 {
    (TESTS / FALSE_ALARM_RATE).ln()
}

fn is_enough(log: f64) -> bool {
    log >= threshold()
}

fn shown(trials: Trials) -> String {
    let Trials { all, bad } = trials;
    format!("{bad} of {all} ({:.2} %)", rate(trials) * 100.0)
}

#[cfg(test)]
mod tests;
