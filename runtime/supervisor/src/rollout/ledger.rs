//! All rollouts, as the supervisor's loop holds them: what is in force, what of it is on disk, and who waits for that.
//!
//! **Invariant:** what is decided is in force at once; it is written afterwards, and who asked for it hears of it when it
//! is on the disk.
//! **Invariant:** a file that cannot be read leaves in force what was before.
//! **Absent on purpose:** doing. Each step says what is to be written and told, and the loop does that.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rookery_bundle::AppName;
use rookery_routing::{Sessions, Weights};
use semver::Version;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::change::{Change, Ground};
use super::disk::{Unwritten, name_of};
use super::entry::{Entry, Pen, Todo, Told, Tone, Writing};
use super::error::RolloutError;
use super::status::RolloutStatus;
use crate::catalog::OnDisk;
use crate::revision::Revision;
use crate::tags::Tags;

/// How many changes of one app may wait for its file.
const WAITERS_MAX: usize = 64;
/// When it is tried again to write a file that could not be written.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Who waits to hear what came of a change.
pub(crate) type Reply = oneshot::Sender<Result<RolloutStatus, RolloutError>>;

/// How an app's requests are spread.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct InForce {
    pub app: AppName,
    /// With the canary's share.
    pub weights: Weights,
    pub sessions: Sessions,
    /// The canary's version, and the weights without it.
    pub tried: Option<(Version, Weights)>,
}

/// All rollouts.
pub(crate) struct Ledger {
    entries: BTreeMap<AppName, Entry>,
    /// Where the files of apps are written that have none.
    home: Option<PathBuf>,
    /// What courses count their time from.
    origin: Instant,
}

impl Ledger {
    /// Without any; new files are written to `home`.
    pub fn new(home: Option<PathBuf>) -> Ledger {
        Ledger {
            entries: BTreeMap::new(),
            home,
            origin: Instant::now(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes what a look at the disk found, which began at `begun`.
    pub fn take_files(&mut self, mut files: BTreeMap<AppName, OnDisk>, begun: Instant) -> Todo {
        let mut todo = Todo::default();
        let now = self.origin.elapsed();
        for (app, entry) in &mut self.entries {
            let file = files.remove(app);
            entry.take_file(app, file, begun, now, &mut todo);
        }
        for (app, file) in files {
            let entry = self.entries.entry(app.clone()).or_default();
            entry.take_file(&app, Some(file), begun, now, &mut todo);
        }
        self.entries.retain(|_, entry| !entry.is_empty());
        todo
    }

    /// Does what an operator wants, if it can be done.
    pub fn change(&mut self, app: &AppName, change: Change, ground: &Ground, reply: Reply) -> Todo {
        let mut todo = Todo::default();
        let home = self.home.clone();
        let entry = self.entries.entry(app.clone()).or_default();
        let refused = if entry.waiters.len() >= WAITERS_MAX {
            Some(RolloutError::Busy)
        } else if entry.root.is_none() && home.is_none() {
            Some(RolloutError::NoPlace)
        } else {
            match entry.rollout.after(change, ground) {
                Ok(next) => {
                    entry.rollout = next;
                    None
                }
                Err(error) => Some(error),
            }
        };
        if let Some(error) = refused {
            // Who asked may have left.
            let _ = reply.send(Err(error));
            self.entries.retain(|_, entry| !entry.is_empty());
            return todo;
        }
        entry.root = entry.root.take().or(home);
        entry.fault = None;
        entry.waiters.push(reply);
        entry.follow_canary(self.origin.elapsed());
        todo.tell.push(Told {
            app: app.clone(),
            what: entry.summary(),
            tone: Tone::Plain,
        });
        todo.write.extend(entry.write(app));
        todo
    }

    /// Takes how the writing of a file ended.
    pub fn wrote(
        &mut self,
        writing: Writing,
        outcome: Result<(), Unwritten>,
        serving: &[Version],
    ) -> Todo {
        let mut todo = Todo::default();
        let now = self.origin.elapsed();
        let Writing { app, text, .. } = writing;
        let Some(entry) = self.entries.get_mut(&app) else {
            return todo;
        };
        let stale = std::mem::take(&mut entry.pen) == Pen::WritesOld;
        let file = name_of(&app);
        let answer = match outcome {
            Ok(()) => {
                (entry.on_disk, entry.wrote) = (Some(text), Some(Instant::now()));
                if stale {
                    todo.write.extend(entry.write(&app));
                    return todo;
                }
                Ok(entry.status(now, serving))
            }
            // The next look at the disk brings what is there.
            Err(Unwritten::ChangedMeanwhile) => Err(RolloutError::ChangedMeanwhile { file }),
            Err(Unwritten::Disk(error)) => {
                let until = Instant::now() + RETRY_AFTER;
                entry.pen = Pen::Waits { until };
                let reason = error.to_string();
                Err(RolloutError::NotWritten { file, reason })
            }
        };
        if let Err(error) = &answer {
            todo.tell.push(Told {
                app: app.clone(),
                what: error.to_string(),
                tone: Tone::Warning,
            });
        }
        for reply in entry.waiters.drain(..) {
            let _ = reply.send(answer.clone());
        }
        todo
    }

    /// When somebody has to look next.
    pub fn next_due(&self) -> Option<Instant> {
        let entries = self.entries.values();
        let due = entries.flat_map(|entry| {
            let look = entry.trial.as_ref().map(|trial| trial.next_look);
            let retry = match entry.pen {
                Pen::Waits { until } => Some(until),
                Pen::Idle | Pen::Writes | Pen::WritesOld => None,
            };
            look.into_iter().chain(retry)
        });
        due.min()
    }

    /// Judges every canary whose time it is, by what these revisions counted.
    pub fn judge(&mut self, live: &[Arc<Revision>]) -> Todo {
        let mut todo = Todo::default();
        let (now, elapsed) = (Instant::now(), self.origin.elapsed());
        for (app, entry) in &mut self.entries {
            if matches!(entry.pen, Pen::Waits { until } if until <= now) {
                todo.write.extend(entry.write(app));
            }
            let ours = || live.iter().filter(|revision| revision.bundle.name == *app);
            let Some(next) = entry.look(now, elapsed, ours) else {
                continue;
            };
            if entry.go_on(next, app, elapsed, &mut todo) {
                todo.write.extend(entry.write(app));
            }
        }
        todo
    }

    /// What is in force.
    pub fn in_force(&self) -> Vec<InForce> {
        let entries = self.entries.iter();
        let in_force = entries.filter_map(|(app, entry)| {
            let rollout = &entry.rollout;
            let tried = rollout.canary.as_ref().map(|canary| &canary.version);
            Some(InForce {
                app: app.clone(),
                weights: rollout.in_force()?,
                sessions: rollout.sessions,
                tried: tried.cloned().zip(rollout.weights.clone()),
            })
        });
        in_force.collect()
    }

    /// Puts the tags that are set in files over those that are links.
    pub fn tags_over(&self, links: &Tags) -> Tags {
        let mut tags = links.clone();
        for (app, entry) in &self.entries {
            let own = entry.rollout.tags.iter();
            tags.extend(
                own.map(|(name, version)| ((app.clone(), name.as_str().into()), version.clone())),
            );
        }
        tags
    }

    /// What is shown of all of them.
    pub fn statuses<'a>(
        &'a self,
        serving: impl Fn(&AppName) -> &'a [Version],
    ) -> BTreeMap<String, RolloutStatus> {
        let now = self.origin.elapsed();
        let entries = self.entries.iter();
        let shown = entries.filter(|(_, entry)| entry.is_shown());
        shown
            .map(|(app, entry)| (app.to_string(), entry.status(now, serving(app))))
            .collect()
    }
}

#[cfg(test)]
mod tests;
