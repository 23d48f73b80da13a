//! Takes a `.zip` apart.
//!
//! APPNOTE 6.3.10. The central directory is what counts; the headers in front of the files have to agree with it.
//!
//! **Invariant:** entries are looked at one by one, so that a directory of millions takes no memory.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use zip::ZipReadOptions;
use zip::read::Config;
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;

use super::ArchiveError;
use super::ledger::Ledger;
use super::place::{self, Runs, shown};

/// The kinds of files in the upper half of a Unix mode (`S_IFMT`).
const KIND_MASK: u32 = 0o170_000;
const KIND_FILE: u32 = 0o100_000;
const KIND_FOLDER: u32 = 0o040_000;

pub(super) fn unpack(
    archive: &mut File,
    into: &Path,
    ledger: &mut Ledger,
) -> Result<(), ArchiveError> {
    let bodies = archive.try_clone().map_err(ArchiveError::Read)?;
    // Both share one position in the file, and each seeks before it reads.
    let mut bodies = BufReader::new(bodies);
    let zip = ZipIterable::try_new(BufReader::new(archive), Config::default());
    let mut zip = zip.map_err(damaged)?.enforce_header_consistency(true);
    // What an entry says of its packed size is what is read for it.
    let read = ledger.meter();
    for entry in zip.files().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        ledger.entry()?;
        read.set(read.get().saturating_add(entry.compressed_size()));
        let name = entry.name_raw().to_vec();
        let mode = entry.unix_mode().unwrap_or_default();
        let is_folder = entry.is_dir();
        if let Some(what) = strange(mode, entry.is_symlink()) {
            return Err(ArchiveError::Kind {
                name: shown(&name),
                what,
            });
        }
        if entry.encrypted() {
            return Err(ArchiveError::Kind {
                name: shown(&name),
                what: "encrypted",
            });
        }
        let Some(path) = place::place(into, &name)? else {
            continue;
        };
        if is_folder {
            place::make_folder(&path, &name)?;
            continue;
        }
        let mut content = entry
            .with_reader(&mut bodies, ZipReadOptions::default())
            .map_err(damaged)?;
        // The crate compares the checksum when the last byte was read.
        place::write_file(&path, &name, &mut content, Runs::of_mode(mode), ledger)?;
    }
    Ok(())
}

fn strange(mode: u32, is_symlink: bool) -> Option<&'static str> {
    if is_symlink {
        return Some("a symbolic link");
    }
    match mode & KIND_MASK {
        // Zero is what programs say that know no modes.
        0 | KIND_FILE | KIND_FOLDER => None,
        _ => Some("a device, a pipe or a socket"),
    }
}

fn damaged(error: ZipError) -> ArchiveError {
    ArchiveError::Damaged(error.to_string())
}
