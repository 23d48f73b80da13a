//! What is in a folder.
//!
//! **Invariant:** a listing is bounded: of a folder with more than [`ENTRIES_MAX`] entries, the first are shown; of a
//! folder that holds more than [`COUNTED_MAX`] files, the size is that of those.

use std::cmp::Reverse;
use std::io;

use cap_std::fs::{Dir, Metadata};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::iso8601::{
    Config, EncodedConfig, Iso8601, TimePrecision,
};

use crate::folder::Folder;
use crate::place::Place;
use crate::refusal::Refusal;

/// How many entries a listing has at most.
const ENTRIES_MAX: usize = 10_000;
/// How many files a folder's size is summed of at most.
const COUNTED_MAX: usize = 100_000;
/// How deep they are looked for.
const DEPTH_MAX: usize = 32;

/// As JavaScript writes a date: `2026-01-31T12:00:00.000Z`.
const JAVASCRIPT: EncodedConfig = Config::DEFAULT
    .set_time_precision(TimePrecision::Second {
        decimal_digits: std::num::NonZero::new(3),
    })
    .encode();

/// Buntime's listing.
#[derive(Serialize, Debug)]
pub(super) struct Listing {
    entries: Vec<Item>,
    path: String,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Item {
    is_directory: bool,
    name: String,
    path: String,
    /// In bytes; of a folder, of all that is below it.
    size: u64,
    updated_at: String,
}

/// Lists a folder. One that is not there is empty.
pub(super) fn list(folder: &Folder, place: &Place) -> Result<Listing, Refusal> {
    let empty = Listing {
        entries: Vec::new(),
        path: place.to_string(),
    };
    let dir = match folder.dir().open_dir(place.as_path()) {
        Ok(dir) => dir,
        Err(error) if is_absent(&error) => return Ok(empty),
        Err(error) => return Err(Refusal::of(error)),
    };
    let mut entries = Vec::new();
    let mut left = COUNTED_MAX;
    for entry in dir.entries().map_err(Refusal::of)?.take(ENTRIES_MAX) {
        let entry = entry.map_err(Refusal::of)?;
        // What is not UTF-8 cannot be named in a request either.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        // Gone since its name was read.
        if let Ok(item) = item(&dir, place, name, &mut left) {
            entries.push(item);
        }
    }
    entries.sort_by_cached_key(|item| {
        (
            Reverse(item.is_directory),
            item.name.to_lowercase(),
            item.name.clone(),
        )
    });
    Ok(Listing { entries, ..empty })
}

fn item(dir: &Dir, place: &Place, name: String, left: &mut usize) -> io::Result<Item> {
    // A link that leads out, or nowhere, is shown as what it is.
    let metadata = dir
        .metadata(&name)
        .or_else(|_| dir.symlink_metadata(&name))?;
    let is_directory = metadata.is_dir();
    let size = if is_directory {
        dir.open_dir(&name)
            .map_or(0, |inner| size_of(&inner, left, 0))
    } else {
        metadata.len()
    };
    let path = if place.is_root() {
        name.clone()
    } else {
        format!("{place}/{name}")
    };
    Ok(Item {
        is_directory,
        path,
        size,
        updated_at: updated_at(&metadata),
        name,
    })
}

/// The bytes of all files below a folder, links not followed.
fn size_of(dir: &Dir, left: &mut usize, depth: usize) -> u64 {
    let Ok(entries) = dir.entries() else { return 0 };
    let mut size = 0;
    for entry in entries.flatten() {
        if *left == 0 {
            break;
        }
        *left -= 1;
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        if metadata.is_dir() && depth < DEPTH_MAX {
            size += entry
                .open_dir()
                .map_or(0, |inner| size_of(&inner, left, depth + 1));
        } else if metadata.is_file() {
            size += metadata.len();
        }
    }
    size
}

fn updated_at(metadata: &Metadata) -> String {
    let time = metadata
        .modified()
        .map_or(OffsetDateTime::UNIX_EPOCH, |time| {
            OffsetDateTime::from(time.into_std())
        });
    time.format(&Iso8601::<JAVASCRIPT>).unwrap_or_default()
}

/// Nothing is there, or not a folder.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
