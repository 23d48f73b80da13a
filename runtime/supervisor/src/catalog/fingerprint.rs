//! Whether a folder looks as it looked before, without reading any of its files.
//!
//! It covers which folder it is, the files that the manifest and the entrypoint may be, and what the manifest names.
//! What lies deeper, such as the pages below a `static` folder, is served from the disk and needs no new revision.
//!
//! **Invariant:** two fingerprints that are equal were taken of the same inodes with the same lengths and times of
//! change. Those times cannot be set by `cp -p` or `touch`, so a copy that keeps its times is seen all the same.
//! **Absent on purpose:** the folder's own times. A process may write beside itself all day.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files that a bundle is recognised by. They may be absent.
const NAMES: [&str; 9] = [
    "worker.config.json",
    "package.json",
    "manifest.yaml",
    "index.html",
    "index.wasm",
    "app.wasm",
    "index.ts",
    "index.js",
    "index.mjs",
];

/// What a folder looked like at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    dir: PathBuf,
    inode: Option<(u64, u64)>,
    files: [Option<Stat>; NAMES.len()],
    named: Vec<(PathBuf, Option<Stat>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    device: u64,
    inode: u64,
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Fingerprint {
    /// Looks at `dir`, and at what is `named` unless that is looked at anyway.
    ///
    /// # Errors
    /// Any but that something does not exist, which is part of the picture.
    pub fn of(dir: &Path, named: &[PathBuf]) -> io::Result<Fingerprint> {
        let itself = stat(dir)?;
        let mut files = [None; NAMES.len()];
        // A folder that is gone has nothing in it.
        if itself.is_some() {
            for (file, name) in files.iter_mut().zip(NAMES) {
                *file = stat(&dir.join(name))?;
            }
        }
        let mut fingerprint = Fingerprint {
            dir: dir.to_owned(),
            inode: itself.map(|stat| (stat.device, stat.inode)),
            files,
            named: Vec::new(),
        };
        fingerprint.name(named)?;
        Ok(fingerprint)
    }

    /// Covers what is `named` in place of what was; the rest of the picture stays as it was taken.
    ///
    /// # Errors
    /// As for [`of`](Fingerprint::of).
    pub fn name(&mut self, named: &[PathBuf]) -> io::Result<()> {
        let named = named.iter().filter(|path| !is_covered(&self.dir, path));
        let named = named.map(|path| Ok((path.clone(), stat(path)?)));
        self.named = named.collect::<io::Result<_>>()?;
        Ok(())
    }
}

fn is_covered(dir: &Path, path: &Path) -> bool {
    let name = path.file_name();
    path.parent() == Some(dir)
        && NAMES
            .iter()
            .any(|covered| name == Some(OsStr::new(covered)))
}

fn stat(path: &Path) -> io::Result<Option<Stat>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(Stat {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })),
        Err(error) if is_absence(&error) || is_link(path) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file where a folder should be is a way of not being there.
fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// A link that cannot be followed, such as a loop, leads nowhere.
fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn of(dir: &Path) -> Fingerprint {
        Fingerprint::of(dir, &[]).unwrap()
    }

    #[test]
    fn a_folder_at_rest_keeps_its_fingerprint() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("index.html"), "one").unwrap();
        assert_eq!(of(dir.path()), of(dir.path()));
    }

    #[test]
    fn other_bytes_of_the_same_length_and_time_are_seen() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (dir.path().join("index.html"), dir.path().join("new"));
        fs::write(&old, "one").unwrap();
        fs::write(&new, "two").unwrap();
        let before = of(dir.path());
        let modified = fs::metadata(&old).unwrap().modified().unwrap();
        fs::File::options()
            .write(true)
            .open(&new)
            .unwrap()
            .set_modified(modified)
            .unwrap();
        fs::rename(&new, &old).unwrap();
        assert_ne!(of(dir.path()), before);
    }

    #[test]
    fn what_lies_deeper_is_covered_once_it_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let entry = [dir.path().join("dist/chat.wasm")];
        fs::create_dir(dir.path().join("dist")).unwrap();
        let unaware = of(dir.path());
        let mut aware = unaware.clone();
        aware.name(&entry).unwrap();
        assert_eq!(Fingerprint::of(dir.path(), &entry).unwrap(), aware);
        fs::write(&entry[0], "wasm").unwrap();
        assert_ne!(Fingerprint::of(dir.path(), &entry).unwrap(), aware);
        assert_eq!(of(dir.path()), unaware);
    }

    #[test]
    fn naming_what_is_covered_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let entry = [dir.path().join("app.wasm")];
        let named = Fingerprint::of(dir.path(), &entry).unwrap();
        assert_eq!(named, of(dir.path()));
    }

    #[test]
    fn a_process_may_write_beside_itself() {
        let dir = tempfile::tempdir().unwrap();
        let before = of(dir.path());
        fs::write(dir.path().join("data.db"), "row").unwrap();
        assert_eq!(of(dir.path()), before);
    }

    #[test]
    fn a_folder_that_is_gone_differs_from_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let before = of(dir.path());
        fs::remove_dir(dir.path()).unwrap();
        assert_ne!(of(dir.path()), before);
    }
}
