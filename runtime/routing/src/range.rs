//! A range of versions by npm's rules.
//!
//! A conjunction of comparators is always one interval, so a range is a union of intervals, and the highest version in
//! it is found by binary search. Versions compare by precedence: build metadata plays no part (semver.org, 10 and 11).
//!
//! **Invariant:** a prerelease is in a range only if the range's own text names a prerelease; then npm's
//! `includePrerelease` holds for the whole of it.

use std::cmp::Ordering;
use std::ops::Bound;

use semver::Version;

mod parse;

/// A set of versions: `^1.2`, `>=1 <2 || 3.x`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Range {
    /// At least one; they may overlap.
    intervals: Vec<Interval>,
    prereleases: Prereleases,
}

/// Whether prereleases that lie between the bounds count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Prereleases {
    Out,
    In,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Interval {
    lower: Bound<Version>,
    upper: Bound<Version>,
}

impl Range {
    /// Reads npm's range grammar; none when the text is not in it. The empty text is every version.
    pub fn parse(text: &str) -> Option<Range> {
        parse::range(text)
    }

    /// Whether the version is in the range.
    pub fn matches(&self, version: &Version) -> bool {
        let may_count = version.pre.is_empty() || self.prereleases == Prereleases::In;
        may_count
            && self
                .intervals
                .iter()
                .any(|interval| interval.contains(version))
    }

    pub(crate) fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    pub(crate) fn prereleases(&self) -> Prereleases {
        self.prereleases
    }
}

impl Interval {
    pub(crate) const ALL: Interval = Interval {
        lower: Bound::Unbounded,
        upper: Bound::Unbounded,
    };

    /// Without any version: nothing is below the lowest.
    fn none() -> Interval {
        Interval {
            lower: Bound::Unbounded,
            upper: Bound::Excluded(crate::partial::lowest(0, 0, 0)),
        }
    }

    fn contains(&self, version: &Version) -> bool {
        self.is_above_lower(version) && self.is_below_upper(version)
    }

    pub(crate) fn is_above_lower(&self, version: &Version) -> bool {
        match &self.lower {
            Bound::Included(bound) => version.cmp_precedence(bound).is_ge(),
            Bound::Excluded(bound) => version.cmp_precedence(bound).is_gt(),
            Bound::Unbounded => true,
        }
    }

    pub(crate) fn is_below_upper(&self, version: &Version) -> bool {
        match &self.upper {
            Bound::Included(bound) => version.cmp_precedence(bound).is_le(),
            Bound::Excluded(bound) => version.cmp_precedence(bound).is_lt(),
            Bound::Unbounded => true,
        }
    }

    /// What is in both.
    fn and(self, other: Interval) -> Interval {
        Interval {
            lower: tighter(self.lower, other.lower, Ordering::Greater),
            upper: tighter(self.upper, other.upper, Ordering::Less),
        }
    }
}

/// The bound that lies on the given side of the other; of two at one version, the one that excludes it.
fn tighter(left: Bound<Version>, right: Bound<Version>, side: Ordering) -> Bound<Version> {
    let order = match (&left, &right) {
        (Bound::Unbounded, _) => return right,
        (_, Bound::Unbounded) => return left,
        (Bound::Included(l) | Bound::Excluded(l), Bound::Included(r) | Bound::Excluded(r)) => {
            l.cmp_precedence(r)
        }
    };
    match order {
        Ordering::Equal if matches!(left, Bound::Excluded(_)) => left,
        Ordering::Equal => right,
        order if order == side => left,
        _ => right,
    }
}

#[cfg(test)]
mod tests;
