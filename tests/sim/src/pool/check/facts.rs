//! What stands in the trace about builds and workers, for those checkers that need it.

use std::collections::BTreeMap;

use crate::pool::event::{Build, ClientId, Event, Promise, WorkerId};
use crate::trace::Entry;

/// Who belongs to whom.
#[derive(Default)]
pub struct Facts {
    /// What was promised of a build's workers.
    pub promises: BTreeMap<Build, Promise>,
    /// Whose worker it is.
    pub build_of: BTreeMap<WorkerId, Build>,
    /// Whom a client was sent to.
    pub asked: BTreeMap<ClientId, Build>,
}

impl Facts {
    /// Those of a trace.
    pub fn of(entries: &[Entry<Event>]) -> Facts {
        let mut facts = Facts::default();
        for entry in entries {
            match &entry.event {
                Event::Prepared(build, promise) => {
                    facts.promises.insert(*build, *promise);
                }
                Event::Starting(worker, build) => {
                    facts.build_of.insert(*worker, *build);
                }
                Event::Asked(client, build) => {
                    facts.asked.insert(*client, *build);
                }
                _ => {}
            }
        }
        facts
    }

    /// What was promised of this worker.
    pub fn promise_of(&self, worker: WorkerId) -> Option<&Promise> {
        self.promises.get(self.build_of.get(&worker)?)
    }
}
