//! What an app is called, and whose data it works on.
//!
//! **Invariant:** neither name can leave a folder or a keyspace that it is joined onto: no part of it is empty, `.` or
//! `..`, and it has no other separator than the one `/` of a scope.

use std::fmt;
use std::sync::Arc;

use semver::Version;

/// The longest name, in bytes; a folder must be able to carry it.
const NAME_BYTES_MAX: usize = 128;

/// An app's name: `chat` or `@scope/chat`. Case-sensitive.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct AppName(Arc<str>);

/// Why a text is not a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NameError {
    /// Not an app's name.
    #[error(
        "must be a letter or digit, then letters, digits, \".\", \"_\" and \"-\", at most 128; or @scope/name"
    )]
    App,
    /// Not a namespace.
    #[error(
        "must be letters, digits, \".\", \"_\", \"-\" and \"@\", at most 128; a scope may stand before it"
    )]
    Namespace,
}

impl AppName {
    /// Takes a name as a path or a folder has it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let valid = match text.strip_prefix('@') {
            Some(scoped) => scoped
                .split_once('/')
                .is_some_and(|(scope, name)| is_part(scope) && is_part(name)),
            None => is_part(text),
        };
        if valid && text.len() <= NAME_BYTES_MAX {
            Ok(Self(text.into()))
        } else {
            Err(NameError::App)
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose storage, topics and presence: `chat@1`. Versions of an app with the same major version share one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Namespace(Arc<str>);

impl Namespace {
    /// The namespace of an app whose manifest names none.
    pub fn of(app: &AppName, version: &Version) -> Self {
        Self(format!("{app}@{}", version.major).into())
    }

    /// Takes a namespace as a manifest has it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let plain = match text
            .strip_prefix('@')
            .and_then(|scoped| scoped.split_once('/'))
        {
            Some((scope, plain)) if is_part(scope) => plain,
            Some(_) => return Err(NameError::Namespace),
            None => text,
        };
        let mut parts = plain.splitn(2, '@');
        let valid = parts.next().is_some_and(is_part) && parts.next().is_none_or(is_part);
        if valid && text.len() <= NAME_BYTES_MAX {
            Ok(Self(text.into()))
        } else {
            Err(NameError::Namespace)
        }
    }

    /// The namespace as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `[A-Za-z0-9][A-Za-z0-9._-]*` without `..`, which no path may have: never empty, never `.`.
fn is_part(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !text.contains("..")
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_apps_name_is_one_word_or_a_scope_and_a_word() {
        for good in ["chat", "Chat-2.x_y", "0", "@acme/chat", "a.b"] {
            assert_eq!(
                AppName::parse(good).map(|name| name.to_string()).as_deref(),
                Ok(good)
            );
        }
        let long = "a".repeat(NAME_BYTES_MAX + 1);
        for bad in [
            "", ".", "..", "_", ".env", "-a", "a/b", "a@1", "@acme", "@/a", "@a/", "@a/b/c",
            "@../a", "a..b", "é", &long,
        ] {
            assert_eq!(AppName::parse(bad), Err(NameError::App), "{bad}");
        }
    }

    #[test]
    fn versions_of_one_major_share_a_namespace() {
        let chat = AppName::parse("@acme/chat").unwrap();
        let of = |text: &str| Namespace::of(&chat, &Version::parse(text).unwrap());
        assert_eq!(of("1.0.0"), of("1.9.3-rc.1"));
        assert_ne!(of("1.0.0"), of("2.0.0"));
        assert_eq!(of("0.3.0").as_str(), "@acme/chat@0");
    }

    #[test]
    fn every_default_namespace_is_one_that_a_manifest_may_name() {
        for good in ["chat@1", "chat", "@acme/chat@12", "shared.data"] {
            assert_eq!(
                Namespace::parse(good)
                    .map(|name| name.to_string())
                    .as_deref(),
                Ok(good)
            );
        }
        for bad in [
            "", "@", "a@", "a@1@2", "../x", "a/b", "@a/../b", "@../b", "a@..", "a b",
        ] {
            assert_eq!(Namespace::parse(bad), Err(NameError::Namespace), "{bad}");
        }
    }
}
