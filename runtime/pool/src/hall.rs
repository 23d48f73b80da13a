//! Where invocations wait for a handle on a worker that shares, and how many such workers are being started for them.
//!
//! **Invariant:** a further worker is started only for those that find no seat in the ones on their way.
//! **Absent on purpose:** the wait itself, its deadline and the starts. Whoever waits here has a turn already, so there
//! are no more of them than invocations at once.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use crate::error::AcquireError;
use crate::pool::Seat;

/// What somebody who waits is given.
pub(crate) type Seated = Result<Seat, AcquireError>;

/// Who waits, and for what.
#[derive(Default)]
pub(crate) struct Hall {
    waiting: VecDeque<oneshot::Sender<Seated>>,
    /// How many workers are on their way.
    pub starting: usize,
    /// How many of them have their place, so that only their own start is missing.
    pub spawning: usize,
}

impl Hall {
    /// Whether one more who waits finds no seat in the workers on their way.
    pub fn overflows(&mut self, at_once: usize) -> bool {
        self.forget_gone();
        self.waiting.len() >= self.starting.saturating_mul(at_once)
    }

    /// How many workers on their way have no place yet.
    pub fn placeless(&self) -> usize {
        self.starting - self.spawning
    }

    /// Somebody begins to wait.
    pub fn join(&mut self) -> oneshot::Receiver<Seated> {
        let (giver, given) = oneshot::channel();
        self.waiting.push_back(giver);
        given
    }

    /// Whose turn it is.
    pub fn next(&mut self) -> Option<oneshot::Sender<Seated>> {
        self.forget_gone();
        self.waiting.pop_front()
    }

    /// It is his turn again: there was nothing for him.
    pub fn put_back(&mut self, who: oneshot::Sender<Seated>) {
        self.waiting.push_front(who);
    }

    /// Whether anybody waits.
    pub fn is_waited_in(&mut self) -> bool {
        self.forget_gone();
        !self.waiting.is_empty()
    }

    /// Tells those of it who find no seat in the workers that are still on their way, those first who came first: it was
    /// their worker.
    pub fn fail(&mut self, error: &AcquireError, at_once: usize) {
        self.forget_gone();
        let seats = self.starting.saturating_mul(at_once);
        let without = self.waiting.len().saturating_sub(seats);
        for who in self.waiting.drain(..without) {
            // He may go away in this moment.
            let _ = who.send(Err(error.clone()));
        }
    }

    /// Nobody waits any more: the givers are dropped.
    pub fn close(&mut self) {
        self.waiting.clear();
    }

    fn forget_gone(&mut self) {
        self.waiting.retain(|who| !who.is_closed());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn draining() -> AcquireError {
        let label = "app@1.0.0".to_owned();
        AcquireError::Draining { label }
    }

    #[test]
    fn one_start_is_enough_for_as_many_as_it_seats() {
        let mut hall = Hall::default();
        let mut starts = 0;
        let waiting: Vec<_> = (0..10)
            .map(|_| {
                if hall.overflows(4) {
                    hall.starting += 1;
                    starts += 1;
                }
                hall.join()
            })
            .collect();
        assert_eq!(starts, 3);
        drop(waiting);
        assert!(!hall.is_waited_in());
    }

    #[test]
    fn who_came_first_hears_of_the_start_that_failed() {
        let mut hall = Hall::default();
        let mut waiting: Vec<_> = (0..5).map(|_| hall.join()).collect();
        hall.starting = 1;
        hall.fail(&draining(), 2);
        let told: Vec<bool> = waiting
            .iter_mut()
            .map(|who| who.try_recv().is_ok())
            .collect();
        assert_eq!(told, [true, true, true, false, false]);
        hall.starting = 0;
        hall.fail(&draining(), 2);
        assert!(waiting.pop().unwrap().try_recv().unwrap().is_err());
        assert!(!hall.is_waited_in());
    }

    #[test]
    fn who_went_away_is_passed_over() {
        let mut hall = Hall::default();
        let (gone, stays) = (hall.join(), hall.join());
        drop(gone);
        assert!(!hall.next().unwrap().is_closed());
        drop(stays);
        assert!(hall.next().is_none());
    }
}
