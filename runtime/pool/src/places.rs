//! The places of a budget, and how one that becomes free finds who waits for it.
//!
//! **Invariant:** a place is free only when nobody waits; it goes from hand to hand otherwise.
//! **Absent on purpose:** eviction. The budget makes places free; here they are given out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::rounds::{Kin, Rounds, Ticket};
use crate::state;

/// So many places, free or taken.
#[derive(Debug)]
pub(crate) struct Places {
    // Held to move one place, never while one is dropped: dropping a place takes it.
    state: Mutex<State>,
    /// In how many of them a worker has nothing to do.
    idle: AtomicUsize,
}

#[derive(Debug)]
struct State {
    free: usize,
    waiting: Rounds<oneshot::Sender<Place>>,
}

/// The right of one worker to live. Goes to the next who waits when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    /// Absent when it was taken back before it was given.
    of: Option<Arc<Places>>,
    is_idle: bool,
}

/// Somebody's wait for a place; over when it is dropped.
pub(crate) struct Wait {
    places: Arc<Places>,
    ticket: Option<Ticket>,
    given: oneshot::Receiver<Place>,
}

impl Places {
    /// So many, all free.
    pub fn new(count: usize) -> Arc<Places> {
        let state = State {
            free: count,
            waiting: Rounds::default(),
        };
        Arc::new(Places {
            state: Mutex::new(state),
            idle: AtomicUsize::new(0),
        })
    }

    /// How many are free.
    pub fn free(&self) -> usize {
        self.state.lock().free
    }

    /// In how many of them a worker has nothing to do.
    pub fn idle(&self) -> usize {
        self.idle.load(Ordering::SeqCst)
    }

    /// The pools that have somebody waiting, the next one first.
    pub fn waiting(&self) -> Vec<u64> {
        self.state.lock().waiting.pools().collect()
    }

    /// One, if one is free. Then nobody waits, so nobody is passed over.
    pub fn take(self: &Arc<Self>) -> Option<Place> {
        let mut state = self.state.lock();
        state.free = state.free.checked_sub(1)?;
        Some(self.place())
    }

    /// Begins to wait for one, as one of this pool.
    pub fn wait(self: &Arc<Self>, kin: Kin) -> Wait {
        let (giver, given) = oneshot::channel();
        let mut state = self.state.lock();
        let ticket = if state.free > 0 {
            state.free -= 1;
            giver
                .send(self.place())
                .expect("its receiver is in this function");
            None
        } else {
            Some(state.waiting.join(kin, giver))
        };
        drop(state);
        Wait {
            places: Arc::clone(self),
            ticket,
            given,
        }
    }

    fn place(self: &Arc<Self>) -> Place {
        Place {
            of: Some(Arc::clone(self)),
            is_idle: false,
        }
    }

    fn hand_on(self: &Arc<Self>) {
        loop {
            let mut state = self.state.lock();
            let Some(next) = state.waiting.next() else {
                state.free += 1;
                return;
            };
            drop(state);
            match next.send(self.place()) {
                Ok(()) => return,
                // He went away in this moment: the place was never his.
                Err(mut place) => place.of = None,
            }
        }
    }
}

impl Place {
    /// Its worker is in this state now.
    pub fn has(&mut self, state: state::State) {
        let is_idle = state == state::State::Idle;
        let was_idle = std::mem::replace(&mut self.is_idle, is_idle);
        let Some(places) = &self.of else { return };
        // In one order with whether somebody waits: who comes to wait sees the idle worker, or that one who waits.
        match (was_idle, is_idle) {
            (false, true) => places.idle.fetch_add(1, Ordering::SeqCst),
            (true, false) => places.idle.fetch_sub(1, Ordering::SeqCst),
            _ => return,
        };
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.has(state::State::Gone);
        if let Some(places) = self.of.take() {
            places.hand_on();
        }
    }
}

impl Wait {
    /// The place, when it is his turn.
    pub async fn place(mut self) -> Place {
        let given = (&mut self.given).await;
        given.expect("who waits is told before he is forgotten")
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let giver = self.places.state.lock().waiting.leave(ticket);
            drop(giver);
        }
        // A place that was given and not taken is handed on with the receiver.
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn app(number: u64) -> Kin {
        let (app, pool) = (number, number);
        Kin { app, pool }
    }

    #[tokio::test]
    async fn a_place_goes_to_the_next_who_waits_and_is_free_otherwise() {
        let places = Places::new(1);
        let place = places.take().unwrap();
        assert!(places.take().is_none());
        let wait = places.wait(app(1));
        drop(place);
        assert_eq!(places.free(), 0);
        drop(wait.place().await);
        assert_eq!(places.free(), 1);
        drop(places.wait(app(1)).place().await);
        assert_eq!(places.free(), 1);
    }

    #[test]
    fn who_goes_away_takes_no_place_with_him() {
        let places = Places::new(1);
        let place = places.take().unwrap();
        let (leaves, given_and_leaves) = (places.wait(app(1)), places.wait(app(1)));
        drop(leaves);
        drop(place);
        assert_eq!(places.free(), 0, "it was given, and not taken yet");
        drop(given_and_leaves);
        assert_eq!(places.free(), 1);
    }

    #[tokio::test]
    async fn a_place_given_to_who_goes_away_finds_the_one_behind() {
        let places = Places::new(1);
        let place = places.take().unwrap();
        let (goes, stays) = (places.wait(app(1)), places.wait(app(2)));
        drop(place);
        drop(goes);
        drop(stays.place().await);
        assert_eq!(places.free(), 1);
    }

    #[test]
    fn a_place_that_meets_nobody_is_offered_to_the_next() {
        let places = Places::new(1);
        let place = places.take().unwrap();
        let (mut going, stays) = (places.wait(app(1)), places.wait(app(2)));
        // As if he went away between being found and being told.
        going.given.close();
        drop(place);
        assert_eq!(places.free(), 0);
        drop(stays);
        assert_eq!(places.free(), 1);
        drop(going);
        assert_eq!(places.free(), 1);
    }

    #[test]
    fn a_worker_is_idle_in_its_place_until_it_is_not_or_the_place_is_given_back() {
        use state::State::{Busy, Gone, Idle, Retiring, Starting};
        let places = Places::new(2);
        let mut place = places.take().unwrap();
        let mut other = places.take().unwrap();
        other.has(Idle);
        let steps = [
            (Starting, 1),
            (Idle, 2),
            (Idle, 2),
            (Busy(1), 1),
            (Busy(2), 1),
            (Idle, 2),
            (Retiring(0), 1),
            (Gone, 1),
        ];
        for (state, idle) in steps {
            place.has(state);
            assert_eq!(places.idle(), idle, "{state:?}");
        }
        drop(place);
        drop(other);
        assert_eq!(places.idle(), 0);
    }

    #[test]
    fn who_goes_away_is_forgotten_at_once() {
        let places = Places::new(1);
        let _place = places.take().unwrap();
        for _ in 0..10 {
            drop(places.wait(app(1)));
        }
        assert!(places.state.lock().waiting.next().is_none());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_place_is_lost_however_many_come_and_go() {
        let places = Places::new(3);
        let coming = (0..2000_u64).map(|nth| {
            let places = Arc::clone(&places);
            tokio::spawn(async move {
                let wait = places.wait(app(nth % 7));
                tokio::task::yield_now().await;
                if nth % 3 == 0 {
                    drop(wait);
                } else {
                    let place = wait.place().await;
                    tokio::task::yield_now().await;
                    drop(place);
                }
            })
        });
        for came in coming.collect::<Vec<_>>() {
            came.await.unwrap();
        }
        assert_eq!(places.free(), 3);
    }
}
