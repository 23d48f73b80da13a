//! What a bundle is, as one number: two bundles with the same digest are served the same way.
//!
//! **Invariant:** every part is hashed with its length before it, so that no two lists of parts look alike.
//! **Absent on purpose:** the contents of static files, which the host reads for each request: their paths, lengths and
//! times of change are enough to see a new deploy. So they are of the code that a process may load. Its other files are
//! left out: it may write beside itself all day.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use crate::entrypoint::{Entry, bundle_path, contained};
use crate::error::BundleError;

/// The most files that a static folder may have, or code that a process may load.
const STATIC_FILES_MAX: usize = 100_000;
/// What code that a process loads may be called.
const CODE: [&str; 9] = ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "wasm"];
/// The folder of installed packages: large, and made anew from a file that is looked at.
const PACKAGES: &str = "node_modules";
/// The largest component, script or program, in bytes.
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
        Entry::Component { path } => hash.file(dir, path)?,
        Entry::Script { path } => {
            hash.file(dir, path)?;
            hash.listing(dir, dir, Which::Code)?;
        }
        Entry::Static { index, root } => {
            if let Some(index) = index {
                hash.file(dir, index)?;
            }
            hash.listing(dir, root, Which::All)?;
        }
        Entry::Command { argv } => {
            if let Some(program) = own_program(dir, argv) {
                hash.file(dir, &program)?;
            }
            hash.listing(dir, dir, Which::Code)?;
        }
        // Their whole description is the manifest.
        Entry::Rules => {}
    }
    Ok(Digest(hash.0.finalize().into()))
}

/// Whether a file's name is one of code that a runtime loads: such a file is not what a process writes beside itself.
pub fn is_code(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| CODE.contains(&extension))
}

/// The program that a command starts, if the bundle brings it.
fn own_program(dir: &Path, argv: &[String]) -> Option<PathBuf> {
    let program = bundle_path(argv.first()?).ok()?;
    let program = contained(dir, &dir.join(program)).ok()??;
    program.is_file().then_some(program)
}

/// Which files below a folder count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    Code,
}

impl Which {
    fn file(self, path: &Path) -> bool {
        self == Which::All || is_code(path)
    }

    fn folder(self, name: &OsStr) -> bool {
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        self == Which::All || !(is_hidden || name == PACKAGES)
    }
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

    /// The files below a folder, in an order that does not depend on the file system.
    fn listing(&mut self, dir: &Path, root: &Path, which: Which) -> Result<(), BundleError> {
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
                    if which.folder(&entry.file_name()) {
                        folders.push(entry.path());
                    }
                } else if which.file(&entry.path()) {
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
