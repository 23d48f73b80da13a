//! While both apps have somebody waiting, neither gets much more than the other, however long its queue is.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use crate::pool::event::{Build, ClientId, Event};
use crate::trace::Entry;

/// How many times as much one may get as the other, beyond the places that were free when both came.
const RATIO_MAX: usize = 2;

pub fn check(entries: &[Entry<Event>], facts: &Facts, budget: usize) -> Vec<String> {
    let mut waiting: BTreeMap<Build, BTreeSet<ClientId>> = BTreeMap::new();
    let mut served: BTreeMap<Build, usize> = BTreeMap::new();
    for entry in entries {
        let begins = matches!(entry.event, Event::Began(..));
        let client = match entry.event {
            Event::Asked(client, build) => {
                waiting.entry(build).or_default().insert(client);
                continue;
            }
            Event::Began(client, _) | Event::Left(client) | Event::Failed(client, _) => client,
            _ => continue,
        };
        let Some(build) = facts.asked.get(&client) else {
            continue;
        };
        let both_wait = waiting.len() > 1 && waiting.values().all(|who| !who.is_empty());
        if begins && both_wait {
            *served.entry(*build).or_default() += 1;
            let counts: Vec<usize> = waiting
                .keys()
                .map(|one| served.get(one).copied().unwrap_or_default())
                .collect();
            let most = counts.iter().copied().max().unwrap_or_default();
            let least = counts.iter().copied().min().unwrap_or_default();
            if most > RATIO_MAX * least + budget + 1 {
                return vec![format!(
                    "while both waited they were served {counts:?} times"
                )];
            }
        }
        if let Some(who) = waiting.get_mut(build) {
            who.remove(&client);
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::check::told;

    /// Ten of each come, and are served in this order.
    fn found(order: &[Build]) -> usize {
        let clients = |build: Build| u32::from(build) * 100..u32::from(build) * 100 + 10;
        let asked =
            [0, 1].map(|build| clients(build).map(move |client| Event::Asked(client, build)));
        let mut next = [0, 1].map(clients);
        let began = order.iter().filter_map(|build| {
            let client = next[usize::from(*build)].next()?;
            Some(Event::Began(client, u32::from(*build)))
        });
        let events: Vec<Event> = asked.into_iter().flatten().chain(began).collect();
        let entries = told(events);
        check(&entries, &Facts::of(&entries), 1).len()
    }

    #[test]
    fn one_that_is_served_before_the_other_is_found() {
        assert_eq!(found(&[0, 1].repeat(10)), 0);
        assert_eq!(found(&[0, 0, 1].repeat(4)), 0);
        assert_eq!(found(&[[0; 9], [1; 9]].concat()), 1);
        assert_eq!(found(&[0, 0, 0, 0, 1].repeat(2)), 1);
    }
}
