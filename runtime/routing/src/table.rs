//! What is live: apps, their versions, their tags. Built anew for every change and then only read.
//!
//! **Invariant:** a table never changes, so a request that holds one sees one state of the world.

use std::collections::{BTreeMap, HashMap};

use semver::Version;

use crate::Selector;
use crate::range::Prereleases;
use crate::resolve::{Asked, By, Fallback, Resolved, Versions};
use crate::rollout::{Lot, Sessions, Spread, Weights};

/// The tag whose version a path without a selector gets, whatever the numbers say.
pub const LATEST: &str = "latest";

/// Apps by name, versions in order.
#[derive(Clone, Debug)]
pub struct Table<T> {
    apps: HashMap<Box<str>, App<T>>,
}

#[derive(Clone, Debug)]
struct App<T> {
    versions: Versions<T>,
    /// Places among the versions.
    tags: HashMap<Box<str>, usize>,
    /// Who gets what asks for no one version; none without a rollout.
    spread: Option<Box<Spread>>,
    /// The version that is tried out, if one is.
    tried: Option<Box<Tried>>,
}

/// A version that is tried out.
#[derive(Clone, Debug)]
struct Tried {
    place: usize,
    /// Who would get what without it.
    without: Spread,
}

/// Gathers what a [`Table`] will hold, in any order.
#[derive(Clone, Debug)]
pub struct TableBuilder<T> {
    apps: BTreeMap<Box<str>, Draft<T>>,
}

#[derive(Clone, Debug)]
struct Draft<T> {
    versions: BTreeMap<Version, T>,
    tags: BTreeMap<Box<str>, Version>,
    bare_prereleases: Prereleases,
    rollout: Option<(Weights, Sessions)>,
    tried: Option<(Version, Weights)>,
}

impl<T> Table<T> {
    /// A builder of a table.
    pub fn builder() -> TableBuilder<T> {
        TableBuilder {
            apps: BTreeMap::new(),
        }
    }

    /// The version of `app` that a selector asks for: none when there is no such app, or no such version and no fallback.
    /// Of several that a rollout gives shares to, the one with the largest.
    pub fn resolve(
        &self,
        app: &str,
        selector: &Selector,
        fallback: Fallback,
    ) -> Option<Resolved<'_, T>> {
        let nobody: Option<fn() -> Lot> = None;
        self.apps.get(app)?.resolve(selector, fallback, nobody)
    }

    /// The version of `app` that a selector asks for, for somebody with a lot, who is only asked for it where a rollout
    /// gives shares to several versions.
    pub fn resolve_for(
        &self,
        app: &str,
        selector: &Selector,
        fallback: Fallback,
        lot: impl FnOnce() -> Lot,
    ) -> Option<Resolved<'_, T>> {
        let app = self.apps.get(app)?;
        app.resolve(selector, fallback, Some(lot))
    }

    /// Where a session belongs that asked with this selector when it was opened, has this lot, and is on the version `at`.
    pub fn resolve_session(
        &self,
        app: &str,
        selector: &Selector,
        fallback: Fallback,
        lot: Lot,
        at: &Version,
    ) -> Option<Resolved<'_, T>> {
        let app = self.apps.get(app)?;
        let resolved = app.resolve(selector, fallback, Some(|| lot))?;
        let keeps = |spread: &Spread| spread.sessions == Sessions::Keep;
        if resolved.by != By::Selector
            && app.spread.as_deref().is_some_and(keeps)
            && let Some(place) = app.versions.place_of(at)
        {
            return Some(app.versions.resolved(place, true, resolved.by));
        }
        Some(resolved)
    }

    /// The version of an app that is tried out, if one is, and there is something to go back to.
    pub fn tried(&self, app: &str) -> Option<(&Version, &T)> {
        let app = self.apps.get(app)?;
        let (version, value) = &app.versions.all()[app.tried.as_ref()?.place];
        Some((version, value))
    }

    /// Where somebody belongs who asked with this selector and has this lot, were there not the version that is
    /// [`tried`](Table::tried). `None` where none is.
    pub fn resolve_without_tried(
        &self,
        app: &str,
        selector: &Selector,
        lot: Lot,
    ) -> Option<Resolved<'_, T>> {
        let app = self.apps.get(app)?;
        let without = &app.tried.as_ref()?.without;
        let asked = Asked::of(selector, |tag| app.tags.get(tag).copied())?;
        let lot = Some(|| lot);
        app.versions
            .resolve_spread(without, asked, Fallback::None, lot)
    }

    /// The names of the apps, in no order.
    pub fn apps(&self) -> impl Iterator<Item = &str> {
        self.apps.keys().map(|name| &**name)
    }

    /// The versions of one app, ascending; none for an app that is not there.
    pub fn versions(&self, app: &str) -> impl Iterator<Item = (&Version, &T)> {
        self.apps.get(app).into_iter().flat_map(App::entries)
    }

    /// The tags of one app in no order, each with the version that it leads to.
    pub fn tags(&self, app: &str) -> impl Iterator<Item = (&str, &Version)> {
        self.apps.get(app).into_iter().flat_map(|app| {
            let versions = app.versions.all();
            app.tags
                .iter()
                .map(|(tag, place)| (&**tag, &versions[*place].0))
        })
    }

    /// Everything: apps in no order, the versions of each ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Version, &T)> {
        self.apps.iter().flat_map(|(name, app)| {
            app.entries()
                .map(move |(version, value)| (&**name, version, value))
        })
    }

    /// The same apps, versions and tags with other values.
    pub fn map<U>(&self, mut value: impl FnMut(&T) -> U) -> Table<U> {
        let apps = self.apps.iter().map(|(name, app)| {
            let app = App {
                versions: app.versions.map(&mut value),
                tags: app.tags.clone(),
                spread: app.spread.clone(),
                tried: app.tried.clone(),
            };
            (name.clone(), app)
        });
        Table {
            apps: apps.collect(),
        }
    }
}

impl<T> App<T> {
    fn resolve(
        &self,
        selector: &Selector,
        fallback: Fallback,
        lot: Option<impl FnOnce() -> Lot>,
    ) -> Option<Resolved<'_, T>> {
        let asked = Asked::of(selector, |tag| self.tags.get(tag).copied())?;
        match self.spread.as_deref() {
            None => self.versions.resolve(asked, fallback),
            Some(spread) => self.versions.resolve_spread(spread, asked, fallback, lot),
        }
    }

    fn entries(&self) -> impl Iterator<Item = (&Version, &T)> {
        self.versions
            .all()
            .iter()
            .map(|(version, value)| (version, value))
    }
}

impl<T> Default for Table<T> {
    /// Without any app.
    fn default() -> Table<T> {
        Table {
            apps: HashMap::new(),
        }
    }
}

impl<T> TableBuilder<T> {
    /// Adds a version. The same version again replaces the earlier one.
    pub fn insert(&mut self, app: &str, version: Version, value: T) -> &mut Self {
        self.draft(app).versions.insert(version, value);
        self
    }

    /// Points a tag to a version; one that is not there when the table is built is left out. [`LATEST`] is also what a
    /// path without a selector gets.
    pub fn tag(&mut self, app: &str, tag: &str, version: Version) -> &mut Self {
        self.draft(app).tags.insert(tag.into(), version);
        self
    }

    /// Lets paths without a selector have the highest version of this app even if it is a prerelease.
    pub fn prefer_prerelease(&mut self, app: &str) -> &mut Self {
        self.draft(app).bare_prereleases = Prereleases::In;
        self
    }

    /// Spreads what asks for no one version of this app. Weights of versions that are not there when the table is built
    /// are divided among the others; without any of them there is no rollout. Weights come before [`LATEST`].
    pub fn roll(&mut self, app: &str, weights: Weights, sessions: Sessions) -> &mut Self {
        self.draft(app).rollout = Some((weights, sessions));
        self
    }

    /// Says that a version of this app is tried out, and what the weights would be without it. One that is not there when
    /// the table is built, or that has nothing to go back to then, is not.
    pub fn try_out(&mut self, app: &str, version: Version, without: Weights) -> &mut Self {
        self.draft(app).tried = Some((version, without));
        self
    }

    /// The table. An app without a version is not in it.
    pub fn build(self) -> Table<T> {
        let apps = self
            .apps
            .into_iter()
            .filter_map(|(name, draft)| Some((name, draft.finish()?)));
        Table {
            apps: apps.collect(),
        }
    }

    fn draft(&mut self, app: &str) -> &mut Draft<T> {
        self.apps.entry(app.into()).or_insert_with(|| Draft {
            versions: BTreeMap::new(),
            tags: BTreeMap::new(),
            bare_prereleases: Prereleases::Out,
            rollout: None,
            tried: None,
        })
    }
}

impl<T> Draft<T> {
    fn finish(self) -> Option<App<T>> {
        let versions = self.versions.into_iter().collect();
        let mut versions = Versions::new(versions, self.bare_prereleases)?;
        let tags = self
            .tags
            .into_iter()
            .filter_map(|(tag, version)| Some((tag, versions.place_of(&version)?)));
        let tags: HashMap<_, _> = tags.collect();
        if let Some(latest) = tags.get(LATEST) {
            versions.leave_bare_to(*latest);
        }
        let spread = self.rollout.and_then(|(weights, sessions)| {
            Spread::new(&weights, sessions, |version| versions.place_of(version))
        });
        let tried = self.tried.and_then(|(version, without)| {
            let place = versions.place_of(&version)?;
            let place_of = |version: &Version| versions.place_of(version);
            let without = Spread::new(&without, Sessions::Follow, place_of)?;
            Some(Tried { place, without })
        });
        if let Some(spread) = &spread {
            versions.leave_bare_to(spread.heaviest());
        }
        Some(App {
            versions,
            tags,
            spread: spread.map(Box::new),
            tried: tried.map(Box::new),
        })
    }
}

impl<A: AsRef<str>, T> FromIterator<(A, Version, T)> for Table<T> {
    fn from_iter<I: IntoIterator<Item = (A, Version, T)>>(entries: I) -> Table<T> {
        let mut builder = Table::builder();
        for (app, version, value) in entries {
            builder.insert(app.as_ref(), version, value);
        }
        builder.build()
    }
}

#[cfg(test)]
mod tests;
