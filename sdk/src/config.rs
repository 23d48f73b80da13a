//! The settings that the manifest was granted.

use crate::{Error, seam};

/// A setting; None when it is not set or not granted.
pub fn get(name: &str) -> Result<Option<String>, Error> {
    seam::config::get(name)
}

/// A setting that the app cannot do without.
pub fn require(name: &str) -> Result<String, Error> {
    get(name)?.ok_or_else(|| Error::internal(format!("the setting '{name}' is missing")))
}

/// Every granted setting that is set.
pub fn all() -> Result<Vec<(String, String)>, Error> {
    seam::config::all()
}
