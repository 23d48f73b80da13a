//! What is live: apps, their versions, their tags. Built anew for every change and then only read.
//!
//! **Invariant:** a table never changes, so a request that holds one sees one state of the world.

use std::collections::{BTreeMap, HashMap};

use semver::Version;

use crate::Selector;
use crate::range::Prereleases;
use crate::resolve::{Asked, Fallback, Resolved, Versions};

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
}

impl<T> Table<T> {
    /// A builder of a table.
    pub fn builder() -> TableBuilder<T> {
        TableBuilder {
            apps: BTreeMap::new(),
        }
    }

    /// The version of `app` that a selector asks for: none when there is no such app, or no such version and no fallback.
    pub fn resolve(
        &self,
        app: &str,
        selector: &Selector,
        fallback: Fallback,
    ) -> Option<Resolved<'_, T>> {
        let app = self.apps.get(app)?;
        let asked = Asked::of(selector, |tag| app.tags.get(tag).copied())?;
        app.versions.resolve(asked, fallback)
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
            };
            (name.clone(), app)
        });
        Table {
            apps: apps.collect(),
        }
    }
}

impl<T> App<T> {
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
        Some(App { versions, tags })
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
