//! From the moment that a build of an app is live until all of it is taken from the disk, the app is served: a bad build
//! takes nothing down, and a swap has no gap.

use std::collections::BTreeMap;

use crate::pool::event::{App, Build, Event, Presence};
use crate::trace::Entry;

/// What is known of an app.
#[derive(Default)]
struct Standing {
    is_live: bool,
    /// Whether nothing of it is on disk. What goes live then was on its way.
    is_absent: bool,
}

pub fn check(entries: &[Entry<Event>]) -> Vec<String> {
    let mut standings = [Standing::default(), Standing::default()];
    let apps = apps_of(entries);
    let mut wrong = Vec::new();
    for entry in entries {
        match entry.event {
            Event::Live(build) => {
                if let Some(app) = apps.get(&build) {
                    let standing = &mut standings[*app as usize];
                    standing.is_live |= !standing.is_absent;
                }
            }
            Event::OnDisk(app, presence) => {
                let standing = &mut standings[app as usize];
                standing.is_absent = presence == Presence::No;
                standing.is_live &= !standing.is_absent;
            }
            Event::Unserved(client, app) if standings[app as usize].is_live => {
                wrong.push(format!(
                    "client {client} found nothing of {app:?}, which was live"
                ));
            }
            _ => {}
        }
    }
    wrong
}

/// Whose build it is.
fn apps_of(entries: &[Entry<Event>]) -> BTreeMap<Build, App> {
    let belongs = entries.iter().filter_map(|entry| match entry.event {
        Event::Belongs(build, app) => Some((build, app)),
        _ => None,
    });
    belongs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::check::told;

    fn found(events: &[Event]) -> usize {
        let opening = [
            Event::Belongs(0, App::A),
            Event::Belongs(1, App::B),
            Event::OnDisk(App::A, Presence::Yes),
        ];
        check(&told(opening.into_iter().chain(events.iter().cloned()))).len()
    }

    #[test]
    fn nothing_where_something_was_live_is_found() {
        let unserved = Event::Unserved(0, App::A);
        let (gone, back) = (
            Event::OnDisk(App::A, Presence::No),
            Event::OnDisk(App::A, Presence::Yes),
        );
        let live = Event::Live(0);
        assert_eq!(found(&[unserved.clone(), live.clone()]), 0, "not yet");
        assert_eq!(found(&[Event::Live(1), unserved.clone()]), 0, "another app");
        assert_eq!(found(&[live.clone(), unserved.clone()]), 1);
        assert_eq!(
            found(&[live.clone(), back.clone(), unserved.clone()]),
            1,
            "a bad build"
        );
        assert_eq!(found(&[live.clone(), gone.clone(), unserved.clone()]), 0);
        assert_eq!(
            found(&[live, gone, back, unserved]),
            0,
            "until it is live again"
        );
    }
}
