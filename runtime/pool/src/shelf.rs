//! The workers of one revision that nobody has, or that are had through handles.
//!
//! The one used last is taken first, so that those not needed grow old and are retired.
//!
//! **Invariant:** a worker lies in one list, the one that its state names: idle, busy (it shares), or retiring.
//! **Absent on purpose:** the lock, and the end of a worker. What leaves is given out, to be ended outside the lock.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::hall::Hall;
use crate::living::Living;
use crate::policy::{Life, Policy, Reuse};
use crate::state::{Event, State};

/// What the shelf goes by.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub policy: &'a Policy,
    pub now: Instant,
    /// How many idle workers idleness does not retire.
    pub kept: usize,
}

/// Workers that leave. Nobody has them any more.
#[derive(Default)]
pub(crate) struct Out {
    /// They served enough, are too old, or give way.
    pub over: Vec<Living>,
    /// They had nothing to do for too long.
    pub idle: Vec<Living>,
    /// They ended by themselves.
    pub dead: Vec<Living>,
    /// How many were found dead, those included that somebody still has a handle on.
    pub died: usize,
}

impl Out {
    /// Whether nobody leaves and nobody was found dead.
    pub fn is_empty(&self) -> bool {
        self.over.is_empty() && self.idle.is_empty() && self.dead.is_empty() && self.died == 0
    }
}

/// The workers that lie here.
#[derive(Default)]
pub(crate) struct Shelf {
    /// The one idle longest in front.
    pub(super) idle: VecDeque<Living>,
    /// Of workers that share: somebody has a handle on each.
    pub(super) busy: Vec<Living>,
    /// Somebody has a handle on each, or a tunnel through it.
    pub(super) retiring: Vec<Living>,
    /// How many are away to be told something.
    pub away: usize,
    /// Who waits for a handle, and what is being started for him.
    pub hall: Hall,
    pub(super) is_closed: bool,
}

impl Shelf {
    /// The worker used last, if it may still serve; idleness is no reason against one of those that are to be ready.
    pub fn take(&mut self, rules: Rules<'_>, out: &mut Out) -> Option<Living> {
        while let Some(living) = self.idle.pop_back() {
            if !living.worker.is_alive() {
                self.bury(living, out);
                continue;
            }
            match rules.policy.reuse(living.life, rules.now) {
                Reuse::Yes => return Some(living),
                Reuse::Idle if rules.kept > 0 || living.has_tunnels() => return Some(living),
                Reuse::Idle => self.retire(living, &mut out.idle),
                Reuse::No | Reuse::Never => self.retire(living, &mut out.over),
            }
        }
        None
    }

    /// Puts a worker back that nobody has any more, if it may serve again.
    pub fn put(&mut self, living: Living, rules: Rules<'_>, out: &mut Out) {
        let may_stay = !self.is_closed && self.idle.len() < rules.policy.idle_max;
        if may_stay && rules.policy.reuse(living.life, rules.now) == Reuse::Yes {
            self.lay(living);
        } else {
            self.retire(living, &mut out.over);
        }
    }

    /// Lays an idle worker where it belongs: mostly at the end, for it was used last.
    pub fn lay(&mut self, living: Living) {
        let used = living.life.last_used;
        let at = self
            .idle
            .iter()
            .rposition(|other| other.life.last_used <= used);
        self.idle.insert(at.map_or(0, |at| at + 1), living);
    }

    /// The worker idle longest, to give way.
    pub fn take_oldest(&mut self, out: &mut Out) -> bool {
        let at = self.idle.iter().position(|living| !living.has_tunnels());
        let oldest = at.and_then(|at| self.idle.remove(at));
        let is_found = oldest.is_some();
        if let Some(living) = oldest {
            self.retire(living, &mut out.over);
        }
        is_found
    }

    /// How many are idle beyond those that are to be ready, and none of their tunnels is open.
    pub fn spare(&self, kept: usize) -> usize {
        let free = self.idle.iter().filter(|living| !living.has_tunnels());
        free.count().min(self.idle.len().saturating_sub(kept))
    }

    /// Since when the oldest is idle.
    pub fn oldest(&self) -> Option<Instant> {
        let mut free = self.idle.iter().filter(|living| !living.has_tunnels());
        free.next().map(|living| living.life.last_used)
    }

    /// Lets those go that may not serve any more, but for the last used ones of those that are to be ready. They need
    /// not be the ones in front: the last one used may be the oldest.
    pub fn sweep(&mut self, rules: Rules<'_>, out: &mut Out) {
        for living in std::mem::take(&mut self.idle).into_iter().rev() {
            if !living.worker.is_alive() {
                self.bury(living, out);
                continue;
            }
            let stays = self.idle.len() < rules.kept || living.has_tunnels();
            match rules.policy.reuse(living.life, rules.now) {
                Reuse::Yes => self.idle.push_front(living),
                Reuse::Idle if stays => self.idle.push_front(living),
                Reuse::Idle => self.retire(living, &mut out.idle),
                Reuse::No | Reuse::Never => self.retire(living, &mut out.over),
            }
        }
        self.sweep_busy(rules, out);
    }

    /// One of those that stay and are to be told that they are idle. It is away until it is put back.
    pub fn take_to_hear_idle(&mut self, policy: &Policy, now: Instant) -> Option<Living> {
        let at = self
            .idle
            .iter()
            .position(|living| policy.is_to_hear_idle(living.life, now) && !living.has_tunnels())?;
        let mut living = self.idle.remove(at)?;
        living.life.told_idle = true;
        living.step(Event::Leased);
        self.away += 1;
        Some(living)
    }

    /// Lets a worker go when nobody has it; else as soon as that is so.
    pub fn retire(&mut self, mut living: Living, out: &mut Vec<Living>) {
        living.retire();
        if living.is_free() {
            out.push(living);
        } else {
            self.retiring.push(living);
        }
    }

    /// Lets a worker go that ended by itself.
    pub fn bury(&mut self, mut living: Living, out: &mut Out) {
        out.died += usize::from(living.fail());
        self.retire(living, &mut out.dead);
    }

    /// A tunnel through this worker has ended, which was work.
    pub fn tunnel_ended(&mut self, number: u64, now: Instant, out: &mut Out) {
        let is_it = |living: &Living| living.number == number;
        if let Some(at) = self.idle.iter().position(is_it)
            && let Some(mut living) = self.idle.remove(at)
        {
            living.used(now);
            self.idle.push_back(living);
        }
        let freed = self.retiring.extract_if(.., |living| living.is_free());
        out.over.extend(freed);
    }

    /// Lets all go that nobody has.
    pub fn retire_idle(&mut self, out: &mut Out) {
        for living in std::mem::take(&mut self.idle) {
            self.retire(living, &mut out.over);
        }
    }

    /// Lets all go that nobody has and keeps none from now on.
    pub fn close(&mut self, out: &mut Out) {
        self.is_closed = true;
        self.retire_idle(out);
        for living in std::mem::take(&mut self.busy) {
            self.retire(living, &mut out.over);
        }
        self.hall.close();
    }

    /// Lets those go that only tunnels keep. The tunnels end with them.
    pub fn cut_tunnels(&mut self, out: &mut Out) {
        let is_cut = |living: &mut Living| living.state() == State::Retiring(0);
        out.over.extend(self.retiring.extract_if(.., is_cut));
    }

    /// Whether it keeps nobody.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// How many are idle.
    pub fn idle(&self) -> usize {
        self.idle.len()
    }

    /// How many have nothing to do, or will when they are back or have started.
    pub fn ready(&self) -> usize {
        self.idle.len() + self.away + self.hall.starting
    }

    /// How many somebody has a handle on, and others may get one.
    pub fn busy_workers(&self) -> usize {
        self.busy.len()
    }

    /// How many are let go when those who have them are done.
    pub fn retiring(&self) -> usize {
        self.retiring.len()
    }

    /// How many take invocations, or will when they are back.
    pub fn serving(&self) -> usize {
        self.idle.len() + self.busy.len() + self.away
    }

    /// How many live that nobody has whole.
    pub fn len(&self) -> usize {
        self.serving() + self.retiring.len()
    }

    /// Writes down how much memory each has.
    pub fn weigh(&self) {
        let others = self.busy.iter().chain(&self.retiring);
        self.idle.iter().chain(others).for_each(Living::weigh);
    }

    /// Their lives, for the statistics.
    pub fn lives(&self) -> impl Iterator<Item = Life> {
        let idle = self.idle.iter();
        let others = self.busy.iter().chain(&self.retiring);
        idle.chain(others).map(|living| living.life)
    }
}
