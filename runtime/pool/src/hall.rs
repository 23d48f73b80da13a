//! Where invocations wait for a handle on a worker that shares, and how many such workers are being started for them.
//!
//! **Invariant:** a further worker is started only for those that find no seat in the ones on their way.
//! **Absent on purpose:** the wait itself, its deadline and the starts. Whoever waits here has a turn already, so there
//! are no more of them than invocations at once.

use std::collections::VecDeque;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::AcquireError;
use crate::pool::Seat;

/// What somebody who waits is given.
pub(crate) type Seated = Result<Seat, AcquireError>;

/// Somebody who waits.
pub(crate) struct Guest {
    seat: oneshot::Sender<Seated>,
    /// How long the queue allows him to.
    until: Instant,
}

impl Guest {
    /// Gives him what he waits for; given back when he goes away in this moment.
    pub fn tell(self, seated: Seated) -> Result<(), Seated> {
        self.seat.send(seated)
    }
}

/// Who waits, and for what.
#[derive(Default)]
pub(crate) struct Hall {
    waiting: VecDeque<Guest>,
    /// How many workers are on their way.
    pub starting: usize,
    /// How many of them have their place, so that only their own start is missing.
    pub spawning: usize,
}

impl Hall {
    /// Whether those who wait, and so many more, find no seat in the workers on their way.
    pub fn overflows(&mut self, more: usize, at_once: usize) -> bool {
        self.forget_gone();
        self.waiting.len() + more > self.starting.saturating_mul(at_once)
    }

    /// How many workers on their way have no place yet.
    pub fn placeless(&self) -> usize {
        self.starting - self.spawning
    }

    /// Somebody begins to wait, until then and for a worker that is being started then.
    pub fn join(&mut self, until: Instant) -> oneshot::Receiver<Seated> {
        let (seat, given) = oneshot::channel();
        self.waiting.push_back(Guest { seat, until });
        given
    }

    /// Whose turn it is.
    pub fn next(&mut self) -> Option<Guest> {
        self.forget_gone();
        self.waiting.pop_front()
    }

    /// It is his turn again: there was nothing for him.
    pub fn put_back(&mut self, who: Guest) {
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
            let _ = who.tell(Err(error.clone()));
        }
    }

    /// Tells those whose time is over, when nothing is being started that they could wait for.
    pub fn send_away(&mut self, now: Instant, error: impl Fn() -> AcquireError) {
        if self.spawning > 0 {
            return;
        }
        self.forget_gone();
        let mut at = 0;
        while let Some(who) = self.waiting.get(at) {
            if who.until > now {
                at += 1;
            } else if let Some(who) = self.waiting.remove(at) {
                let _ = who.tell(Err(error()));
            }
        }
    }

    /// Nobody waits any more: the givers are dropped.
    pub fn close(&mut self) {
        self.waiting.clear();
    }

    fn forget_gone(&mut self) {
        self.waiting.retain(|who| !who.seat.is_closed());
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
                if hall.overflows(1, 4) {
                    hall.starting += 1;
                    starts += 1;
                }
                hall.join(Instant::now())
            })
            .collect();
        assert_eq!(starts, 3);
        drop(waiting);
        assert!(!hall.is_waited_in());
    }

    #[test]
    fn who_came_first_hears_of_the_start_that_failed() {
        let mut hall = Hall::default();
        let mut waiting: Vec<_> = (0..5).map(|_| hall.join(Instant::now())).collect();
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
    fn who_is_late_is_sent_away_unless_a_start_is_on_its_way() {
        let (mut hall, now) = (Hall::default(), Instant::now());
        let mut late = hall.join(now);
        let mut early = hall.join(now + std::time::Duration::from_secs(1));
        hall.spawning = 1;
        hall.send_away(now, draining);
        assert!(late.try_recv().is_err());
        hall.spawning = 0;
        hall.send_away(now, draining);
        assert!(late.try_recv().unwrap().is_err());
        assert!(early.try_recv().is_err());
        assert!(hall.is_waited_in());
    }

    #[test]
    fn who_went_away_is_passed_over() {
        let mut hall = Hall::default();
        let (gone, stays) = (hall.join(Instant::now()), hall.join(Instant::now()));
        drop(gone);
        assert!(!hall.next().unwrap().seat.is_closed());
        drop(stays);
        assert!(hall.next().is_none());
    }
}
