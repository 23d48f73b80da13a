//! Who waits, by pool: one of each in turn, and within a pool whoever came first.
//!
//! **Invariant:** a pool that begins to wait is passed over by each other pool at most once.
//! **Absent on purpose:** a bound. Each pool bounds how many of its own wait.

use std::collections::{HashMap, VecDeque};

/// Who waits in it.
#[derive(Debug)]
pub(crate) struct Rounds<T> {
    /// The pools that have somebody waiting, the next one in front.
    order: VecDeque<u64>,
    /// By pool, and within it by ticket, ascending. None is empty.
    waiting: HashMap<u64, VecDeque<(u64, T)>>,
    next_ticket: u64,
}

/// Where somebody waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    pool: u64,
    number: u64,
}

impl<T> Default for Rounds<T> {
    fn default() -> Self {
        Rounds {
            order: VecDeque::new(),
            waiting: HashMap::new(),
            next_ticket: 0,
        }
    }
}

impl<T> Rounds<T> {
    /// Somebody of this pool begins to wait.
    pub fn join(&mut self, pool: u64, who: T) -> Ticket {
        let number = self.next_ticket;
        self.next_ticket += 1;
        let queue = self.waiting.entry(pool).or_default();
        if queue.is_empty() {
            self.order.push_back(pool);
        }
        queue.push_back((number, who));
        Ticket { pool, number }
    }

    /// The pools that have somebody waiting.
    pub fn pools(&self) -> impl Iterator<Item = u64> {
        self.order.iter().copied()
    }

    /// Whose turn it is.
    pub fn next(&mut self) -> Option<T> {
        let pool = self.order.pop_front()?;
        let queue = self.waiting.get_mut(&pool)?;
        let first = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&pool);
        } else {
            self.order.push_back(pool);
        }
        first.map(|(_, who)| who)
    }

    /// Somebody waits no more, if he still did.
    pub fn leave(&mut self, ticket: Ticket) -> Option<T> {
        let queue = self.waiting.get_mut(&ticket.pool)?;
        let at = queue.binary_search_by_key(&ticket.number, |(number, _)| *number);
        let left = queue.remove(at.ok()?);
        if queue.is_empty() {
            self.waiting.remove(&ticket.pool);
            self.order.retain(|pool| *pool != ticket.pool);
        }
        left.map(|(_, who)| who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(rounds: &mut Rounds<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| rounds.next()).collect()
    }

    #[test]
    fn pools_take_turns_and_each_keeps_its_order() {
        let mut rounds = Rounds::default();
        for who in ["a1", "a2", "a3"] {
            rounds.join(1, who);
        }
        rounds.join(2, "b1");
        rounds.join(3, "c1");
        rounds.join(3, "c2");
        assert_eq!(served(&mut rounds), ["a1", "b1", "c1", "a2", "c2", "a3"]);
    }

    #[test]
    fn a_flood_passes_a_newcomer_at_most_once() {
        let mut rounds = Rounds::default();
        for _ in 0..100 {
            rounds.join(1, "a");
        }
        assert_eq!(rounds.next(), Some("a"));
        rounds.join(2, "b");
        let order = served(&mut rounds);
        assert_eq!(order.iter().position(|who| *who == "b"), Some(1));
        assert_eq!(order.len(), 100);
    }

    #[test]
    fn who_left_is_not_served_and_leaves_no_trace() {
        let mut rounds = Rounds::default();
        let (first, second) = (rounds.join(1, "a1"), rounds.join(1, "a2"));
        let only = rounds.join(2, "b1");
        rounds.join(1, "a3");
        assert_eq!(rounds.leave(second), Some("a2"));
        assert_eq!(rounds.leave(only), Some("b1"));
        assert_eq!(rounds.leave(only), None);
        assert_eq!(served(&mut rounds), ["a1", "a3"]);
        assert_eq!(rounds.leave(first), None);
        assert!(rounds.order.is_empty() && rounds.waiting.is_empty());
    }
}
