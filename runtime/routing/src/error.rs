//! Why a path leads to no app, before any app is looked up.

/// A path that is no address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// The path is `/`, or its first segment is empty.
    #[error("the path names no app")]
    Root,
    /// The app's name has a character, a length or a form that no app's name has.
    #[error("`{key}` does not begin with the name of an app")]
    Name {
        /// The app and its selector as typed.
        key: String,
    },
    /// The percent-encoding of the app or its selector is not UTF-8.
    #[error("`{key}` is not UTF-8 when decoded")]
    Encoding {
        /// The app and its selector as typed, still encoded.
        key: String,
    },
    /// What follows the `@` is neither a version, nor a range, nor the name of a tag.
    #[error("`{key}`: {reason}")]
    Selector {
        /// The app and its selector as typed.
        key: String,
        /// What is wrong.
        reason: SelectorError,
    },
}

/// A text that selects nothing, whatever there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SelectorError {
    /// Longer than [`SELECTOR_BYTES_MAX`](crate::SELECTOR_BYTES_MAX).
    #[error("the selector is too long")]
    TooLong,
    /// Neither a version, nor a range in npm's grammar, nor the name of a tag.
    #[error("not a version, a range or a tag")]
    Unknown,
}

impl AddressError {
    /// The app and its selector as typed, for the message to the client; empty when the path names none.
    pub fn key(&self) -> &str {
        match self {
            AddressError::Root => "",
            AddressError::Name { key }
            | AddressError::Encoding { key }
            | AddressError::Selector { key, .. } => key,
        }
    }
}
