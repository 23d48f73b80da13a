//! The grammar of a path: `/app[@selector]/tail`, where the app may be `@scope/name`.
//!
//! Segments are split before anything is decoded, so an encoded slash never ends one, and only the app and its selector
//! are decoded: the tail reaches the app as the client wrote it.
//!
//! **Invariant:** an address has a name that cannot be mistaken for a path: no separator, no `..`, no NUL.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::{AddressError, Selector};

/// As `@scope/name`; longer ones are no app's.
const NAME_BYTES_MAX: usize = 128;

/// A parsed path. Owns its text, so it can outlive the request that it was read from.
#[derive(Clone, PartialEq, Debug)]
pub struct Address {
    /// The whole path, raw.
    path: Box<str>,
    /// How much of the path is `/app@selector`.
    prefix_len: usize,
    /// `app@selector` decoded, where that differs from the path's own text.
    decoded_key: Option<Box<str>>,
    /// How much of the key is the app.
    app_len: usize,
    selector: Selector,
}

impl Address {
    /// Reads the path of a request target: percent-encoded as received, without the query.
    pub fn parse(raw_path: &str) -> Result<Address, AddressError> {
        let prefix_len = prefix_len(raw_path).ok_or(AddressError::Root)?;
        let raw_key = &raw_path[1..prefix_len];
        let key =
            percent_decode_str(raw_key)
                .decode_utf8()
                .map_err(|_| AddressError::Encoding {
                    key: raw_key.into(),
                })?;
        let app_len = app_len(&key).ok_or_else(|| AddressError::Name {
            key: key.clone().into(),
        })?;
        let selector = Selector::parse(selector_of(&key, app_len)).map_err(|reason| {
            AddressError::Selector {
                key: key.clone().into(),
                reason,
            }
        })?;
        let decoded_key = match key {
            Cow::Borrowed(_) => None,
            Cow::Owned(decoded) => Some(decoded.into_boxed_str()),
        };
        Ok(Address {
            path: raw_path.into(),
            prefix_len,
            decoded_key,
            app_len,
            selector,
        })
    }

    /// The app: `chat`, `@scope/chat`.
    pub fn app(&self) -> &str {
        &self.key()[..self.app_len]
    }

    /// Which version is asked for.
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// The selector as typed, decoded: `^1.2`; empty when there is none. Printable ASCII.
    pub fn selector_text(&self) -> &str {
        selector_of(self.key(), self.app_len)
    }

    /// App and selector as typed, decoded: `chat@^1.2`.
    pub fn key(&self) -> &str {
        self.decoded_key
            .as_deref()
            .unwrap_or(&self.path[1..self.prefix_len])
    }

    /// What stands before the tail, raw: `/chat@%5E1.2`.
    pub fn prefix(&self) -> &str {
        &self.path[..self.prefix_len]
    }

    /// What the app sees as its path, raw; begins with a slash.
    pub fn tail(&self) -> &str {
        match &self.path[self.prefix_len..] {
            "" => "/",
            tail => tail,
        }
    }
}

/// How many bytes `/app@selector` has; none when the first segment is empty.
fn prefix_len(path: &str) -> Option<usize> {
    let first = segment_end(path, 0)?;
    let segment = &path[1..first];
    if segment.is_empty() {
        return None;
    }
    let is_scope = segment.starts_with('@') || segment.starts_with("%40");
    // A scope without a name is left as it is: `app_len` refuses it.
    Some(if is_scope {
        segment_end(path, first).unwrap_or(first)
    } else {
        first
    })
}

/// Where the segment ends whose slash is at `start`; none when no slash is there.
fn segment_end(path: &str, start: usize) -> Option<usize> {
    let segment = path[start..].strip_prefix('/')?;
    Some(start + 1 + segment.find('/').unwrap_or(segment.len()))
}

/// How many bytes of the key are the app's name; none when that is no name.
fn app_len(key: &str) -> Option<usize> {
    let name_start = match key.strip_prefix('@') {
        Some(scoped) => {
            let (scope, _) = scoped.split_once('/')?;
            is_name(scope).then_some(scope.len() + 2)?
        }
        None => 0,
    };
    let name = key[name_start..].split('@').next()?;
    let end = name_start + name.len();
    (is_name(name) && end <= NAME_BYTES_MAX).then_some(end)
}

/// `[A-Za-z0-9][A-Za-z0-9._-]*` without `..`, which has no use in a name and too many in a path.
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && !text.contains("..")
}

/// What follows the app in the key, without the `@` between them.
fn selector_of(key: &str, app_len: usize) -> &str {
    let rest = &key[app_len..];
    rest.strip_prefix('@').unwrap_or(rest)
}

#[cfg(test)]
mod tests;
