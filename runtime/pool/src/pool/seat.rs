//! A handle on a worker that shares: one with room, else one that is being started.
//!
//! **Invariant:** a handle that was given comes back or is counted out, even when whoever asked went away meanwhile.
//! **Absent on purpose:** the start itself, in `sharing.rs`.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::sharing::Starting;
use super::start::START_WITHIN;
use super::{Pool, Waiting};
use crate::error::AcquireError;
use crate::hall::Seated;
use crate::handles::Left;
use crate::living::Living;
use crate::shelf::{Out, Shelf};
use crate::worker::{Verdict, Worker};

/// A handle on a worker that shares. Dropped, it stops what it does, and the worker goes on.
pub(crate) struct Seat {
    pool: Arc<Pool>,
    /// Which worker of the pool.
    number: u64,
    handle: Option<Box<dyn Worker>>,
}

/// What there is for somebody who wants a seat.
enum Found<'a> {
    Seat(Seat),
    /// He waits for one, perhaps as one of the queue.
    Wait(oneshot::Receiver<Seated>, Option<Waiting<'a>>),
}

impl Pool {
    /// A handle on a worker.
    pub(super) async fn seat(self: &Arc<Self>, asked: Instant) -> Result<Seat, AcquireError> {
        let mut out = Out::default();
        let found = self.find_seat(asked, &mut out);
        self.let_go(out);
        match found? {
            Found::Seat(seat) => {
                self.stats.hit();
                Ok(seat)
            }
            Found::Wait(given, waiting) => {
                self.stats.miss();
                self.wait_for_seat(given, waiting, asked).await
            }
        }
    }

    fn find_seat(
        self: &Arc<Self>,
        asked: Instant,
        out: &mut Out,
    ) -> Result<Found<'_>, AcquireError> {
        let rules = self.rules(Instant::now());
        let mut shelf = self.shelf.lock();
        if let Some((number, handle)) = shelf.handle(rules, self.at_once, out) {
            return Ok(Found::Seat(self.seat_on(number, handle)));
        }
        if shelf.is_closed() {
            return Err(self.draining());
        }
        let is_needed = self.may_add_worker(&shelf) && shelf.hall.overflows(1, self.at_once);
        if is_needed {
            // A revision that cannot start evicts nobody.
            self.may_start()?;
        }
        let placeless = shelf.hall.placeless() + usize::from(is_needed);
        let is_full = !self.budget.has_room_for(placeless);
        let waiting = is_full.then(|| self.join_queue()).transpose()?;
        let given = shelf.hall.join(asked + self.policy.queue_timeout);
        let starting = is_needed.then(|| Starting::announce(self, &mut shelf));
        drop(shelf);
        if let Some(starting) = starting {
            self.start_sharing(starting);
        }
        Ok(Found::Wait(given, waiting))
    }

    /// Waits for a seat as long as the queue allows; once its worker has its place, as long as a start may take.
    async fn wait_for_seat(
        &self,
        mut given: oneshot::Receiver<Seated>,
        waiting: Option<Waiting<'_>>,
        asked: Instant,
    ) -> Result<Seat, AcquireError> {
        let until = asked + self.policy.queue_timeout;
        let mut seated = timeout_at(until, &mut given).await;
        drop(waiting);
        if seated.is_err() && self.shelf.lock().hall.spawning > 0 {
            seated = timeout_at(until + START_WITHIN, &mut given).await;
        }
        match seated {
            Ok(Ok(seated)) => seated,
            Ok(Err(_closed)) => Err(self.draining()),
            Err(_elapsed) => Err(self.queue_timeout()),
        }
    }

    /// Gives a worker, or what is free of it, to those who wait.
    pub(super) fn worker_is_free(self: &Arc<Self>) {
        if self.at_once > 1 {
            self.seat_waiting();
        }
        self.give_way_if_wanted();
    }

    fn seat_waiting(self: &Arc<Self>) {
        let (mut out, mut unwanted) = (Out::default(), Vec::new());
        let rules = self.rules(Instant::now());
        let mut shelf = self.shelf.lock();
        while let Some(who) = shelf.hall.next() {
            let Some((number, handle)) = shelf.handle(rules, self.at_once, &mut out) else {
                shelf.hall.put_back(who);
                break;
            };
            // Who goes away in this moment leaves his seat to the next.
            let seated = who.tell(Ok(self.seat_on(number, handle)));
            unwanted.extend(seated.err());
        }
        let starts = self.starts_for_waiting(&mut shelf);
        shelf.hall.send_away(rules.now, || self.queue_timeout());
        drop(shelf);
        for starting in starts {
            self.start_sharing(starting);
        }
        // Both lock the shelf.
        drop(unwanted);
        self.let_go(out);
    }

    /// The starts that those need who still wait: the worker that they waited for may have died, or have served enough
    /// before it was their turn.
    fn starts_for_waiting(self: &Arc<Self>, shelf: &mut Shelf) -> Vec<Starting> {
        let mut starts = Vec::new();
        while self.may_add_worker(shelf) && shelf.hall.overflows(0, self.at_once) {
            if let Err(error) = self.may_start() {
                shelf.hall.fail(&error, self.at_once);
                break;
            }
            starts.push(Starting::announce(self, shelf));
        }
        starts
    }

    fn seat_on(self: &Arc<Self>, number: u64, handle: Box<dyn Worker>) -> Seat {
        Seat {
            pool: Arc::clone(self),
            number,
            handle: Some(handle),
        }
    }

    fn leave(self: &Arc<Self>, number: u64, handle: Option<Box<dyn Worker>>, left: Left) {
        let mut out = Out::default();
        let rules = self.rules(Instant::now());
        let mut shelf = self.shelf.lock();
        let has_failed = shelf.take_back(number, handle, left, rules, &mut out);
        drop(shelf);
        match left {
            Left::Whole => self.setback.lock().succeeded(),
            _ if has_failed => self.stats.failed(),
            _ => {}
        }
        self.let_go(out);
        self.worker_is_free();
    }
}

impl Seat {
    /// The handle.
    pub fn worker(&mut self) -> &mut dyn Worker {
        let handle = self.handle.as_mut();
        &mut **handle.expect("a seat has its handle until it is left")
    }

    /// Gives the handle back as the invocation left it.
    pub fn leave(mut self, verdict: &Verdict) {
        let left = Left::by(Some(verdict));
        let mut handle = self.handle.take();
        if left != Left::Whole {
            drop(handle.take());
        }
        self.pool.leave(self.number, handle, left);
    }

    /// Keeps the worker, without a turn, until it is dropped; and the worker's number.
    pub fn keep(&self) -> (u64, Option<Arc<()>>) {
        let mut shelf = self.pool.shelf.lock();
        let living = shelf.busy(self.number);
        (self.number, living.map(Living::tunnel))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Left with its handle dropped first: what it did has ended when the next one begins.
        if let Some(handle) = self.handle.take() {
            drop(handle);
            self.pool.leave(self.number, None, Left::Handleless);
        }
    }
}
