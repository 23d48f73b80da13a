//! Where an entry goes: its name checked, its folders made, its bytes written and counted.
//!
//! **Invariant:** a file is made anew. It never goes through a link and never over another one.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::ArchiveError;
use super::ledger::Ledger;

/// The longest name, in bytes; what most systems take of a path is four times that.
const NAME_BYTES_MAX: usize = 1024;
/// How deep folders may lie in each other.
const DEPTH_MAX: usize = 32;
/// What a file system takes of one part of a path.
const PART_BYTES_MAX: usize = 255;
/// How much of a name is shown in an error.
const SHOWN_CHARS: usize = 120;

/// Whether a file may be run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Runs {
    /// By anybody.
    Yes,
    /// By nobody.
    No,
}

impl Runs {
    /// What its owner may do is what everybody may; other bits of a mode are not taken.
    pub fn of_mode(mode: u32) -> Runs {
        if mode & 0o100 == 0 {
            Runs::No
        } else {
            Runs::Yes
        }
    }
}

/// A name as an error may show it.
pub(super) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let plain = text
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c });
    plain.take(SHOWN_CHARS).collect()
}

/// Where an entry of this name goes. `None` for the folder itself (`./`).
pub(super) fn place(into: &Path, name: &[u8]) -> Result<Option<PathBuf>, ArchiveError> {
    let refuse = |reason| ArchiveError::Name {
        name: shown(name),
        reason,
    };
    let text = std::str::from_utf8(name).map_err(|_| refuse("is not UTF-8"))?;
    if text.len() > NAME_BYTES_MAX {
        return Err(refuse("is too long a name"));
    }
    if text.starts_with('/') {
        return Err(refuse("is an absolute path"));
    }
    let mut path = into.to_owned();
    let mut depth = 0;
    for part in text.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            return Err(refuse("leads out of the folder"));
        }
        if part.contains(['\\', '\0']) {
            return Err(refuse("has a character that no name may have"));
        }
        if part.len() > PART_BYTES_MAX {
            return Err(refuse("is too long a name"));
        }
        depth += 1;
        if depth > DEPTH_MAX {
            return Err(refuse("lies too deep"));
        }
        path.push(part);
    }
    Ok((depth > 0).then_some(path))
}

/// Makes a folder and those around it, where they are not there yet.
pub(super) fn make_folder(path: &Path, name: &[u8]) -> Result<(), ArchiveError> {
    let made = DirBuilder::new().recursive(true).mode(0o755).create(path);
    made.map_err(|error| occupied_or(error, name))
}

/// Writes a file, and counts it.
pub(super) fn write_file(
    path: &Path,
    name: &[u8],
    content: &mut dyn Read,
    runs: Runs,
    ledger: &mut Ledger,
) -> Result<File, ArchiveError> {
    if let Some(folder) = path.parent() {
        make_folder(folder, name)?;
    }
    let mode = match runs {
        Runs::Yes => 0o755,
        Runs::No => 0o644,
    };
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    let mut file = made.map_err(|error| occupied_or(error, name))?;
    ledger.file();
    let label = shown(name);
    let mut buffer = vec![0; 64 << 10];
    let mut written = 0;
    loop {
        let read = match content.read(&mut buffer) {
            Ok(0) => return Ok(file),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ArchiveError::Damaged(error.to_string())),
        };
        ledger.bytes(&label, written, read as u64)?;
        file.write_all(&buffer[..read])
            .map_err(ArchiveError::Write)?;
        written += read as u64;
    }
}

fn occupied_or(error: io::Error, name: &[u8]) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            ArchiveError::Twice { name: shown(name) }
        }
        _ => ArchiveError::Write(error),
    }
}
