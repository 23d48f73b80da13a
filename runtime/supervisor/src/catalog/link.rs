//! Which version a link leads to, by names alone: `latest -> stable -> 1.2.0` is 1.2.0, wherever its files lie.
//!
//! **Invariant:** a chain of links is followed for [`LINKS_MAX`] steps at most.
//! **Absent on purpose:** whether the version is there, and whether it may be followed: its own folder is asked for that.

use std::fs;
use std::path::Path;

use rookery_bundle::parse_version;
use semver::Version;

/// More than anybody chains on purpose; Linux itself follows 40.
const LINKS_MAX: usize = 8;

/// A folder without links in its path, and what stands before the version in the names of the app's folders there.
pub type Place<'a> = (&'a Path, &'a str);

/// The version whose folder, in one of these places, the link names.
pub fn led_to(link: &Path, places: &[Place<'_>]) -> Option<Version> {
    let mut at = link.to_owned();
    for _ in 0..LINKS_MAX {
        let target = at.parent()?.join(fs::read_link(&at).ok()?);
        let name = target.file_name()?.to_str()?;
        let folder = fs::canonicalize(target.parent()?).ok()?;
        let here = places.iter().filter(|(place, _)| *place == folder);
        let mut versions = here.filter_map(|(_, before)| parse_version(name.strip_prefix(before)?));
        if let Some(version) = versions.next() {
            return Some(version);
        }
        at = folder.join(name);
    }
    None
}
