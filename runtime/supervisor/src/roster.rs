//! The revisions that exist, from staged to drained, and the queue of those that wait to be prepared.
//!
//! **Invariant:** every change of state goes through [`Roster::step`], and so through the state machine.
//! **Absent on purpose:** deciding, preparing, draining.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::SystemTime;

use rookery_bundle::Bundle;
use rookery_lifecycle::Shutdown;
use tokio::time::Instant;

use crate::catalog::Found;
use crate::plan::{Build, Key, Standing, Wanted};
use crate::restart::Restart;
use crate::revision::{Refusal, Revision, RevisionId, State, Step};

/// All revisions.
#[derive(Default)]
pub struct Roster {
    records: BTreeMap<RevisionId, Record>,
    queue: VecDeque<RevisionId>,
    last_id: u64,
}

/// One revision.
pub struct Record {
    /// Which one.
    pub id: RevisionId,
    /// What it is a revision of.
    pub key: Key,
    /// Which build it was made of.
    pub wanted: Wanted,
    /// The bundle.
    pub bundle: Arc<Bundle>,
    /// Where the bundle lies, relative to its apps directory.
    pub folder: Arc<str>,
    /// `name@version`.
    pub label: Arc<str>,
    /// Where it is on its way; changed by [`Roster::step`].
    pub state: State,
    /// When it came into that state.
    pub since: SystemTime,
    /// When it was staged first, or again after a failure.
    pub staged: Instant,
    /// Its failures, and when it is tried again.
    pub restart: Restart,
    /// Why it was refused last, also while it is tried again.
    pub refused: Option<Refusal>,
    /// Stops its preparation.
    pub cancel: Shutdown,
    /// What is served, once it is live.
    pub revision: Option<Arc<Revision>>,
}

impl Wanted {
    /// What the catalog found, as the plan compares it.
    pub fn of(found: &Found) -> Wanted {
        Wanted {
            build: Build {
                digest: found.bundle.digest,
                dir: found.bundle.dir.clone(),
            },
            opened: found.opened,
        }
    }
}

impl Roster {
    /// Makes a revision of what was found, last in the queue.
    pub fn stage(&mut self, key: Key, found: &Found, cancel: Shutdown) -> &Record {
        self.last_id += 1;
        let id = RevisionId(self.last_id);
        self.queue.push_back(id);
        let record = Record {
            id,
            key,
            wanted: Wanted::of(found),
            bundle: Arc::clone(&found.bundle),
            folder: Arc::clone(&found.folder),
            label: found.bundle.label().into(),
            state: State::Staged,
            since: SystemTime::now(),
            staged: Instant::now(),
            restart: Restart::new(id.0),
            refused: None,
            cancel,
            revision: None,
        };
        self.records.entry(id).or_insert(record)
    }

    /// Takes a step; the record when that changed its state. A step of a revision that is gone changes nothing.
    pub fn step(&mut self, id: RevisionId, step: Step) -> Option<&mut Record> {
        let record = self.records.get_mut(&id)?;
        record.state = record.state.after(step)?;
        record.since = SystemTime::now();
        if record.state == State::Staged {
            record.staged = Instant::now();
            self.queue.push_back(id);
        }
        Some(record)
    }

    /// The one whose turn it is to be prepared.
    pub fn next_staged(&mut self) -> Option<RevisionId> {
        // Those that were withdrawn while they waited are still in the queue.
        let is_staged = |id: &RevisionId| {
            let record = self.records.get(id);
            record.is_some_and(|record| record.state == State::Staged)
        };
        std::iter::from_fn(|| self.queue.pop_front()).find(is_staged)
    }

    /// Takes those out that are retired. Their workers end with them, which is no work for under a lock.
    #[must_use]
    pub fn take_retired(&mut self) -> Vec<Record> {
        let is_retired = |_: &RevisionId, record: &mut Record| record.state == State::Retired;
        let retired = self.records.extract_if(.., is_retired);
        retired.map(|(_, record)| record).collect()
    }

    /// One of them.
    pub fn get(&self, id: RevisionId) -> Option<&Record> {
        self.records.get(&id)
    }

    /// All of them, the oldest first.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// All of them, as the plan sees them.
    pub fn standing(&self) -> impl Iterator<Item = Standing<'_>> {
        self.records.values().map(|record| Standing {
            id: record.id,
            key: &record.key,
            wanted: &record.wanted,
            state: &record.state,
        })
    }

    /// What serves, the oldest first.
    pub fn live(&self) -> impl Iterator<Item = &Arc<Revision>> {
        self.records()
            .filter(|record| record.state == State::Live)
            .filter_map(|record| record.revision.as_ref())
    }

    /// Those whose next try is due.
    pub fn take_due(&mut self, now: Instant) -> Vec<RevisionId> {
        self.records
            .values_mut()
            .filter(|record| matches!(record.state, State::Refused(_)))
            .filter_map(|record| record.restart.take_due(now).then_some(record.id))
            .collect()
    }

    /// When the next try is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.records()
            .filter(|record| matches!(record.state, State::Refused(_)))
            .filter_map(|record| record.restart.due())
            .min()
    }

    /// Whether anything waits to be prepared or is being prepared.
    pub fn is_busy(&self) -> bool {
        self.records()
            .any(|record| matches!(record.state, State::Staged | State::Warming))
    }
}
