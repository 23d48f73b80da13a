//! Passwords: hashed and checked by the host, with Argon2id.

use std::fmt;

use crate::seam;

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordError {
    /// A password is at most 1,024 bytes long.
    TooLong,
    /// The host cannot do it now.
    Unavailable,
}

impl fmt::Display for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PasswordError::TooLong => "a password is at most 1024 bytes long",
            PasswordError::Unavailable => "passwords cannot be hashed now",
        })
    }
}

impl std::error::Error for PasswordError {}

/// The hash of a password, with a salt of its own, as text that says how it was made.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    seam::password::hash(password)
}

/// Whether a password has this hash. False for a text that is no hash.
pub fn verify(password: &str, hash: &str) -> Result<bool, PasswordError> {
    seam::password::verify(password, hash)
}
