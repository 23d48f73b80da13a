//! What a rollout is.
//!
//! **Invariant:** a canary's version has no share of its own besides its step's; there is something to go back to as long
//! as a canary runs.

use std::collections::BTreeMap;
use std::time::Duration;

use rookery_routing::{Sessions, Share, Weights};
use semver::Version;

/// The steps of a canary that nobody named any for, in percent.
pub const STEPS: [f64; 4] = [5.0, 25.0, 50.0, 100.0];
/// How many steps a canary may have.
pub const STEPS_MAX: usize = 32;
/// How long a step lasts that nobody named a time for.
pub const WINDOW: Duration = Duration::from_secs(60);
/// The bounds of it: below, nothing can be seen in it; above, somebody mistook a unit.
pub const WINDOW_BOUNDS: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_secs(7 * 86_400));

/// How many requests and events a canary has to be asked in each step, where nobody said how many.
pub const REQUESTS_MIN: u64 = 20;
/// The most that can be asked for.
pub const REQUESTS_MIN_MAX: u64 = 1_000_000;

/// How an app's requests are spread, and who is called what. The default is no rollout.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rollout {
    /// Who gets what asks for no one version, but for the canary's share. `None`: as without a rollout.
    pub weights: Option<Weights>,
    /// Tags that commands or people set here.
    pub tags: BTreeMap<String, Version>,
    /// What becomes of open sessions when weights change.
    pub sessions: Sessions,
    /// The version that is tried out.
    pub canary: Option<Canary>,
    /// What the weights were before the last change of them.
    pub previous: Option<Weights>,
    /// How the last canary ended.
    pub last: Option<Ended>,
}

/// A version that gets more and more, as long as it does as well as the others.
#[derive(Clone, PartialEq, Debug)]
pub struct Canary {
    /// Which one.
    pub version: Version,
    /// Its shares, growing. Never empty.
    pub steps: Vec<Share>,
    /// Which of them it has now.
    pub step: usize,
    /// How long each lasts at least.
    pub window: Duration,
    /// How many requests and events it has to be asked in each step; none at 0.
    pub requests_min: u64,
    /// What it may not go beyond.
    pub limits: Limits,
    /// When it began, in milliseconds since 1970.
    pub began: u64,
}

/// What a canary may not go beyond, whatever the others do.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Limits {
    /// Answers that are the server's fault (5xx), of all. 0 to 1. 1 %.
    pub error_rate: f64,
    /// Faults of the guest, of all requests and events. 0 to 1. 0.1 %.
    pub fault_rate: f64,
    /// The time that 99 % of the answers take, by that of the stable versions. Above 1. 1.5.
    pub p99_ratio: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            error_rate: 0.01,
            fault_rate: 0.001,
            p99_ratio: 1.5,
        }
    }
}

/// How a canary ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    /// Its version.
    pub version: Version,
    /// What became of it.
    pub how: How,
    /// Why, in a sentence.
    pub reason: String,
    /// When it had begun, in milliseconds since 1970: tells it from another one of the same version.
    pub began: u64,
    /// When it ended, in milliseconds since 1970.
    pub at: u64,
}

/// What became of a canary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// It has everything.
    Promoted,
    /// The judge took its share away.
    Reversed,
    /// An operator did.
    RolledBack,
    /// An operator set other weights.
    Replaced,
}

impl How {
    /// The word for it in files and answers.
    pub fn name(self) -> &'static str {
        match self {
            How::Promoted => "promoted",
            How::Reversed => "reversed",
            How::RolledBack => "rolledBack",
            How::Replaced => "replaced",
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<How> {
        let all = [How::Promoted, How::Reversed, How::RolledBack, How::Replaced];
        all.into_iter().find(|how| how.name() == name)
    }
}

impl Canary {
    /// What it has now.
    pub fn share(&self) -> Share {
        self.steps.get(self.step).copied().unwrap_or(Share::NONE)
    }
}

impl Rollout {
    /// Who gets what asks for no one version, the canary included.
    pub fn in_force(&self) -> Option<Weights> {
        let weights = self.weights.as_ref()?;
        match &self.canary {
            None => Some(weights.clone()),
            Some(canary) => weights.with(&canary.version, canary.share()),
        }
    }

    /// Goes a step further.
    pub(crate) fn advance(&mut self) {
        if let Some(canary) = &mut self.canary {
            canary.step = (canary.step + 1).min(canary.steps.len() - 1);
        }
    }

    /// Ends the canary, if one runs: it has everything or nothing now.
    pub(crate) fn end(&mut self, how: How, reason: impl Into<String>, now: u64) {
        let Some(canary) = self.canary.take() else {
            return;
        };
        match how {
            How::Promoted => {
                let all = Weights::whole(canary.version.clone());
                self.previous = self.weights.replace(all);
            }
            // Also sessions that were told to stay, and were on it.
            How::Reversed | How::RolledBack | How::Replaced => self.sessions = Sessions::Follow,
        }
        self.last = Some(Ended {
            version: canary.version,
            how,
            reason: reason.into(),
            began: canary.began,
            at: now,
        });
    }
}
