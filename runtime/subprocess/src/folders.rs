//! The server's private folder, and in it one for each worker: its sockets, its home, its temporary files.
//!
//! **Invariant:** nobody but the server's user can look into it, so nobody else can talk to a worker.
//! **Invariant:** it goes with the server; if the server cannot see to that, the next one that starts does.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

use crate::error::StartError;

/// The longest path of the folder that the server's private one lies in, in bytes. The system's bound for a socket's path
/// is 108, and what follows is like `/rookery-a1b2c3/4294967296/control.sock`.
pub const FOLDER_BYTES_MAX: usize = 66;

const PREFIX: &str = "rookery-";
/// Locked as long as the server lives, however it ends.
const LOCK: &str = "lock";
const OWNER_ONLY: u32 = 0o700;

/// The server's private folder.
pub(crate) struct Folders {
    root: TempDir,
    _lock: File,
    made: AtomicU64,
}

/// One worker's folder, removed when it is dropped.
pub(crate) struct Folder {
    path: PathBuf,
    // The root must outlive what lies in it.
    _folders: Arc<Folders>,
}

impl Folders {
    /// Makes one below `parent`, and removes those that dead servers left there.
    pub fn new(parent: &Path) -> Result<Arc<Folders>, StartError> {
        let bytes = parent.as_os_str().len();
        if bytes > FOLDER_BYTES_MAX {
            return Err(StartError::FolderTooLong {
                bytes,
                bytes_max: FOLDER_BYTES_MAX,
            });
        }
        remove_orphans(parent);
        Folders::make(parent).map_err(StartError::Folder)
    }

    fn make(parent: &Path) -> io::Result<Arc<Folders>> {
        let root = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(OWNER_ONLY))
            .tempdir_in(parent)?;
        let unlocked = root.path().join("unlocked");
        let lock = File::create(&unlocked)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        // Under its name it is never seen without the lock.
        fs::rename(unlocked, root.path().join(LOCK))?;
        Ok(Arc::new(Folders {
            root,
            _lock: lock,
            made: AtomicU64::new(0),
        }))
    }

    /// Makes a worker's folder.
    pub fn folder(self: &Arc<Self>) -> Result<Folder, StartError> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let folder = Folder {
            path: self.root.path().join(number.to_string()),
            _folders: Arc::clone(self),
        };
        let made = [folder.path.clone(), folder.home(), folder.temporary()];
        let mut builder = DirBuilder::new();
        builder.mode(OWNER_ONLY);
        for path in &made {
            builder.create(path).map_err(StartError::Folder)?;
        }
        Ok(folder)
    }
}

impl Folder {
    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the worker's `HOME` is.
    pub fn home(&self) -> PathBuf {
        self.path.join("home")
    }

    /// What its `TMPDIR` is.
    pub fn temporary(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// Where it answers HTTP.
    pub fn http_socket(&self) -> PathBuf {
        self.path.join("http.sock")
    }

    /// Where the server hears from it.
    pub fn control_socket(&self) -> PathBuf {
        self.path.join("control.sock")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed goes with the root, or with the next server's start.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders of servers that are dead. Those of other users, and whatever only looks like one, stay.
fn remove_orphans(parent: &Path) {
    let me = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
            // Not through a link: the parent may be a folder where everybody writes.
            && fs::symlink_metadata(entry.path()).is_ok_and(|found| found.is_dir() && found.uid() == me);
        if is_ours && is_dead(&entry.path().join(LOCK)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_dead(lock: &Path) -> bool {
    File::open(lock)
        .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_dead_servers_folder_is_removed_and_a_living_ones_stays() {
        let parent = tempfile::tempdir().unwrap();
        let living = Folders::new(parent.path()).unwrap();
        let dead = parent.path().join("rookery-dead");
        fs::create_dir_all(dead.join("7/home")).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        let unknown = parent.path().join("rookery-unknown");
        fs::create_dir(&unknown).unwrap();

        let next = Folders::new(parent.path()).unwrap();
        assert!(!dead.exists());
        assert!(unknown.exists(), "it has no lock, so it may be somebody's");
        assert!(living.root.path().exists() && next.root.path().exists());
    }

    #[test]
    fn a_workers_folder_is_its_owners_alone_and_goes_with_it() {
        let parent = tempfile::tempdir().unwrap();
        let folders = Folders::new(parent.path()).unwrap();
        let (one, other) = (folders.folder().unwrap(), folders.folder().unwrap());
        let path = one.path().to_owned();
        for folder in [folders.root.path(), &path, &one.home(), &one.temporary()] {
            let mode = fs::metadata(folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, OWNER_ONLY, "{}", folder.display());
        }
        drop(one);
        assert!(!path.exists() && other.path().exists());
    }

    #[test]
    fn a_folder_without_room_for_a_sockets_path_is_refused() {
        let long = "/tmp/".to_owned() + &"x".repeat(FOLDER_BYTES_MAX);
        let refused = Folders::new(Path::new(&long)).map(drop);
        assert!(matches!(refused, Err(StartError::FolderTooLong { .. })));
        let longest = "/".repeat(FOLDER_BYTES_MAX) + "/rookery-a1b2c3/4294967296/control.sock";
        assert!(longest.len() < 108, "{}", longest.len());
    }
}
