//! The apps directory, and nothing around it.
//!
//! **Invariant:** every path is resolved below the apps directory by the system itself: no link and no race leads out.
//! **Invariant:** what is being written lies in [`STAGING`], whose name the catalog does not look at, until one rename
//! puts it in its place. What a dead server left there is thrown away by the next one.
//! **Absent on purpose:** async. Everything here blocks on the disk, and is called through [`blocking`].

use std::collections::BTreeSet;
use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File};
use rustix::fs::{Mode, OFlags, RenameFlags, openat, renameat_with, syncfs};
use rustix::io::Errno;

use crate::refusal::Refusal;

/// Where what is not whole yet lies, in the apps directory.
pub(crate) const STAGING: &str = ".rookery-staging";

/// The apps directory, as it is when a request comes: it may be moved away and another one put there.
pub(crate) struct Folder {
    path: PathBuf,
    dir: Dir,
}

/// A folder for one upload. What is left in it goes away with it.
pub(crate) struct Staged {
    /// The folder.
    pub dir: Dir,
    /// Where it is.
    pub path: PathBuf,
    rest: Option<Rest>,
}

/// What has to be cleaned up.
struct Rest {
    staging: Dir,
    name: String,
    /// Locked as long as the upload is under way, so that another server on the same directory leaves it alone.
    _lock: std::fs::File,
}

/// Runs what blocks where it may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Refusal::Disk(io::Error::other(error))),
    }
}

impl Folder {
    /// Opens it for one request.
    pub async fn of(path: &Path) -> Result<Arc<Folder>, Refusal> {
        let path = path.to_owned();
        blocking(move || Folder::open(&path).map(Arc::new).map_err(Refusal::of)).await
    }

    fn open(path: &Path) -> io::Result<Folder> {
        let path = path.canonicalize()?;
        let dir = Dir::open_ambient_dir(&path, ambient_authority())?;
        Ok(Folder { path, dir })
    }

    /// Throws away what a dead server left.
    pub fn sweep(path: &Path) {
        let swept = Folder::open(path).and_then(|folder| folder.sweep_staging());
        if let Err(error) = swept {
            tracing::warn!(%error, "what was left of earlier uploads cannot be removed");
        }
    }

    /// The directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// A folder of one's own to write to.
    pub fn stage(&self) -> Result<Staged, Refusal> {
        self.staged().map_err(Refusal::of)
    }

    fn staged(&self) -> io::Result<Staged> {
        self.dir.create_dir_all(STAGING)?;
        let staging = self.dir.open_dir(STAGING)?;
        let rest = Rest::in_folder(staging)?;
        let made = rest.staging.create_dir(&rest.name);
        match made.and_then(|()| rest.staging.open_dir(&rest.name)) {
            Ok(dir) => Ok(Staged {
                dir,
                path: self.path.join(STAGING).join(&rest.name),
                rest: Some(rest),
            }),
            Err(error) => {
                rest.clean();
                Err(error)
            }
        }
    }

    /// Throws away what nobody holds the lock of.
    fn sweep_staging(&self) -> io::Result<()> {
        let staging = match self.dir.open_dir(STAGING) {
            Ok(staging) => staging,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut names = BTreeSet::new();
        for entry in staging.entries()? {
            let name = entry?.file_name();
            // A lock may be all that is left, or not be there any more.
            let name = name
                .to_str()
                .map(|name| name.strip_suffix(LOCK).unwrap_or(name));
            names.extend(name.map(str::to_owned));
        }
        for name in &names {
            // Held until all is removed: who has just made the lock and waits for it finds it gone then.
            let lock = staging.open(lock_of(name)).map(File::into_std).ok();
            let outcome = lock.as_ref().map(std::fs::File::try_lock);
            if !matches!(outcome, Some(Err(TryLockError::WouldBlock))) {
                remove_all(&staging, name)?;
                remove_all(&staging, &lock_of(name))?;
            }
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let Some(rest) = self.rest.take() else {
            return;
        };
        // A client that went away drops this on a thread that must not wait for the disk.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || rest.clean())),
            Err(_) => rest.clean(),
        }
    }
}

impl Rest {
    /// The lock of a folder that is not there yet.
    fn in_folder(staging: Dir) -> io::Result<Rest> {
        loop {
            let name = nonce()?;
            let lock = staging.create(lock_of(&name))?.into_std();
            lock.lock()?;
            // Another server that has just started may have taken it for one that was left.
            if lock.metadata()?.nlink() > 0 {
                return Ok(Rest {
                    staging,
                    name,
                    _lock: lock,
                });
            }
        }
    }

    fn clean(self) {
        let removed = remove_all(&self.staging, &self.name)
            .and_then(|()| self.staging.remove_file(lock_of(&self.name)));
        if let Err(error) = removed {
            tracing::warn!(%error, "what was left of an upload cannot be removed; the next start tries again");
        }
    }
}

impl Staged {
    /// A file in it to write to, made anew.
    pub fn create(&self, name: &str) -> Result<File, Refusal> {
        self.dir.create(name).map_err(Refusal::of)
    }

    /// A folder in it.
    pub fn create_dir(&self, name: &str) -> Result<(Dir, PathBuf), Refusal> {
        self.dir.create_dir(name).map_err(Refusal::of)?;
        let dir = self.dir.open_dir(name).map_err(Refusal::of)?;
        Ok((dir, self.path.join(name)))
    }
}

const LOCK: &str = ".lock";

fn lock_of(name: &str) -> String {
    format!("{name}{LOCK}")
}

/// A name that nobody else takes, on this server or another one on the same directory.
fn nonce() -> io::Result<String> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Removes what has this name, whatever it is. A link is removed, not what it leads to.
pub(crate) fn remove_all(dir: &Dir, name: &str) -> io::Result<()> {
    let removed = match dir.symlink_metadata(name) {
        Ok(metadata) if metadata.is_dir() => dir.remove_dir_all(name),
        Ok(_) => dir.remove_file(name),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Moves something to where nothing is. False when something is.
pub(crate) fn move_new(from: &Dir, name: &str, to: &Dir, new: &str) -> io::Result<bool> {
    match renameat_with(from, name, to, new, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST | Errno::NOTEMPTY) => Ok(false),
        // A file system that cannot do it in one step, such as NFS.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match to.symlink_metadata(new) {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                from.rename(name, to, new).map(|()| true)
            }
            Err(error) => Err(error),
        },
        Err(error) => Err(error.into()),
    }
}

/// Puts what has one name in the place of what has the other, and the other way round, in one step where that can be.
pub(crate) fn swap(from: &Dir, name: &str, to: &Dir, new: &str) -> io::Result<()> {
    match renameat_with(from, name, to, new, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            let aside = format!("{name}-replaced");
            to.rename(new, from, &aside)?;
            from.rename(name, to, new)?;
            from.rename(&aside, from, name)
        }
        Err(error) => Err(error.into()),
    }
}

/// What was written is on the disk when this returns, so that a rename after it never shows half a file.
pub(crate) fn sync(dir: &Dir) -> io::Result<()> {
    // The handle that paths are resolved from is not one to read or write by.
    let readable = openat(dir, ".", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(syncfs(readable)?)
}
