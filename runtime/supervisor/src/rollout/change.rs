//! What an operator may do to a rollout. Pure.
//!
//! **Invariant:** nothing is sent to a version that does not serve, and what cannot be done changes nothing.

use std::time::Duration;

use rookery_routing::{Selector, Sessions, Share, Weights};
use semver::Version;

use super::error::RolloutError;
use super::state::{
    Canary, How, Limits, REQUESTS_MIN, REQUESTS_MIN_MAX, Rollout, STEPS, STEPS_MAX, WINDOW,
    WINDOW_BOUNDS,
};

/// What is to be done.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// Spread requests like this, and end a canary.
    Weights {
        /// Like this.
        weights: Weights,
        /// What becomes of open sessions.
        sessions: Sessions,
    },
    /// Try a version out.
    Canary(Plan),
    /// Give everything to a version: the canary, if none is named.
    Promote {
        /// Which one.
        version: Option<Version>,
    },
    /// Take the canary's share away; without one, go back to what was before the last change.
    Rollback,
    /// Call a version something.
    Tag {
        /// What.
        name: String,
        /// Which one.
        version: Version,
    },
    /// Call nothing that any more.
    Untag {
        /// What.
        name: String,
    },
}

/// How a version is tried out.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// Which one.
    pub version: Version,
    /// Its shares, growing: 5, 25, 50 and 100 %. After the last one's window it has everything, whatever that is.
    pub steps: Vec<Share>,
    /// How long each lasts at least: 60 s; 1 s to 7 days.
    pub window: Duration,
    /// How many requests and events it has to be asked in each step: 20; at most 1,000,000. At 0 it goes on without any.
    pub requests_min: u64,
    /// What it may not go beyond.
    pub limits: Limits,
    /// What becomes of open sessions.
    pub sessions: Sessions,
}

impl Plan {
    /// The usual one.
    pub fn of(version: Version) -> Plan {
        let steps = STEPS.into_iter().filter_map(Share::of_percent);
        Plan {
            version,
            steps: steps.collect(),
            window: WINDOW,
            requests_min: REQUESTS_MIN,
            limits: Limits::default(),
            sessions: Sessions::Follow,
        }
    }

    /// Says which field is out of its bounds.
    pub(crate) fn check(&self) -> Result<(), RolloutError> {
        let invalid = |field, reason: &str| {
            let reason = reason.to_owned();
            Err(RolloutError::Invalid { field, reason })
        };
        let grows = self.steps.windows(2).all(|two| two[0] < two[1]);
        let has_steps = (1..=STEPS_MAX).contains(&self.steps.len());
        if !has_steps || !grows || self.steps[0] == Share::NONE {
            return invalid(
                "steps",
                "1 to 32 percentages above 0, each above the one before",
            );
        }
        let (least, most) = WINDOW_BOUNDS;
        if !(least..=most).contains(&self.window) {
            return invalid("window", "is from 1s to 7 days (168h)");
        }
        if self.requests_min > REQUESTS_MIN_MAX {
            return invalid("minRequests", "is from 0 to 1000000");
        }
        let is_rate = |rate: f64| rate > 0.0 && rate <= 1.0;
        if !is_rate(self.limits.error_rate) {
            return invalid("maxErrorRatePercent", "is above 0 and at most 100");
        }
        if !is_rate(self.limits.fault_rate) {
            return invalid("maxFaultRatePercent", "is above 0 and at most 100");
        }
        if !(1.0 < self.limits.p99_ratio && self.limits.p99_ratio <= 1000.0) {
            return invalid("maxP99Ratio", "is above 1 and at most 1000");
        }
        Ok(())
    }
}

/// What a change has to know of the app.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    /// The app's name.
    pub app: String,
    /// The versions that serve, ascending.
    pub serving: Vec<Version>,
    /// Who gets what asks for no one version, now.
    pub unpinned: Option<Version>,
    /// Milliseconds since 1970.
    pub now: u64,
}

impl Ground {
    fn serves(&self, version: &Version) -> Result<(), RolloutError> {
        if self.serving.contains(version) {
            return Ok(());
        }
        Err(RolloutError::NoSuchVersion {
            app: self.app.clone(),
            version: version.clone(),
            serving: self.serving.iter().rev().cloned().collect(),
        })
    }

    /// What a canary of this version is compared with when nobody said how requests are spread: what they get now, or
    /// would get without it.
    fn stable_beside(&self, canary: &Version) -> Option<Version> {
        let others = || self.serving.iter().filter(|version| *version != canary);
        let unpinned = self.unpinned.as_ref();
        let unpinned = unpinned.filter(|version| *version != canary).cloned();
        let below = || others().rfind(|version| version.pre.is_empty() && *version < canary);
        unpinned
            .or_else(|| below().cloned())
            .or_else(|| others().next_back().cloned())
    }
}

impl Rollout {
    /// The rollout after a change.
    pub(crate) fn after(&self, change: Change, ground: &Ground) -> Result<Rollout, RolloutError> {
        // A name for a version can be taken away also when nothing serves.
        if ground.serving.is_empty() && !matches!(change, Change::Untag { .. }) {
            let app = ground.app.clone();
            return Err(RolloutError::NoSuchApp { app });
        }
        let mut next = self.clone();
        match change {
            Change::Weights { weights, sessions } => {
                for (version, _) in weights.iter() {
                    ground.serves(version)?;
                }
                next.end(How::Replaced, "other weights were set", ground.now);
                next.set(weights, ground);
                next.sessions = sessions;
            }
            Change::Canary(plan) => next.begin(plan, ground)?,
            Change::Promote { version } => next.promote(version, ground)?,
            Change::Rollback => next.roll_back(ground)?,
            Change::Tag { name, version } => {
                if !matches!(Selector::parse(&name), Ok(Selector::Tag(parsed)) if parsed == name) {
                    return Err(RolloutError::TagName { name });
                }
                ground.serves(&version)?;
                next.tags.insert(name, version);
            }
            Change::Untag { name } => {
                if next.tags.remove(&name).is_none() {
                    let app = ground.app.clone();
                    return Err(RolloutError::NoSuchTag { app, name });
                }
            }
        }
        Ok(next)
    }

    /// Spreads requests like this, and remembers how it was: before the first weights, all to one version.
    fn set(&mut self, weights: Weights, ground: &Ground) {
        let implied = || ground.unpinned.clone().map(Weights::whole);
        let before = self.weights.take().or_else(implied);
        if before.as_ref() != Some(&weights) {
            self.previous = before;
        }
        self.weights = Some(weights);
    }

    fn begin(&mut self, plan: Plan, ground: &Ground) -> Result<(), RolloutError> {
        plan.check()?;
        ground.serves(&plan.version)?;
        if let Some(running) = &self.canary {
            return Err(RolloutError::CanaryRuns {
                app: ground.app.clone(),
                version: running.version.clone(),
            });
        }
        let stable = match &self.weights {
            Some(weights) => weights.without(&plan.version),
            None => None,
        };
        let stable = stable.or_else(|| ground.stable_beside(&plan.version).map(Weights::whole));
        let stable = stable.ok_or_else(|| RolloutError::NoStable {
            app: ground.app.clone(),
            version: plan.version.clone(),
        })?;
        self.set(stable, ground);
        self.sessions = plan.sessions;
        self.canary = Some(Canary {
            version: plan.version,
            steps: plan.steps,
            step: 0,
            window: plan.window,
            requests_min: plan.requests_min,
            limits: plan.limits,
            began: ground.now,
        });
        Ok(())
    }

    fn promote(&mut self, version: Option<Version>, ground: &Ground) -> Result<(), RolloutError> {
        let canary = self.canary.as_ref().map(|canary| canary.version.clone());
        let version = version.or_else(|| canary.clone());
        let version = version.ok_or_else(|| RolloutError::NothingToPromote {
            app: ground.app.clone(),
        })?;
        ground.serves(&version)?;
        if canary.as_ref() == Some(&version) {
            self.end(How::Promoted, "an operator promoted it", ground.now);
            return Ok(());
        }
        let reason = format!("{version} was promoted");
        self.end(How::Replaced, reason, ground.now);
        self.set(Weights::whole(version), ground);
        self.sessions = Sessions::Follow;
        Ok(())
    }

    fn roll_back(&mut self, ground: &Ground) -> Result<(), RolloutError> {
        if self.canary.is_some() {
            self.end(How::RolledBack, "an operator rolled it back", ground.now);
            return Ok(());
        }
        let Some(previous) = self.previous.take() else {
            let app = ground.app.clone();
            return Err(RolloutError::NothingBefore { app });
        };
        for (version, _) in previous.iter() {
            ground.serves(version)?;
        }
        // To go back twice is to be where one was.
        self.previous = self.weights.replace(previous);
        self.sessions = Sessions::Follow;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
