//! One app's rollout, as the ledger holds it.
//!
//! **Invariant:** the canary that is judged is the one that is in force.
//! **Absent on purpose:** doing: what is to be written and told is said (`Todo`).

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rookery_bundle::AppName;
use rookery_routing::Share;
use semver::Version;
use tokio::time::Instant;

use super::course::{Course, LOOK_EVERY, Next};
use super::file;
use super::judge::Side;
use super::ledger::Reply;
use super::state::{Canary, How, Rollout};
use super::status::{CanaryStatus, EndedStatus, RolloutStatus, sessions_name, shown};
use crate::catalog::OnDisk;
use crate::revision::{Revision, RevisionId};

/// A file that is to be written.
#[derive(Debug)]
pub(crate) struct Writing {
    pub app: AppName,
    pub root: PathBuf,
    pub text: Arc<str>,
    /// What is there now.
    pub expected: Option<Arc<str>>,
}

/// Something that is to be told.
#[derive(Debug)]
pub(crate) struct Told {
    pub app: AppName,
    pub what: String,
    pub tone: Tone,
}

/// How it is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    Plain,
    Warning,
}

/// What a step comes to.
#[derive(Debug, Default)]
pub(crate) struct Todo {
    pub write: Vec<Writing>,
    pub tell: Vec<Told>,
}

#[derive(Default)]
pub(crate) struct Entry {
    pub(super) rollout: Rollout,
    /// The apps directory that its file is in.
    pub(super) root: Option<PathBuf>,
    /// What was last read from there, or written to it.
    pub(super) on_disk: Option<Arc<str>>,
    /// Why that is not in force.
    pub(super) fault: Option<String>,
    pub(super) trial: Option<Trial>,
    pub(super) pen: Pen,
    /// When the file was last written: an earlier look did not see that.
    pub(super) wrote: Option<Instant>,
    pub(super) waiters: Vec<Reply>,
}

/// Whether a file is being written.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Pen {
    #[default]
    Idle,
    Writes,
    /// And there is something newer.
    WritesOld,
    /// It could not.
    Waits {
        until: Instant,
    },
}

/// A canary that is judged.
pub(crate) struct Trial {
    pub(super) canary: Canary,
    pub(super) course: Course,
    /// What each revision had counted at the last look.
    pub(super) counted: HashMap<RevisionId, Side>,
    /// Why it is not judged.
    pub(super) waits: Option<String>,
    pub(super) next_look: Instant,
}

impl Entry {
    /// Whether nothing is known of it any more.
    pub(super) fn is_empty(&self) -> bool {
        self.on_disk.is_none() && self.waiters.is_empty() && self.pen == Pen::Idle
    }

    pub(super) fn is_shown(&self) -> bool {
        let rollout = &self.rollout;
        self.fault.is_some() || rollout.weights.is_some() || rollout.last.is_some()
    }

    pub(super) fn take_file(
        &mut self,
        app: &AppName,
        file: Option<OnDisk>,
        begun: Instant,
        now: Duration,
        todo: &mut Todo,
    ) {
        let is_old = self.wrote.is_some_and(|wrote| begun <= wrote);
        let text = file.as_ref().map(|file| &file.text);
        if is_old || self.pen != Pen::Idle || text == self.on_disk.as_ref() {
            return;
        }
        let mut tell = |what: String, tone| {
            todo.tell.push(Told {
                app: app.clone(),
                what,
                tone,
            });
        };
        let is_first = self.on_disk.is_none() && self.root.is_none();
        self.on_disk = text.cloned();
        match file {
            None => {
                self.rollout = Rollout::default();
                self.fault = None;
                tell("its rollout's file was removed".to_owned(), Tone::Plain);
            }
            Some(OnDisk {
                root, read, before, ..
            }) => {
                self.root = Some(root);
                match read {
                    Ok(rollout) => {
                        self.rollout = rollout;
                        self.fault = None;
                        tell(self.summary(), Tone::Plain);
                    }
                    Err(reason) => {
                        self.fault = Some(reason);
                        if let Some(before) = before.filter(|_| is_first) {
                            self.rollout = before;
                            tell(self.summary(), Tone::Plain);
                        }
                    }
                }
            }
        }
        self.follow_canary(now);
    }

    /// Judges the canary that is in force from now on, if that is another one than before.
    pub(super) fn follow_canary(&mut self, now: Duration) {
        let judged = self.trial.as_ref().map(|trial| &trial.canary);
        if judged == self.rollout.canary.as_ref() {
            return;
        }
        self.trial = self.rollout.canary.as_ref().map(|canary| Trial {
            canary: canary.clone(),
            course: Course::begin(canary, now),
            counted: HashMap::new(),
            waits: None,
            next_look: Instant::now(),
        });
    }

    /// What is to be written, unless somebody writes already and will be told that it is old.
    pub(super) fn write(&mut self, app: &AppName) -> Option<Writing> {
        if matches!(self.pen, Pen::Writes | Pen::WritesOld) {
            self.pen = Pen::WritesOld;
            return None;
        }
        self.pen = Pen::Writes;
        Some(Writing {
            app: app.clone(),
            root: self.root.clone()?,
            text: file::write(&self.rollout).into(),
            expected: self.on_disk.clone(),
        })
    }

    pub(super) fn look<'a, L: Iterator<Item = &'a Arc<Revision>>>(
        &mut self,
        now: Instant,
        elapsed: Duration,
        live: impl Fn() -> L,
    ) -> Option<Next> {
        let trial = self.trial.as_mut().filter(|trial| trial.next_look <= now)?;
        trial.next_look = now + LOOK_EVERY;
        let weights = self.rollout.weights.as_ref()?;
        let is_canary = |version: &Version| *version == trial.canary.version;
        let is_stable = |version: &Version| weights.of(version) > Share::NONE;
        let version = |revision: &Arc<Revision>| revision.bundle.version.clone();
        let has = |is: &dyn Fn(&Version) -> bool| live().any(|one| is(&version(one)));
        trial.waits = if !has(&is_canary) {
            Some(format!("{} does not serve", trial.canary.version))
        } else if !has(&is_stable) {
            Some("nothing that it could be compared with serves".to_owned())
        } else {
            None
        };
        let (mut canary, mut stable) = (Side::default(), Side::default());
        let mut counted = HashMap::new();
        for revision in live() {
            let side = if is_canary(&version(revision)) {
                &mut canary
            } else if is_stable(&version(revision)) {
                &mut stable
            } else {
                continue;
            };
            let total = revision.tally.side();
            // What was counted before it was watched is not of this canary.
            if let Some(before) = trial.counted.get(&revision.id) {
                side.add(&total.since(before));
            }
            counted.insert(revision.id, total);
        }
        trial.counted = counted;
        if let Some(why) = &trial.waits {
            return Some(trial.course.pass(elapsed, why));
        }
        Some(trial.course.look(elapsed, &canary, &stable))
    }

    /// Takes the step that the course says. True when that is to be written.
    pub(super) fn go_on(
        &mut self,
        next: Next,
        app: &AppName,
        now: Duration,
        todo: &mut Todo,
    ) -> bool {
        let Some(trial) = &mut self.trial else {
            return false;
        };
        let version = trial.canary.version.clone();
        let (what, tone) = match next {
            Next::Stay => return false,
            Next::Advance => {
                self.rollout.advance();
                if let Some(canary) = &self.rollout.canary {
                    trial.canary = canary.clone();
                }
                (self.summary(), Tone::Plain)
            }
            Next::Hold(reason) => {
                let share = trial.canary.share();
                let what = format!("{version} is held at {share}: {reason}");
                let app = app.clone();
                let tone = Tone::Warning;
                todo.tell.push(Told { app, what, tone });
                return false;
            }
            Next::Promote => {
                let reason = "it did as well as the stable version in every step";
                self.rollout.end(How::Promoted, reason, unix_ms());
                (format!("{version} is promoted: {reason}"), Tone::Plain)
            }
            Next::Reverse(reason) => {
                let what = format!("{version} is reversed: {reason}");
                self.rollout.end(How::Reversed, reason, unix_ms());
                (what, Tone::Warning)
            }
        };
        self.follow_canary(now);
        let app = app.clone();
        todo.tell.push(Told { app, what, tone });
        // A step further is not worth an edit that somebody has not finished.
        self.rollout.canary.is_none() || self.fault.is_none()
    }

    /// Who has which share, in a line.
    pub(super) fn summary(&self) -> String {
        let Some(weights) = self.rollout.in_force() else {
            return "has no weights".to_owned();
        };
        let parts = weights.iter();
        let parts: Vec<String> = parts
            .map(|(version, share)| format!("{version} has {share}"))
            .collect();
        parts.join(", ")
    }

    pub(super) fn status(&self, now: Duration, serving: &[Version]) -> RolloutStatus {
        let rollout = &self.rollout;
        let weights = rollout.in_force();
        let mut weights = weights.as_ref().map(shown).unwrap_or_default();
        weights.retain(|version, _| serving.iter().any(|one| one.to_string() == *version));
        let all: f64 = weights.values().sum();
        for weight in weights.values_mut() {
            *weight = (*weight * 1e4 / all).round() / 100.0;
        }
        RolloutStatus {
            weights,
            sessions: sessions_name(rollout.sessions),
            canary: self.trial.as_ref().map(|trial| trial.status(now)),
            previous: rollout.previous.as_ref().map(shown),
            last: rollout.last.as_ref().map(EndedStatus::from),
            fault: self.fault.clone(),
        }
    }
}

impl Trial {
    pub(super) fn status(&self, now: Duration) -> CanaryStatus {
        let (canary, course) = (&self.canary, &self.course);
        CanaryStatus {
            version: canary.version.to_string(),
            began: canary.began,
            steps: canary.steps.iter().map(|step| step.percent()).collect(),
            step: canary.step,
            share: canary.share().percent(),
            window_ms: ms(canary.window),
            left_ms: ms(course.left(now)),
            waits: self.waits.clone().or_else(|| course.waits(now)),
            held: course.held(now, self.waits.as_deref()),
            requests_min: canary.requests_min,
            limits: canary.limits.into(),
            judgement: course.status(),
        }
    }
}

/// Milliseconds since 1970; of a clock that stands before it, 0.
pub(crate) fn unix_ms() -> u64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH);
    ms(since.unwrap_or_default())
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
