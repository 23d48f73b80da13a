//! A place in the apps directory, as a client names it.
//!
//! **Invariant:** a [`Place`] is relative and has neither `..` nor a name that begins with a dot. Whether links lead out of
//! the directory is seen when it is opened (`folder.rs`).

use std::fmt;
use std::path::Path;

use crate::refusal::Refusal;

/// The longest path, in bytes.
const PATH_BYTES_MAX: usize = 1024;
/// What a file system takes of one part.
const PART_BYTES_MAX: usize = 255;

/// A place in the apps directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place(String);

impl Place {
    /// The apps directory itself.
    pub fn root() -> Place {
        Place(String::new())
    }

    /// Reads a path. An empty one and `/` are the apps directory itself.
    pub fn parse(text: &str) -> Result<Place, Refusal> {
        if text == "/" {
            return Ok(Place::root());
        }
        if text.starts_with('/') {
            return Err(Refusal::Path(
                "the path must be relative to the apps directory",
            ));
        }
        let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        parts.iter().try_for_each(|part| check(part))?;
        if text.len() > PATH_BYTES_MAX {
            return Err(Refusal::Path("the path is too long"));
        }
        Ok(Place(parts.join("/")))
    }

    /// A place in this one, with a name of one part.
    pub fn child(&self, name: &str) -> Result<Place, Refusal> {
        if name.is_empty() || name.contains('/') {
            return Err(Refusal::Path("the name must be one part of a path"));
        }
        check(name)?;
        Ok(if self.is_root() {
            Place(name.to_owned())
        } else {
            Place(format!("{}/{name}", self.0))
        })
    }

    /// Whether it is the apps directory itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder that it lies in, and its name there. `None` for the apps directory itself.
    pub fn split(&self) -> Option<(Place, &str)> {
        if self.is_root() {
            return None;
        }
        let (parent, name) = self.0.rsplit_once('/').unwrap_or(("", &self.0));
        Some((Place(parent.to_owned()), name))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a path that can be opened.
    pub fn as_path(&self) -> &Path {
        Path::new(if self.is_root() { "." } else { &self.0 })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that begins with a dot is the server's: what is staged has one.
fn check(part: &str) -> Result<(), Refusal> {
    let reason = match part {
        ".." => "the path must not have `..` in it",
        _ if part.starts_with('.') => "names that begin with a dot are hidden here",
        _ if part.len() > PART_BYTES_MAX => "a name in the path is too long",
        _ if part.contains(char::is_control) => "the path must not have control characters in it",
        _ => return Ok(()),
    };
    Err(Refusal::Path(reason))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_place_is_below_the_apps_directory_or_it_is_none() {
        let parsed = |text: &str| Place::parse(text).map(|place| place.0).ok();
        for (text, expected) in [
            ("", Some("")),
            ("/", Some("")),
            ("chat", Some("chat")),
            ("chat/", Some("chat")),
            ("chat//1.0.0/a b", Some("chat/1.0.0/a b")),
            ("@team/chat", Some("@team/chat")),
            ("/chat", None),
            ("//", None),
            ("..", None),
            ("chat/../..", None),
            ("chat/..", None),
            (".", None),
            ("./chat", None),
            (".rookery", None),
            ("chat/.git/config", None),
            ("chat\0", None),
            ("chat\n", None),
        ] {
            assert_eq!(parsed(text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(parsed(&"n".repeat(256)), None);
        assert_eq!(parsed(&"abc/".repeat(300)), None);
    }

    #[test]
    fn a_child_has_a_name_of_one_part() {
        let chat = Place::parse("chat").unwrap();
        assert_eq!(chat.child("1.0.0").unwrap().as_str(), "chat/1.0.0");
        assert_eq!(Place::root().child("chat").unwrap(), chat);
        for name in ["", "a/b", "/a", "..", ".hidden"] {
            assert!(chat.child(name).is_err(), "{name}");
        }
        let deep = Place::parse("a/b/c").unwrap();
        assert_eq!(deep.split(), Some((Place::parse("a/b").unwrap(), "c")));
        assert_eq!(chat.split(), Some((Place::root(), "chat")));
        assert_eq!(Place::root().split(), None);
    }
}
