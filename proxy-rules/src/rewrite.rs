//! A rewrite: the path to ask for, made of text and of what the pattern matched.
//!
//! `$` means what it means to JavaScript's `String.prototype.replace` (ECMA-262, GetSubstitution): `$$`, `$&`, `` $` ``,
//! `$'`, `$1` to `$99` and `$<name>`; what is none of these is itself. The text is the whole path: what the pattern did
//! not match is not kept.
//!
//! **Invariant:** text that was matched is put in as it is; a `$` in it means nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::engine::Groups;
use crate::path;
use crate::pattern::Tree;
use crate::template::Piece;

/// The longest path or query that a rewrite may give, in bytes.
pub(crate) const REWRITTEN_BYTES_MAX: usize = 60_000;

/// A path, and a query when there is a `?` in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rewrite {
    path: Vec<Part>,
    query: Option<Vec<Part>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    /// What a group matched; 0 is the whole match.
    Group(u32),
    Before,
    After,
}

/// A rewrite would give more than [`REWRITTEN_BYTES_MAX`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TooLong;

impl Rewrite {
    /// Reads a rewrite whose variables are filled in: what a variable holds is text, whatever it looks like.
    pub(crate) fn new(pieces: &[Piece<'_>], tree: &Tree) -> Self {
        let mut parts = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => read(text, tree, &mut parts),
                Piece::Value(value) => parts.push(Part::Text(value.clone())),
            }
        }
        let (path, query) = split(parts);
        Self {
            path: encoded(path, path::is_path),
            query: query.map(|query| encoded(query, path::is_query)),
        }
    }

    /// The groups that it reads; 0 for the whole match, or where it begins and ends.
    pub(crate) fn read_groups(&self) -> BTreeSet<u32> {
        let parts = self.path.iter().chain(self.query.iter().flatten());
        parts.filter_map(Part::group).collect()
    }

    /// The path, normal, and the query, for a path that was matched like this.
    pub(crate) fn apply(
        &self,
        matched: &str,
        groups: &Groups,
    ) -> Result<(String, Option<String>), TooLong> {
        let written = write(&self.path, matched, groups)?;
        let query = self.query.as_ref();
        let query = query
            .map(|query| write(query, matched, groups))
            .transpose()?;
        let path = match path::normal(&written) {
            Cow::Owned(normal) => normal,
            // Mostly it is normal as it was written.
            Cow::Borrowed(_) => written,
        };
        Ok((path, query))
    }
}

impl Part {
    fn group(&self) -> Option<u32> {
        match self {
            Self::Text(_) => None,
            Self::Group(group) => Some(*group),
            Self::Before | Self::After => Some(0),
        }
    }
}

fn write(parts: &[Part], matched: &str, groups: &Groups) -> Result<String, TooLong> {
    let mut out = String::with_capacity(matched.len() + 32);
    for part in parts {
        let of_match = |pick: fn(Range<usize>, usize) -> Range<usize>| {
            groups.get(0).map(|range| pick(range, matched.len()))
        };
        let range = match part {
            Part::Text(text) => {
                push(&mut out, text)?;
                continue;
            }
            Part::Group(group) => groups.get(*group),
            Part::Before => of_match(|range, _| 0..range.start),
            Part::After => of_match(|range, len| range.end..len),
        };
        push(&mut out, range.map_or("", |range| &matched[range]))?;
    }
    Ok(out)
}

fn push(out: &mut String, text: &str) -> Result<(), TooLong> {
    if out.len() + text.len() > REWRITTEN_BYTES_MAX {
        return Err(TooLong);
    }
    out.push_str(text);
    Ok(())
}

fn read(text: &str, tree: &Tree, parts: &mut Vec<Part>) {
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        parts.push(Part::Text(rest[..dollar].to_owned()));
        rest = &rest[dollar..];
        let (part, len) =
            substitution(&rest[1..], tree).unwrap_or_else(|| (Part::Text("$".to_owned()), 0));
        parts.push(part);
        rest = &rest[1 + len..];
    }
    parts.push(Part::Text(rest.to_owned()));
}

/// What the text after a `$` stands for, and how long it is.
fn substitution(text: &str, tree: &Tree) -> Option<(Part, usize)> {
    let part = match text.bytes().next()? {
        b'$' => (Part::Text("$".to_owned()), 1),
        b'&' => (Part::Group(0), 1),
        b'`' => (Part::Before, 1),
        b'\'' => (Part::After, 1),
        b'<' if !tree.names.is_empty() => {
            let name = &text[1..text.find('>')?];
            let group = tree.names.iter().find(|(known, _)| known == name);
            // An unknown name is a group that took no part.
            let part = group.map_or(Part::Text(String::new()), |&(_, group)| Part::Group(group));
            (part, name.len() + 2)
        }
        _ => return numbered(text, tree.groups),
    };
    Some(part)
}

/// Two digits when there are so many groups, otherwise one.
fn numbered(text: &str, groups: u32) -> Option<(Part, usize)> {
    [2, 1].into_iter().find_map(|len| {
        let digits = text.get(..len)?;
        let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
        let group = is_number.then(|| digits.parse().ok()).flatten()?;
        (1..=groups)
            .contains(&group)
            .then_some((Part::Group(group), len))
    })
}

/// Splits at the first `?` that its author wrote, or a variable holds; what is matched is never a `?`.
fn split(parts: Vec<Part>) -> (Vec<Part>, Option<Vec<Part>>) {
    let mut path = Vec::new();
    let mut query: Option<Vec<Part>> = None;
    for part in parts {
        match (&mut query, part) {
            (Some(query), part) => query.push(part),
            (None, Part::Text(text)) => match text.split_once('?') {
                Some((before, after)) => {
                    path.push(Part::Text(before.to_owned()));
                    query = Some(vec![Part::Text(after.to_owned())]);
                }
                None => path.push(Part::Text(text)),
            },
            (None, part) => path.push(part),
        }
    }
    (path, query)
}

/// Encodes the text, and joins what stands side by side.
fn encoded(parts: Vec<Part>, is_allowed: fn(u8) -> bool) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::new();
    for part in parts {
        let Part::Text(text) = part else {
            joined.push(part);
            continue;
        };
        let text = path::encoded(&text, is_allowed);
        match joined.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Text(last)) => last.push_str(&text),
            _ => joined.push(Part::Text(text.into_owned())),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
