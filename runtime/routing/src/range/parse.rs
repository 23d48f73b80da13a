//! npm's range grammar, and what each form of it means as an interval.
//!
//! <https://github.com/npm/node-semver#range-grammar>; the bounds are those of its `includePrerelease`, which differ
//! from the others only in prereleases, and those a range without one in its text leaves out anyway.

use std::ops::Bound::{Excluded, Included, Unbounded};

use semver::Version;

use super::{Interval, Prereleases, Range};
use crate::partial::{Partial, lowest};

#[derive(Clone, Copy)]
enum Operator {
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Tilde,
    Caret,
}

/// Longer ones before those that they begin with.
const OPERATORS: [(&str, Operator); 8] = [
    (">=", Operator::GreaterEqual),
    (">", Operator::Greater),
    ("<=", Operator::LessEqual),
    ("<", Operator::Less),
    ("=", Operator::Equal),
    ("~>", Operator::Tilde),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// A range: alternatives between `||`.
pub(super) fn range(text: &str) -> Option<Range> {
    let mut prereleases = Prereleases::Out;
    let intervals = text
        .split("||")
        .map(|set| comparators(set, &mut prereleases))
        .collect::<Option<_>>()?;
    Some(Range {
        intervals,
        prereleases,
    })
}

/// One alternative: `a - b`, or comparators that all must hold. Without any, everything.
fn comparators(text: &str, prereleases: &mut Prereleases) -> Option<Interval> {
    let mut words = text.split_whitespace();
    if let (Some(from), Some("-"), Some(to), None) =
        (words.next(), words.next(), words.next(), words.next())
    {
        return Some(hyphen(
            partial(from, prereleases)?,
            partial(to, prereleases)?,
        ));
    }
    let mut interval = Interval::ALL;
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (operator, after) = operator(rest);
        // Blanks may stand between an operator and its version.
        let after = after.trim_start();
        let (word, next) = after.split_at(after.find(char::is_whitespace).unwrap_or(after.len()));
        interval = interval.and(comparator(operator, partial(word, prereleases)?));
        rest = next.trim_start();
    }
    Some(interval)
}

fn operator(text: &str) -> (Operator, &str) {
    OPERATORS
        .iter()
        .find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)))
        .unwrap_or((Operator::Equal, text))
}

/// Reads a word, and notes whether it names a prerelease.
fn partial(word: &str, prereleases: &mut Prereleases) -> Option<Partial> {
    let partial = Partial::parse(word)?;
    if matches!(&partial, Partial::Full(version) if !version.pre.is_empty()) {
        *prereleases = Prereleases::In;
    }
    Some(partial)
}

fn comparator(operator: Operator, partial: Partial) -> Interval {
    match operator {
        Operator::Equal => equal(partial),
        Operator::Greater => greater(partial),
        Operator::GreaterEqual => Interval {
            lower: Included(partial.floor()),
            upper: Unbounded,
        },
        Operator::Less => Interval {
            lower: Unbounded,
            upper: Excluded(partial.floor()),
        },
        Operator::LessEqual => Interval {
            upper: equal(partial).upper,
            ..Interval::ALL
        },
        Operator::Tilde => tilde(partial),
        Operator::Caret => caret(partial),
    }
}

/// `1.2.3`, `1.2`, `1`, `*`: what begins like this.
fn equal(partial: Partial) -> Interval {
    let lower = Included(partial.floor());
    let upper = match partial {
        Partial::Any => Unbounded,
        Partial::Major(major) => Excluded(lowest(major + 1, 0, 0)),
        Partial::Minor(major, minor) => Excluded(lowest(major, minor + 1, 0)),
        Partial::Full(version) => Included(version),
    };
    Interval { lower, upper }
}

/// `>1.2.3`; `>1` is `>=2.0.0`; nothing is greater than anything.
fn greater(partial: Partial) -> Interval {
    let lower = match equal(partial).upper {
        Included(version) => Excluded(version),
        Excluded(next) => Included(next),
        Unbounded => return Interval::none(),
    };
    Interval {
        lower,
        upper: Unbounded,
    }
}

/// `~1.2.3`: the patch may grow; `~1`: the minor too. npm leaves the prereleases of the first version out.
fn tilde(partial: Partial) -> Interval {
    let lower = match &partial {
        Partial::Any => return Interval::ALL,
        Partial::Major(major) => Version::new(*major, 0, 0),
        Partial::Minor(major, minor) => Version::new(*major, *minor, 0),
        Partial::Full(version) => version.clone(),
    };
    let upper = match partial {
        Partial::Full(version) => Excluded(lowest(version.major, version.minor + 1, 0)),
        partial => equal(partial).upper,
    };
    Interval {
        lower: Included(lower),
        upper,
    }
}

/// `^1.2.3`: what the first number above zero names stays.
fn caret(partial: Partial) -> Interval {
    let upper = match &partial {
        Partial::Any => return Interval::ALL,
        Partial::Minor(0, minor) => lowest(0, minor + 1, 0),
        Partial::Major(major) | Partial::Minor(major, _) => lowest(major + 1, 0, 0),
        Partial::Full(version) => match (version.major, version.minor, version.patch) {
            (0, 0, patch) => lowest(0, 0, patch + 1),
            (0, minor, _) => lowest(0, minor + 1, 0),
            (major, ..) => lowest(major + 1, 0, 0),
        },
    };
    let lower = match partial {
        // npm lets the prereleases of the first version in here, and in `^1.2.3` not.
        Partial::Full(version) if version.major == 0 => with_prereleases(version),
        partial => partial.floor(),
    };
    Interval {
        lower: Included(lower),
        upper: Excluded(upper),
    }
}

/// `1.2 - 2.3`: everything from the first to the second, and what begins like it.
fn hyphen(from: Partial, to: Partial) -> Interval {
    let lower = match from {
        Partial::Full(version) => with_prereleases(version),
        from => from.floor(),
    };
    Interval {
        lower: Included(lower),
        upper: equal(to).upper,
    }
}

/// The version itself when it is a prerelease, else the lowest of its prereleases.
fn with_prereleases(version: Version) -> Version {
    if version.pre.is_empty() {
        lowest(version.major, version.minor, version.patch)
    } else {
        version
    }
}
