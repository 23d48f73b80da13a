//! Makes a `.tar.gz` of a bundle's folder.
//!
//! **Invariant:** the same files make the same archive: names in order, no owners, no names of users.
//! **Absent on purpose:** links. What a link leads to is packed when it lies in the folder, and refused when it does not.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::ArchiveError;
use super::place::shown;

/// Of no use to whoever serves it, wherever it lies.
const NEVER: [&str; 2] = [".git", ".DS_Store"];
/// What a component is built from: beside a `Cargo.toml` these are no part of the bundle.
const SOURCES: [&str; 5] = ["Cargo.toml", "Cargo.lock", "src", "target", ".cargo"];
/// Nobody follows links for ever.
const DEPTH_MAX: usize = 32;

/// What was packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Packed {
    /// How many files.
    pub files: usize,
    /// Their bytes, before they were compressed.
    pub bytes: u64,
}

/// Packs what is served of a bundle's folder. Blocks on the disk.
///
/// # Errors
/// A file that cannot be read, a link that leaves the folder, a writer that fails.
pub fn pack(dir: &Path, into: impl Write) -> Result<Packed, ArchiveError> {
    let root = dir.canonicalize().map_err(ArchiveError::Read)?;
    let mut pass = Pass {
        has_sources: root.join("Cargo.toml").is_file(),
        tar: Builder::new(GzEncoder::new(into, Compression::default())),
        packed: Packed::default(),
        root,
    };
    let root = pass.root.clone();
    pass.folder(&root, Path::new(""), 0)?;
    let stream = pass.tar.into_inner().map_err(ArchiveError::Write)?;
    let mut writer = stream.finish().map_err(ArchiveError::Write)?;
    writer.flush().map_err(ArchiveError::Write)?;
    Ok(pass.packed)
}

struct Pass<W: Write> {
    root: PathBuf,
    has_sources: bool,
    tar: Builder<GzEncoder<W>>,
    packed: Packed,
}

impl<W: Write> Pass<W> {
    /// What is below a folder; `name` is what the folder is called in the archive.
    fn folder(&mut self, dir: &Path, name: &Path, depth: usize) -> Result<(), ArchiveError> {
        let entries = fs::read_dir(dir).map_err(ArchiveError::Read)?;
        let entries: Result<Vec<_>, _> = entries.collect();
        let mut entries = entries.map_err(ArchiveError::Read)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            if self.is_left_out(&entry.file_name(), depth) {
                continue;
            }
            let inner = name.join(entry.file_name());
            let refuse = |reason| ArchiveError::Name {
                name: shown(inner.as_os_str().as_encoded_bytes()),
                reason,
            };
            if depth == DEPTH_MAX {
                return Err(refuse("lies too deep"));
            }
            let path = entry.path().canonicalize().map_err(ArchiveError::Read)?;
            if !path.starts_with(&self.root) {
                return Err(refuse("is a link that leaves the bundle"));
            }
            let metadata = fs::metadata(&path).map_err(ArchiveError::Read)?;
            if metadata.is_dir() {
                self.header(
                    &inner,
                    EntryType::Directory,
                    &metadata,
                    &mut std::io::empty(),
                )?;
                self.folder(&path, &inner, depth + 1)?;
            } else if metadata.is_file() {
                let mut file = File::open(&path).map_err(ArchiveError::Read)?;
                self.header(&inner, EntryType::Regular, &metadata, &mut file)?;
                self.packed.files += 1;
                self.packed.bytes += metadata.len();
            } else {
                return Err(refuse("is neither a file nor a folder"));
            }
        }
        Ok(())
    }

    fn header(
        &mut self,
        name: &Path,
        kind: EntryType,
        metadata: &fs::Metadata,
        content: &mut dyn std::io::Read,
    ) -> Result<(), ArchiveError> {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        let runs = metadata.is_dir() || metadata.permissions().mode() & 0o100 != 0;
        header.set_mode(if runs { 0o755 } else { 0o644 });
        let changed = metadata.modified().ok();
        let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        header.set_mtime(changed.unwrap_or_default().as_secs());
        header.set_size(if metadata.is_dir() { 0 } else { metadata.len() });
        let added = self.tar.append_data(&mut header, name, content);
        added.map_err(ArchiveError::Write)
    }

    fn is_left_out(&self, name: &OsStr, depth: usize) -> bool {
        let is = |one: &&str| name == *one;
        NEVER.iter().any(&is) || (depth == 0 && self.has_sources && SOURCES.iter().any(is))
    }
}
