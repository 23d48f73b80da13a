//! One worker's life, as a pure state machine.
//!
//! **Invariant:** only an idle or a busy worker is leased; one that retires never is, and it is gone only when nobody
//! has it any more.
//! **Absent on purpose:** clock, lock, task. `living.rs` keeps the state beside the worker, the shelf and the lease take
//! the steps. Tunnels are counted beside: they keep a worker that retires from being dismissed, and no turn.

/// Where a worker is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// It runs since a moment, and nobody knows it yet. One that does not start never becomes a worker.
    Starting,
    /// It has nothing to do.
    Idle,
    /// So many have it, at least one; more than one only when it shares.
    Busy(usize),
    /// Nobody gets it any more; so many still have it.
    Retiring(usize),
    /// It is being ended, or was.
    Gone,
}

/// What happens to a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// It may have work.
    Started,
    /// Somebody has it for an invocation.
    Leased,
    /// Somebody is done with it.
    Returned,
    /// It must not have another invocation: tired, idle for too long, evicted, faulty, dead, or the pool closed.
    Retire,
    /// It is ended.
    Dismissed,
}

impl State {
    /// The state after `event`; `None` where that cannot happen.
    pub fn after(self, event: Event) -> Option<State> {
        match (self, event) {
            (State::Starting, Event::Started) => Some(State::Idle),
            (State::Idle, Event::Leased) => Some(State::Busy(1)),
            (State::Idle, Event::Retire) => Some(State::Retiring(0)),
            (State::Busy(by), Event::Leased) => Some(State::Busy(by + 1)),
            (State::Busy(1), Event::Returned) => Some(State::Idle),
            (State::Busy(by), Event::Returned) => Some(State::Busy(by.checked_sub(1)?)),
            (State::Busy(by), Event::Retire) => Some(State::Retiring(by)),
            (State::Retiring(by), Event::Returned) => Some(State::Retiring(by.checked_sub(1)?)),
            (State::Retiring(0), Event::Dismissed) => Some(State::Gone),
            _ => None,
        }
    }

    /// By how many it is held.
    pub fn leases(self) -> usize {
        match self {
            State::Busy(by) | State::Retiring(by) => by,
            State::Starting | State::Idle | State::Gone => 0,
        }
    }

    /// Whether one more may have it, when so many may have it at once.
    pub fn has_room(self, at_once: usize) -> bool {
        match self {
            State::Idle => true,
            State::Busy(by) => by < at_once,
            State::Starting | State::Retiring(_) | State::Gone => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 5] = [
        Event::Started,
        Event::Leased,
        Event::Returned,
        Event::Retire,
        Event::Dismissed,
    ];

    #[test]
    fn every_event_in_every_state_leads_where_the_table_says() {
        use State::{Busy, Gone, Idle, Retiring, Starting};
        let no = None;
        //  columns: started, leased, returned, retire, dismissed
        let table = [
            (Starting, [Some(Idle), no, no, no, no]),
            (Idle, [no, Some(Busy(1)), no, Some(Retiring(0)), no]),
            (
                Busy(1),
                [no, Some(Busy(2)), Some(Idle), Some(Retiring(1)), no],
            ),
            (
                Busy(2),
                [no, Some(Busy(3)), Some(Busy(1)), Some(Retiring(2)), no],
            ),
            (Retiring(2), [no, no, Some(Retiring(1)), no, no]),
            (Retiring(1), [no, no, Some(Retiring(0)), no, no]),
            (Retiring(0), [no, no, no, no, Some(Gone)]),
            (Gone, [no; 5]),
        ];
        for (state, row) in table {
            for (event, expected) in EVENTS.into_iter().zip(row) {
                assert_eq!(state.after(event), expected, "{state:?} after {event:?}");
            }
        }
    }

    #[test]
    fn who_retires_is_never_leased_again_and_is_gone_with_the_last_who_has_it() {
        let mut state = State::Busy(3).after(Event::Retire);
        for left in [2, 1, 0] {
            let now = state.expect("it is there until it is dismissed");
            assert_eq!(now.after(Event::Leased), None);
            assert_eq!(now.after(Event::Dismissed), None, "{now:?}");
            assert!(!now.has_room(64));
            state = now.after(Event::Returned);
            assert_eq!(state.map(State::leases), Some(left));
        }
        let gone = state.and_then(|state| state.after(Event::Dismissed));
        assert_eq!(gone, Some(State::Gone));
        assert!(
            EVENTS
                .iter()
                .all(|event| State::Gone.after(*event).is_none())
        );
    }

    #[test]
    fn there_is_room_up_to_as_many_as_may_have_it_at_once() {
        let rooms = |at_once| {
            [State::Idle, State::Busy(1), State::Busy(2), State::Busy(3)]
                .map(|state| state.has_room(at_once))
        };
        assert_eq!(rooms(1), [true, false, false, false]);
        assert_eq!(rooms(3), [true, true, true, false]);
        assert!(!State::Starting.has_room(3));
    }
}
