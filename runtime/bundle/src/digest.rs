//! What a bundle is, as one number: two bundles with the same digest are served the same way.
//!
//! **Invariant:** every part is hashed with its length before it, so that no two lists of parts look alike.
//! **Absent on purpose:** the contents of static files, which the host reads for each request: their paths, lengths and
//! times of change are enough to see a new deploy. And the other files of a script or a process, which may write
//! beside itself: a new deploy of one shows in its manifest or its entry file.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use crate::entrypoint::Entry;
use crate::error::BundleError;

/// The most files that a static folder may have.
const STATIC_FILES_MAX: usize = 100_000;
/// The largest component or script, in bytes.
const ENTRY_BYTES_MAX: u64 = 512 << 20;

/// The SHA-256 of a bundle.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Hashes the manifests' bytes and what the entry is.
pub(crate) fn digest(
    dir: &Path,
    manifests: &[&[u8]],
    entry: &Entry,
) -> Result<Digest, BundleError> {
    let mut hash = Hash(Sha256::new());
    for bytes in manifests {
        hash.part(bytes);
    }
    match entry {
        Entry::Component { path } | Entry::Script { path } => hash.file(dir, path)?,
        Entry::Static { index, root } => {
            if let Some(index) = index {
                hash.file(dir, index)?;
            }
            hash.listing(dir, root)?;
        }
        // Their whole description is the manifest.
        Entry::Command { .. } | Entry::Rules => {}
    }
    Ok(Digest(hash.0.finalize().into()))
}

struct Hash(Sha256);

impl Hash {
    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn file(&mut self, dir: &Path, path: &Path) -> Result<(), BundleError> {
        let unreadable = |source| BundleError::Unreadable {
            file: shown(dir, path),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        self.part(shown(dir, path).as_bytes());
        self.0.update(length.to_le_bytes());
        let mut rest = file.take(ENTRY_BYTES_MAX + 1);
        let mut buffer = vec![0; 64 << 10];
        let mut total = 0;
        loop {
            let read = match rest.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(error)),
            };
            total += read as u64;
            self.0.update(&buffer[..read]);
        }
        if total > ENTRY_BYTES_MAX {
            return Err(BundleError::TooLarge {
                file: shown(dir, path),
                bytes_max: ENTRY_BYTES_MAX,
            });
        }
        Ok(())
    }

    /// Every file below a folder, in an order that does not depend on the file system.
    fn listing(&mut self, dir: &Path, root: &Path) -> Result<(), BundleError> {
        let mut files = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            let unreadable = |source| BundleError::Unreadable {
                file: shown(dir, &folder),
                source,
            };
            for entry in fs::read_dir(&folder).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?;
                // Of the entry itself: a linked folder could lead back here and is not descended into.
                let metadata = entry.metadata().map_err(unreadable)?;
                if metadata.is_dir() {
                    folders.push(entry.path());
                } else {
                    files.push(Listed {
                        path: entry.path(),
                        length: metadata.len(),
                        changed: changed(&metadata),
                    });
                }
                if files.len() + folders.len() > STATIC_FILES_MAX {
                    return Err(BundleError::TooManyFiles {
                        files_max: STATIC_FILES_MAX,
                    });
                }
            }
        }
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        for file in files {
            let relative = file.path.strip_prefix(dir).unwrap_or(&file.path);
            self.part(relative.as_os_str().as_encoded_bytes());
            self.0.update(file.length.to_le_bytes());
            self.0.update(file.changed.to_le_bytes());
        }
        Ok(())
    }
}

struct Listed {
    path: PathBuf,
    length: u64,
    changed: u128,
}

/// Nanoseconds since 1970; a file system without such times gives one that never changes.
fn changed(metadata: &fs::Metadata) -> u128 {
    let since = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos())
}

/// A path as a message may show it: relative to the bundle.
fn shown(dir: &Path, path: &Path) -> String {
    match path.strip_prefix(dir) {
        Ok(relative) if relative.as_os_str().is_empty() => ".".to_owned(),
        Ok(relative) => relative.display().to_string(),
        Err(_) => path
            .file_name()
            .map(|name| name.display().to_string())
            .unwrap_or_default(),
    }
}
