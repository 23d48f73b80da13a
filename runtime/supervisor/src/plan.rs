//! What has to happen so that what runs agrees with what is on disk. Pure.
//!
//! **Invariant:** a revision that serves is withdrawn only when its folder is gone, or when another build of the same
//! version serves in its place. So a swap has no gap, and a bad build reverts itself.
//! **Invariant:** an app's version has one build under way at most, and planning twice changes nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rookery_bundle::{AppName, Bundle, Digest};
use semver::Version;

use crate::revision::{RevisionId, State};

/// What is deployed side by side: one revision of each serves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The app.
    pub app: AppName,
    /// Its version; build metadata tells two versions apart.
    pub version: Version,
}

/// Which bytes, and where. The place counts too: a static bundle is served from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Of the content.
    pub digest: Digest,
    /// Where links lead to, not the link.
    pub dir: PathBuf,
}

/// A build that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which one.
    pub build: Build,
    /// When the catalog read it, as a serial: greater after the files were touched.
    pub opened: u64,
}

/// A revision that exists.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// Which one.
    pub id: RevisionId,
    /// What it is a revision of.
    pub key: &'a Key,
    /// The build that it was made of.
    pub wanted: &'a Wanted,
    /// Where it is on its way.
    pub state: &'a State,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make a revision of the build that is wanted under this key.
    Stage(Key),
    /// Take this one out: by draining when it serves, else at once.
    Withdraw(RevisionId),
}

impl Key {
    /// The key that a bundle is deployed under.
    pub fn of(bundle: &Bundle) -> Key {
        Key {
            app: bundle.name.clone(),
            version: bundle.version.clone(),
        }
    }
}

/// Compares what is wanted with what stands.
pub fn plan<'a>(
    wanted: &BTreeMap<Key, Wanted>,
    standing: impl IntoIterator<Item = Standing<'a>>,
) -> Vec<Action> {
    let mut groups: BTreeMap<&Key, Vec<Standing<'_>>> = BTreeMap::new();
    for one in standing {
        // They are on their way out already, whatever is wanted.
        if !matches!(one.state, State::Draining | State::Retired) {
            groups.entry(one.key).or_default().push(one);
        }
    }
    let mut actions = Vec::new();
    for (key, wanted) in wanted {
        let group = groups.remove(key).unwrap_or_default();
        plan_key(key, wanted, &group, &mut actions);
    }
    for gone in groups.into_values().flatten() {
        actions.push(Action::Withdraw(gone.id));
    }
    actions
}

fn plan_key(key: &Key, wanted: &Wanted, group: &[Standing<'_>], actions: &mut Vec<Action>) {
    // The one that serves is preferred to one that is still on its way: both can be of the wanted build when the author
    // changed a file and changed it back.
    let serving = group
        .iter()
        .find(|one| *one.state == State::Live && one.wanted.build == wanted.build);
    let chosen = serving.or_else(|| group.iter().find(|one| is_on_its_way(one, wanted)));
    // Until the wanted build serves, the newest that does goes on; the others cannot be reached any more.
    let lives = group.iter().filter(|one| *one.state == State::Live);
    let keeps_on = serving.map_or_else(|| lives.map(|one| one.id).max(), |one| Some(one.id));
    for one in group {
        let is_chosen = chosen.is_some_and(|chosen| chosen.id == one.id);
        if !is_chosen && keeps_on != Some(one.id) {
            actions.push(Action::Withdraw(one.id));
        }
    }
    if chosen.is_none() {
        actions.push(Action::Stage(key.clone()));
    }
}

/// Whether this revision is the try that is under way, or was refused and nobody touched the files since.
fn is_on_its_way(one: &Standing<'_>, wanted: &Wanted) -> bool {
    match one.state {
        State::Staged | State::Warming => one.wanted.build == wanted.build,
        State::Refused(_) => one.wanted == wanted,
        State::Live | State::Draining | State::Retired => false,
    }
}

#[cfg(test)]
mod tests;
