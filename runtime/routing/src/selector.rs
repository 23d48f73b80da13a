//! Which version a path asks for.
//!
//! **Invariant:** a text that is a range is never a tag, so a tag cannot hide versions.

use semver::Version;

use crate::partial::Partial;
use crate::{Range, SelectorError};

/// The longest text that selects anything: node-semver's bound for a version.
pub const SELECTOR_BYTES_MAX: usize = 256;

/// What follows the `@` of an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Selector {
    /// Nothing: whatever the app serves by itself.
    None,
    /// One version.
    Version(Version),
    /// The highest version of a range.
    Range(Range),
    /// The version that a tag points to.
    Tag(String),
}

impl Selector {
    /// Reads a decoded selector. The empty one, and one of blanks, is [`Selector::None`].
    pub fn parse(text: &str) -> Result<Selector, SelectorError> {
        if text.len() > SELECTOR_BYTES_MAX {
            return Err(SelectorError::TooLong);
        }
        // Printable ASCII has all that a version or a tag needs, and can stand in a header of the answer.
        if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(SelectorError::Unknown);
        }
        let text = text.trim();
        if text.is_empty() {
            return Ok(Selector::None);
        }
        if let Some(Partial::Full(version)) = Partial::parse(text) {
            return Ok(Selector::Version(version));
        }
        if let Some(range) = Range::parse(text) {
            return Ok(Selector::Range(range));
        }
        if is_tag(text) {
            Ok(Selector::Tag(text.into()))
        } else {
            Err(SelectorError::Unknown)
        }
    }
}

/// `[A-Za-z][A-Za-z0-9._-]*`.
fn is_tag(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Selector {
        Selector::Version(Version::parse(text).expect("a version"))
    }

    #[test]
    fn a_version_is_exact_with_or_without_its_v() {
        let rows = [
            ("1.2.3", "1.2.3"),
            ("v1.2.3", "1.2.3"),
            ("=1.2.3", "1.2.3"),
            ("=v1.2.3", "1.2.3"),
            (" 1.2.3 ", "1.2.3"),
            ("2.0.0-rc.1", "2.0.0-rc.1"),
            ("1.0.0+b1", "1.0.0+b1"),
            ("1.0.0-x-y.0+00.b", "1.0.0-x-y.0+00.b"),
        ];
        for (text, expected) in rows {
            assert_eq!(Selector::parse(text), Ok(version(expected)), "{text}");
        }
    }

    #[test]
    fn nothing_and_blanks_select_nothing() {
        for text in ["", " ", "   "] {
            assert_eq!(Selector::parse(text), Ok(Selector::None));
        }
    }

    #[test]
    fn a_name_that_is_no_range_is_a_tag() {
        for text in [
            "latest", "canary", "abc", "vintage", "v", "x-beta", "xx", "rc_1", "a.b-c",
        ] {
            assert_eq!(Selector::parse(text), Ok(Selector::Tag(text.into())));
        }
    }

    #[test]
    fn a_range_is_never_a_tag() {
        for text in [
            "x",
            "X",
            "x.x",
            "v1",
            "v1.2",
            "X.1.2",
            "*",
            "1",
            "1 || latest-is-no-part",
        ] {
            assert!(
                !matches!(Selector::parse(text), Ok(Selector::Tag(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_nothing_of_these_is_an_error() {
        let rows = [
            "1.0.0.0",
            "1.",
            ".1",
            "1..2",
            "01.2.3",
            "1.02",
            "1.2.3-",
            "1.2.3+",
            "1.2.3-01",
            "1-beta",
            "1.2-beta",
            "1.2.3-a_b",
            "1@2",
            "-",
            "_x",
            "<",
            ">=",
            "^",
            "~",
            "~>",
            "||a",
            "1 - ",
            "- 1",
            "1 - 2 - 3",
            "1 -2",
            "a b",
            ">=1<2",
            "1,2",
            "9007199254740992.0.0",
            "99999999999999999999",
            "é",
            "1\n2",
            "\0",
            "1.2.3\t",
        ];
        for text in rows {
            assert_eq!(
                Selector::parse(text),
                Err(SelectorError::Unknown),
                "{text:?}"
            );
        }
        assert_eq!(
            Selector::parse(&"a".repeat(257)),
            Err(SelectorError::TooLong)
        );
        assert!(Selector::parse(&"a".repeat(256)).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String, close in "[-0-9vxX*.^~<>=| +a]{0,24}") {
            let _ = Selector::parse(&text);
            let _ = Selector::parse(&close);
        }

        #[test]
        fn a_version_as_written_is_exactly_that_version(
            numbers in prop::array::uniform3(0_u64..1 << 53),
            pre in "|-(0|[1-9][0-9]{0,8}|[a-z-][0-9a-z-]{0,8})([.](0|[1-9][0-9]{0,8}|[a-z-][0-9a-z-]{0,8})){0,3}",
            build in "|[+][0-9a-zA-Z-]{1,8}([.][0-9a-zA-Z-]{1,8}){0,3}",
        ) {
            let [major, minor, patch] = numbers;
            let text = format!("{major}.{minor}.{patch}{pre}{build}");
            prop_assert_eq!(Selector::parse(&text), Ok(version(&text)));
        }
    }
}
