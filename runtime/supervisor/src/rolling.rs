//! What the loop does about rollouts: hears commands, judges canaries, writes files, and tells of it.
//!
//! **Invariant:** a file is written on tokio's blocking threads, one at a time for each app, within [`WRITE_DEADLINE`].
//! **Absent on purpose:** deciding (`rollout/`).

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rookery_bundle::AppName;
use semver::Version;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::apply::{Ended, Work};
use crate::catalog::Look;
use crate::event::Event;
use crate::rollout::disk::{self, Unwritten};
use crate::rollout::ledger::Reply;
use crate::rollout::{Change, Ground, Todo, Told, Tone, Writing, unix_ms};
use crate::table;

/// How long the disk may take for a file of a few hundred bytes.
const WRITE_DEADLINE: Duration = Duration::from_secs(5);

/// How many commands may be on their way to the loop.
pub(crate) const COMMANDS_MAX: usize = 16;

/// What an operator wants of a rollout.
pub(crate) struct Command {
    pub app: AppName,
    pub change: Change,
    pub reply: Reply,
}

impl Work {
    /// Takes note of the rollouts' files.
    pub(crate) fn take_files(&mut self, look: &mut Look) {
        let begun = look.begun.map_or_else(Instant::now, Instant::from_std);
        let todo = self
            .ledger
            .take_files(std::mem::take(&mut look.rollouts), begun);
        self.attend(todo);
    }

    /// Does what an operator wants.
    pub(crate) fn obey(&mut self, command: Command) {
        let Command { app, change, reply } = command;
        let ground = self.ground(&app);
        let todo = self.ledger.change(&app, change, &ground, reply);
        self.attend(todo);
    }

    /// Looks at the canaries whose time it is.
    pub(crate) fn judge(&mut self) {
        let live: Vec<_> = self.shared.roster.lock().live().cloned().collect();
        let todo = self.ledger.judge(&live);
        self.attend(todo);
    }

    /// Takes how the writing of a file ended.
    pub(crate) fn take_written(&mut self, writing: Writing, outcome: Result<(), Unwritten>) {
        let serving = self.serving().remove(&writing.app).unwrap_or_default();
        if matches!(outcome, Err(Unwritten::ChangedMeanwhile)) {
            self.shared.look_soon();
        }
        let todo = self.ledger.wrote(writing, outcome, &serving);
        self.attend(todo);
    }

    /// Shows what is in force, and how canaries do.
    pub(crate) fn show_rollouts(&self) {
        if self.ledger.is_empty() && self.shared.rollouts.lock().is_empty() {
            return;
        }
        let serving = self.serving();
        let of = |app: &AppName| serving.get(app).map_or(&[][..], Vec::as_slice);
        let statuses = self.ledger.statuses(of);
        *self.shared.rollouts.lock() = statuses;
    }

    fn attend(&mut self, todo: Todo) {
        for Told { app, what, tone } in todo.tell {
            match tone {
                Tone::Plain => tracing::info!(%app, what, "rollout"),
                Tone::Warning => tracing::warn!(%app, what, "rollout"),
            }
            self.shared.send(Event::Rollout {
                app: app.as_str().into(),
                what: what.into(),
            });
        }
        for writing in todo.write {
            self.write(writing);
        }
    }

    fn write(&mut self, writing: Writing) {
        let (sender, receiver) = oneshot::channel();
        let job = Writing {
            app: writing.app.clone(),
            root: writing.root.clone(),
            text: Arc::clone(&writing.text),
            expected: writing.expected.clone(),
        };
        self.tasks.spawn("write rollout", async move {
            let write = move || {
                let expected = job.expected.as_deref();
                disk::write(&job.root, &job.app, &job.text, expected)
            };
            let written = timeout(WRITE_DEADLINE, tokio::task::spawn_blocking(write)).await;
            let outcome = match written {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(panicked)) => Err(Unwritten::Disk(io::Error::other(panicked))),
                Err(_elapsed) => Err(Unwritten::Disk(io::ErrorKind::TimedOut.into())),
            };
            // The loop may have ended.
            let _ = sender.send(outcome);
        });
        self.under_way.push(Box::pin(async move {
            let outcome = receiver
                .await
                .unwrap_or_else(|_aborted| Err(Unwritten::Disk(io::ErrorKind::Interrupted.into())));
            Ended::Writing { writing, outcome }
        }));
    }

    fn ground(&self, app: &AppName) -> Ground {
        let table = self.shared.table.load();
        Ground {
            app: app.to_string(),
            serving: self.serving().remove(app).unwrap_or_default(),
            unpinned: table::unpinned(&table, app.as_str()).cloned(),
            now: unix_ms(),
        }
    }

    /// The versions of each app that serve, ascending.
    fn serving(&self) -> BTreeMap<AppName, Vec<Version>> {
        let mut serving: BTreeMap<AppName, Vec<Version>> = BTreeMap::new();
        for revision in self.shared.roster.lock().live() {
            let bundle = &revision.bundle;
            let versions = serving.entry(bundle.name.clone()).or_default();
            versions.push(bundle.version.clone());
        }
        for versions in serving.values_mut() {
            versions.sort();
            versions.dedup();
        }
        serving
    }
}
