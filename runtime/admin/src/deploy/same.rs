//! Whether two folders hold the same files.
//!
//! **Absent on purpose:** times. A file that was sent twice was written at two times and is the same file.

use std::collections::BTreeMap;
use std::io::{self, Read};

use cap_std::fs::{Dir, File, FileType, PermissionsExt};

const DEPTH_MAX: usize = 32;

/// Whether they do. Blocks on the disk, for as long as they have the same names.
pub(super) fn same(one: &Dir, other: &Dir) -> io::Result<bool> {
    same_at(one, other, 0)
}

fn same_at(one: &Dir, other: &Dir, depth: usize) -> io::Result<bool> {
    let (names, others) = (entries(one)?, entries(other)?);
    let pairs = names.keys().zip(others.keys());
    if names.len() != others.len() || pairs.into_iter().any(|(one, other)| one != other) {
        return Ok(false);
    }
    for (name, kind) in names {
        if others[&name] != kind {
            return Ok(false);
        }
        let alike = if kind.is_dir() {
            depth < DEPTH_MAX && same_at(&one.open_dir(&name)?, &other.open_dir(&name)?, depth + 1)?
        } else {
            kind.is_file() && same_file(one.open(&name)?, other.open(&name)?)?
        };
        if !alike {
            return Ok(false);
        }
    }
    Ok(true)
}

fn entries(dir: &Dir) -> io::Result<BTreeMap<std::ffi::OsString, FileType>> {
    let mut entries = BTreeMap::new();
    for entry in dir.entries()? {
        let entry = entry?;
        entries.insert(entry.file_name(), entry.file_type()?);
    }
    Ok(entries)
}

fn same_file(one: File, other: File) -> io::Result<bool> {
    let (a, b) = (one.metadata()?, other.metadata()?);
    let runs = |metadata: &cap_std::fs::Metadata| metadata.permissions().mode() & 0o100 != 0;
    if a.len() != b.len() || runs(&a) != runs(&b) {
        return Ok(false);
    }
    let (mut one, mut other) = (io::BufReader::new(one), io::BufReader::new(other));
    let (mut left, mut right) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut rest = a.len();
    while rest > 0 {
        let length = rest.min(left.len() as u64) as usize;
        one.read_exact(&mut left[..length])?;
        other.read_exact(&mut right[..length])?;
        if left[..length] != right[..length] {
            return Ok(false);
        }
        rest -= length as u64;
    }
    Ok(true)
}
