//! Picks one of an app's versions.
//!
//! **Invariant:** what is picked for a version or a range satisfies it, unless the fallback was used, and that is told.
//! **Invariant:** without weights nothing is drawn: one branch is all that they cost those who have none.
//! **Absent on purpose:** how a lot leads to a version (`rollout.rs`).

use semver::Version;

use crate::range::{Interval, Prereleases};
use crate::rollout::{Choice, Lot, Spread};
use crate::{Range, Selector};

/// What becomes of a version or a range that none of an app's versions satisfies. A tag that does not exist never
/// falls back: it is a name, and another name's version would be a wrong answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fallback {
    /// The version that a path without a selector gets.
    Highest,
    /// No version.
    None,
}

/// A version that was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resolved<'t, T> {
    /// The version that answers.
    pub version: &'t Version,
    /// What the table holds for it.
    pub value: &'t T,
    /// Whether it is what was asked for; else the fallback.
    pub exact: bool,
    /// What decided between the versions that were allowed.
    pub by: By,
}

/// What decided between the versions that a selector allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The selector and the versions' numbers, or a tag.
    Selector,
    /// The app's rollout, which gives everything that the selector allows to one version.
    Rollout,
    /// The lot of who asks, among several versions that have a share.
    Lot,
}

/// The versions of one app.
#[derive(Clone, Debug)]
pub(crate) struct Versions<T> {
    /// Ascending, build metadata compared last; never empty, none twice.
    all: Vec<(Version, T)>,
    /// The places in `all` that are no prereleases, ascending.
    stable: Vec<usize>,
    /// The place that a path without a selector gets.
    bare: usize,
}

impl<T> Versions<T> {
    /// `all` must be ascending, without a version twice. None when it is empty.
    pub(crate) fn new(
        all: Vec<(Version, T)>,
        bare_prereleases: Prereleases,
    ) -> Option<Versions<T>> {
        debug_assert!(all.is_sorted_by(|(left, _), (right, _)| left < right));
        let highest = all.len().checked_sub(1)?;
        let stable: Vec<_> = (0..all.len())
            .filter(|&place| all[place].0.pre.is_empty())
            .collect();
        let bare = match (bare_prereleases, stable.last()) {
            (Prereleases::Out, Some(&highest_stable)) => highest_stable,
            _ => highest,
        };
        Some(Versions { all, stable, bare })
    }

    /// Gives paths without a selector the version at `place`.
    pub(crate) fn leave_bare_to(&mut self, place: usize) {
        debug_assert!(place < self.all.len());
        self.bare = place;
    }

    pub(crate) fn all(&self) -> &[(Version, T)] {
        &self.all
    }

    /// The same versions with other values.
    pub(crate) fn map<U>(&self, value: &mut impl FnMut(&T) -> U) -> Versions<U> {
        let all = self.all.iter();
        Versions {
            all: all
                .map(|(version, old)| (version.clone(), value(old)))
                .collect(),
            stable: self.stable.clone(),
            bare: self.bare,
        }
    }

    /// Where exactly this version is, build metadata included.
    pub(crate) fn place_of(&self, version: &Version) -> Option<usize> {
        self.all
            .binary_search_by(|(candidate, _)| candidate.cmp(version))
            .ok()
    }

    pub(crate) fn resolve(&self, asked: Asked<'_>, fallback: Fallback) -> Option<Resolved<'_, T>> {
        let found = match asked {
            Asked::Nothing => Some(self.bare),
            Asked::Place(place) => Some(place),
            Asked::Version(version) => self.exact(version),
            Asked::Range(range) => self.highest_in(range),
        };
        let place = found.or((fallback == Fallback::Highest).then_some(self.bare))?;
        Some(self.resolved(place, found.is_some(), By::Selector))
    }

    /// The same where a rollout spreads what asks for no one version.
    pub(crate) fn resolve_spread(
        &self,
        spread: &Spread,
        asked: Asked<'_>,
        fallback: Fallback,
        lot: Option<impl FnOnce() -> Lot>,
    ) -> Option<Resolved<'_, T>> {
        let by = |choice| match choice {
            Choice::One => By::Rollout,
            Choice::Several => By::Lot,
        };
        let is_asked = |place: usize| match asked {
            Asked::Nothing => true,
            Asked::Range(range) => range.matches(&self.all[place].0),
            Asked::Place(_) | Asked::Version(_) => false,
        };
        if let Asked::Nothing | Asked::Range(_) = asked
            && spread.allows(is_asked)
        {
            let (place, choice) = spread.draw(lot, is_asked)?;
            return Some(self.resolved(place, true, by(choice)));
        }
        // A version, a tag, or a range that no version with a share is in.
        let found = self.resolve(asked, Fallback::None);
        if found.is_some() || fallback == Fallback::None {
            return found;
        }
        let (place, choice) = spread.draw(lot, |_| true)?;
        Some(self.resolved(place, false, by(choice)))
    }

    pub(crate) fn resolved(&self, place: usize, exact: bool, by: By) -> Resolved<'_, T> {
        let (version, value) = &self.all[place];
        Resolved {
            version,
            value,
            exact,
            by,
        }
    }

    /// The very version; else, as npm compares, the highest build of it.
    fn exact(&self, asked: &Version) -> Option<usize> {
        self.place_of(asked).or_else(|| {
            let end = self
                .all
                .partition_point(|(version, _)| version.cmp_precedence(asked).is_le());
            let place = end.checked_sub(1)?;
            self.all[place]
                .0
                .cmp_precedence(asked)
                .is_eq()
                .then_some(place)
        })
    }

    fn highest_in(&self, range: &Range) -> Option<usize> {
        range
            .intervals()
            .iter()
            .filter_map(|interval| self.highest_between(interval, range.prereleases()))
            .max()
    }

    fn highest_between(&self, interval: &Interval, prereleases: Prereleases) -> Option<usize> {
        let version = |place: usize| &self.all[place].0;
        let place = match prereleases {
            Prereleases::In => self
                .all
                .partition_point(|(version, _)| interval.is_below_upper(version))
                .checked_sub(1)?,
            Prereleases::Out => {
                let end = self
                    .stable
                    .partition_point(|&place| interval.is_below_upper(version(place)));
                self.stable[end.checked_sub(1)?]
            }
        };
        interval.is_above_lower(version(place)).then_some(place)
    }
}

/// A selector whose tag, if it is one, has been looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked<'s> {
    Nothing,
    Place(usize),
    Version(&'s Version),
    Range(&'s Range),
}

impl<'s> Asked<'s> {
    /// None when the selector is a tag that `place_of_tag` does not know.
    pub(crate) fn of(
        selector: &'s Selector,
        place_of_tag: impl FnOnce(&str) -> Option<usize>,
    ) -> Option<Asked<'s>> {
        Some(match selector {
            Selector::None => Asked::Nothing,
            Selector::Version(version) => Asked::Version(version),
            Selector::Range(range) => Asked::Range(range),
            Selector::Tag(tag) => Asked::Place(place_of_tag(tag)?),
        })
    }
}
