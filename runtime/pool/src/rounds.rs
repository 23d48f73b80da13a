//! Who waits: one of each app in turn, of an app one of each of its pools, and within a pool whoever came first.
//!
//! **Invariant:** an app that begins to wait is passed over by each other app at most once, however many versions of it
//! are asked for; and so is a pool by the others of its app.
//! **Absent on purpose:** a bound. Each pool bounds how many of its own wait.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Whose worker somebody waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Kin {
    /// The same for all pools of an app.
    pub app: u64,
    /// The pool's own.
    pub pool: u64,
}

impl Kin {
    /// The pool with this number and label, `name@version`.
    pub fn of(label: &str, pool: u64) -> Kin {
        let app = label.rsplit_once('@').map_or(label, |(app, _)| app);
        let mut hasher = DefaultHasher::new();
        app.hash(&mut hasher);
        // Two apps of one hash would share a turn, and nothing else.
        let app = hasher.finish();
        Kin { app, pool }
    }
}

/// Who waits in it.
#[derive(Debug)]
pub(crate) struct Rounds<T> {
    /// By app.
    apps: Round<Round<VecDeque<(u64, T)>>>,
    next_ticket: u64,
}

/// Some that take turns. None is empty.
#[derive(Debug)]
struct Round<Of> {
    /// The next one in front.
    order: VecDeque<u64>,
    of: HashMap<u64, Of>,
}

/// Where somebody waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    kin: Kin,
    number: u64,
}

impl<T> Default for Rounds<T> {
    fn default() -> Self {
        Rounds {
            apps: Round::default(),
            next_ticket: 0,
        }
    }
}

impl<Of> Default for Round<Of> {
    fn default() -> Self {
        Round {
            order: VecDeque::new(),
            of: HashMap::new(),
        }
    }
}

impl<T> Rounds<T> {
    /// Somebody of this pool begins to wait.
    pub fn join(&mut self, kin: Kin, who: T) -> Ticket {
        let number = self.next_ticket;
        self.next_ticket += 1;
        // By ticket, ascending.
        let queue = self.apps.enter(kin.app).enter(kin.pool);
        queue.push_back((number, who));
        Ticket { kin, number }
    }

    /// The pools that have somebody waiting.
    pub fn pools(&self) -> impl Iterator<Item = u64> {
        let apps = self
            .apps
            .order
            .iter()
            .filter_map(|app| self.apps.of.get(app));
        apps.flat_map(|pools| pools.order.iter().copied())
    }

    /// Whose turn it is.
    pub fn next(&mut self) -> Option<T> {
        let first = self.apps.turn(Round::is_empty, |pools| {
            pools.turn(VecDeque::is_empty, VecDeque::pop_front)
        });
        first.map(|(_, who)| who)
    }

    /// Somebody waits no more, if he still did.
    pub fn leave(&mut self, ticket: Ticket) -> Option<T> {
        let Kin { app, pool } = ticket.kin;
        let left = self.apps.visit(app, Round::is_empty, |pools| {
            pools.visit(pool, VecDeque::is_empty, |queue| {
                let at = queue.binary_search_by_key(&ticket.number, |(number, _)| *number);
                queue.remove(at.ok()?)
            })
        });
        left.map(|(_, who)| who)
    }
}

impl<Of> Round<Of> {
    fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The one with this key, behind the others if it is new.
    fn enter(&mut self, key: u64) -> &mut Of
    where
        Of: Default,
    {
        self.of.entry(key).or_insert_with(|| {
            self.order.push_back(key);
            Of::default()
        })
    }

    /// Lets the next one do something. It goes behind the others, or away if it is empty then.
    fn turn<R>(
        &mut self,
        is_empty: fn(&Of) -> bool,
        act: impl FnOnce(&mut Of) -> Option<R>,
    ) -> Option<R> {
        let key = self.order.pop_front()?;
        let of = self.of.get_mut(&key)?;
        let done = act(of);
        if is_empty(of) {
            self.of.remove(&key);
        } else {
            self.order.push_back(key);
        }
        done
    }

    /// Lets the one with this key do something. It goes away if it is empty then.
    fn visit<R>(
        &mut self,
        key: u64,
        is_empty: fn(&Of) -> bool,
        act: impl FnOnce(&mut Of) -> Option<R>,
    ) -> Option<R> {
        let of = self.of.get_mut(&key)?;
        let done = act(of);
        if is_empty(of) {
            self.of.remove(&key);
            self.order.retain(|other| *other != key);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The only pool of an app.
    fn app(number: u64) -> Kin {
        let (app, pool) = (number, number);
        Kin { app, pool }
    }

    fn served(rounds: &mut Rounds<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| rounds.next()).collect()
    }

    #[test]
    fn pools_take_turns_and_each_keeps_its_order() {
        let mut rounds = Rounds::default();
        for who in ["a1", "a2", "a3"] {
            rounds.join(app(1), who);
        }
        rounds.join(app(2), "b1");
        rounds.join(app(3), "c1");
        rounds.join(app(3), "c2");
        assert_eq!(served(&mut rounds), ["a1", "b1", "c1", "a2", "c2", "a3"]);
    }

    #[test]
    fn an_app_has_one_turn_however_many_versions_it_has() {
        let mut rounds = Rounds::default();
        for (pool, who) in [(1, "a1"), (2, "a2"), (3, "a3"), (1, "a4")] {
            rounds.join(Kin { app: 1, pool }, who);
        }
        rounds.join(app(4), "b1");
        rounds.join(app(4), "b2");
        let order = ["a1", "b1", "a2", "b2", "a3", "a4"];
        assert_eq!(rounds.pools().collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(served(&mut rounds), order);
    }

    #[test]
    fn versions_are_of_one_app_and_scopes_are_not() {
        let app = |label| Kin::of(label, 0).app;
        assert_eq!(app("chat@1.0.0"), app("chat@2.0.0-rc.1"));
        assert_eq!(app("@a/chat@1.0.0"), app("@a/chat@1.1.0"));
        assert_ne!(app("@a/chat@1.0.0"), app("@b/chat@1.0.0"));
        assert_ne!(app("chat@1.0.0"), app("talk@1.0.0"));
    }

    #[test]
    fn a_flood_passes_a_newcomer_at_most_once() {
        let mut rounds = Rounds::default();
        for _ in 0..100 {
            rounds.join(app(1), "a");
        }
        assert_eq!(rounds.next(), Some("a"));
        rounds.join(app(2), "b");
        let order = served(&mut rounds);
        assert_eq!(order.iter().position(|who| *who == "b"), Some(1));
        assert_eq!(order.len(), 100);
    }

    #[test]
    fn who_left_is_not_served_and_leaves_no_trace() {
        let mut rounds = Rounds::default();
        let (first, second) = (rounds.join(app(1), "a1"), rounds.join(app(1), "a2"));
        let only = rounds.join(app(2), "b1");
        rounds.join(app(1), "a3");
        assert_eq!(rounds.leave(second), Some("a2"));
        assert_eq!(rounds.leave(only), Some("b1"));
        assert_eq!(rounds.leave(only), None);
        assert_eq!(served(&mut rounds), ["a1", "a3"]);
        assert_eq!(rounds.leave(first), None);
        assert!(rounds.apps.order.is_empty() && rounds.apps.of.is_empty());
    }
}
