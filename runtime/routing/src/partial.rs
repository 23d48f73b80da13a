//! A version of which only the beginning may be given: `1`, `1.2`, `1.2.x`, `1.2.3-rc.1`.
//!
//! The `partial` of node-semver's grammar, <https://github.com/npm/node-semver#range-grammar>. What follows an `x` is
//! not looked at, as there.

use semver::{BuildMetadata, Prerelease, Version};

/// JavaScript's largest exact integer, beyond which node-semver refuses a number; so no successor overflows either.
const NUMBER_MAX: u64 = (1 << 53) - 1;

#[derive(Debug)]
pub(crate) enum Partial {
    Any,
    Major(u64),
    Minor(u64, u64),
    Full(Version),
}

impl Partial {
    /// Reads one word; a leading `v` or `=` means nothing.
    pub(crate) fn parse(word: &str) -> Option<Partial> {
        let word = word.trim_start_matches(['v', '=']);
        let (numbers, qualifier) = word.split_at(word.find(['-', '+']).unwrap_or(word.len()));
        let mut numbers = numbers.split('.').map(number);
        let (major, minor, patch) = (numbers.next()??, numbers.next(), numbers.next());
        if numbers.next().is_some() || (patch.is_none() && !qualifier.is_empty()) {
            return None;
        }
        let (pre, build) = parse_qualifier(qualifier)?;
        // A missing number counts as an `x`, a malformed one ends here.
        let or_x = |number: Option<Option<Number>>| number.unwrap_or(Some(Number::X));
        Some(match (major, or_x(minor)?, or_x(patch)?) {
            (Number::X, ..) => Partial::Any,
            (Number::Is(major), Number::X, _) => Partial::Major(major),
            (Number::Is(major), Number::Is(minor), Number::X) => Partial::Minor(major, minor),
            (Number::Is(major), Number::Is(minor), Number::Is(patch)) => Partial::Full(Version {
                major,
                minor,
                patch,
                pre,
                build,
            }),
        })
    }

    /// The lowest version that belongs to it, prereleases included.
    pub(crate) fn floor(&self) -> Version {
        match self {
            Partial::Any => lowest(0, 0, 0),
            Partial::Major(major) => lowest(*major, 0, 0),
            Partial::Minor(major, minor) => lowest(*major, *minor, 0),
            Partial::Full(version) => version.clone(),
        }
    }
}

/// The lowest of all versions that begin with these numbers: `1.2.3-0`.
pub(crate) fn lowest(major: u64, minor: u64, patch: u64) -> Version {
    let pre = Prerelease::new("0").expect("a number is a prerelease");
    Version {
        pre,
        ..Version::new(major, minor, patch)
    }
}

enum Number {
    X,
    Is(u64),
}

/// `x`, or a number without leading zeros.
fn number(text: &str) -> Option<Number> {
    match text {
        "x" | "X" | "*" => Some(Number::X),
        "0" => Some(Number::Is(0)),
        // Rust's own parser would also take a plus sign.
        _ if !text.starts_with(|first: char| ('1'..='9').contains(&first)) => None,
        _ => text
            .parse()
            .ok()
            .filter(|&number| number <= NUMBER_MAX)
            .map(Number::Is),
    }
}

/// `[-pre][+build]`.
fn parse_qualifier(text: &str) -> Option<(Prerelease, BuildMetadata)> {
    let (pre, build) = match text.split_once('+') {
        Some((pre, build)) if !build.is_empty() => (pre, BuildMetadata::new(build).ok()?),
        Some(_) => return None,
        None => (text, BuildMetadata::EMPTY),
    };
    let pre = match pre.strip_prefix('-') {
        Some(pre) if !pre.is_empty() => Prerelease::new(pre).ok()?,
        Some(_) => return None,
        None => Prerelease::EMPTY,
    };
    Some((pre, build))
}
