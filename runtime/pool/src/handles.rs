//! Workers that share: who gets a handle on which one, and what becomes of a handle that comes back.
//!
//! **Invariant:** nobody has more handles on a worker than it takes invocations at once.
//! **Invariant:** a worker that shares is retired as a whole: no handle is given out any more, and it is let go with the
//! last one that is had.

use crate::living::Living;
use crate::policy::Reuse;
use crate::shelf::{Out, Rules, Shelf};
use crate::state::{Event, State};
use crate::worker::{Fault, Verdict, Worker};

/// What an invocation left of the worker that it had a handle on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Left {
    /// The handle may be used again.
    Whole,
    /// The handle was stopped somewhere. The worker goes on.
    Handleless,
    /// The worker must not have another invocation.
    Spent,
    /// The worker failed.
    Failed,
}

impl Left {
    /// As a verdict says. Without one the invocation was dropped, which stops it and nobody else.
    pub fn by(verdict: Option<&Verdict>) -> Left {
        match verdict {
            Some(Verdict::Reusable) => Left::Whole,
            None | Some(Verdict::Fault(Fault::Cancelled | Fault::Unsupported(_))) => {
                Left::Handleless
            }
            Some(Verdict::Spent) => Left::Spent,
            Some(Verdict::Fault(_)) => Left::Failed,
        }
    }
}

impl Shelf {
    /// A handle on an idle worker, else on the one that is had by the fewest, and that worker's number.
    pub fn handle(
        &mut self,
        rules: Rules<'_>,
        at_once: usize,
        out: &mut Out,
    ) -> Option<(u64, Box<dyn Worker>)> {
        loop {
            let idle = self.take(rules, out);
            let mut living = match idle {
                Some(living) => living,
                None => self.take_roomiest(rules, at_once, out)?,
            };
            let Some(handle) = living.handle() else {
                // It said that it shares, and does not.
                self.bury(living, out);
                continue;
            };
            living.step(Event::Leased);
            living.serves();
            let number = living.number;
            self.lay_busy(living, rules, out);
            return Some((number, handle));
        }
    }

    /// Takes a handle back, if it may be used again. True when the worker failed, and that was not
    /// known.
    pub fn take_back(
        &mut self,
        number: u64,
        handle: Option<Box<dyn Worker>>,
        left: Left,
        rules: Rules<'_>,
        out: &mut Out,
    ) -> bool {
        let Some(mut living) = self.take_numbered(number) else {
            return false;
        };
        living.used(rules.now);
        living.handles.extend(handle);
        if matches!(left, Left::Spent | Left::Failed) {
            living.retire();
        }
        // It may have been retiring already, of age or to give way, and fail all the same.
        let fails = left == Left::Failed && living.fail();
        living.step(Event::Returned);
        match living.state() {
            State::Idle => self.put(living, rules, out),
            State::Busy(_) => self.busy.push(living),
            _ => self.retire(living, &mut out.over),
        }
        fails
    }

    /// The worker with this number, if it is among those that somebody has a handle on.
    pub fn busy(&mut self, number: u64) -> Option<&mut Living> {
        let all = self.busy.iter_mut().chain(&mut self.retiring);
        all.into_iter().find(|living| living.number == number)
    }

    /// Lets no more handles out of those that are dead or served enough.
    pub(super) fn sweep_busy(&mut self, rules: Rules<'_>, out: &mut Out) {
        let mut at = 0;
        while let Some(living) = self.busy.get(at) {
            if may_serve(living, rules) {
                at += 1;
            } else {
                let living = self.busy.swap_remove(at);
                self.lay_busy(living, rules, out);
            }
        }
    }

    /// Lets no more handles out of the one that is had by the fewest, if there is one.
    pub fn tire_one(&mut self, out: &mut Out) -> bool {
        let busy = self.busy.iter().enumerate();
        let fewest = busy.min_by_key(|(_, living)| living.state().leases());
        let Some(at) = fewest.map(|(at, _)| at) else {
            return false;
        };
        let living = self.busy.swap_remove(at);
        self.retire(living, &mut out.over);
        true
    }

    fn lay_busy(&mut self, living: Living, rules: Rules<'_>, out: &mut Out) {
        if may_serve(&living, rules) {
            self.busy.push(living);
        } else if living.worker.is_alive() {
            self.retire(living, &mut out.over);
        } else {
            self.bury(living, out);
        }
    }

    fn take_roomiest(&mut self, rules: Rules<'_>, at_once: usize, out: &mut Out) -> Option<Living> {
        self.sweep_busy(rules, out);
        let with_room = self.busy.iter().enumerate();
        let with_room = with_room.filter(|(_, living)| living.state().has_room(at_once));
        let (at, _) = with_room.min_by_key(|(_, living)| living.state().leases())?;
        Some(self.busy.swap_remove(at))
    }

    fn take_numbered(&mut self, number: u64) -> Option<Living> {
        let is_it = |living: &Living| living.number == number;
        if let Some(at) = self.busy.iter().position(is_it) {
            return Some(self.busy.swap_remove(at));
        }
        let at = self.retiring.iter().position(is_it)?;
        Some(self.retiring.swap_remove(at))
    }
}

/// Whether a worker that somebody has may be had by one more. It is not idle, however long ago the last one was done.
fn may_serve(living: &Living, rules: Rules<'_>) -> bool {
    let reuse = rules.policy.reuse(living.life, rules.now);
    living.worker.is_alive() && matches!(reuse, Reuse::Yes | Reuse::Idle)
}
