//! Why the store refused.

/// Why a key or a value was not taken. Nothing was changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KvError {
    /// A key is 1 to 1,024 bytes.
    #[error("a key is 1 to {} bytes long", crate::bucket::KEY_BYTES_MAX)]
    InvalidKey,
    /// The value is larger than a value may be.
    #[error("a value is at most {0} bytes long")]
    ValueTooLarge(usize),
    /// The namespace holds as much as it may. Guests tell it from other errors by how its text begins.
    #[error("full: the namespace holds its {0} bytes already")]
    Full(usize),
    /// `increment` met a value that is not a decimal number.
    #[error("the value is not a decimal number")]
    NotANumber,
    /// `increment` left the range of a signed 64-bit number.
    #[error("the number leaves the range of 64 bits")]
    Overflow,
    /// The value changed since it was read.
    #[error("the value changed since it was read")]
    Conflict,
    /// The database that keeps it did not.
    #[error(transparent)]
    Database(#[from] SqlError),
}

/// Why a statement did nothing. The texts are for the guest: they name tables and columns, never a path.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SqlError {
    /// A constraint of the schema forbids it.
    #[error("{0}")]
    Constraint(String),
    /// Another writer was in the way: the same again may work.
    #[error("another writer was in the way")]
    Conflict,
    /// The statement, or its values, are not understood.
    #[error("{0}")]
    Syntax(String),
    /// The database cannot answer now, or not in time.
    #[error("{0}")]
    Unavailable(String),
    /// The statement, a value or the result is larger than the limits.
    #[error("the statement, one of its values or its result is too large")]
    TooLarge,
}
