//! From a path below the root to the file that is there, through the cache.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::StaticFiles;
use super::asset::{self, Asset, OnDisk, Stamp};
use super::cache::Known;
use super::negotiate::Coding;

/// Why a file that is there could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// It was replaced between the look at it and the opening. Looking again helps.
    #[error("the file changed while it was opened")]
    Changed,
    /// The machine's fault.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl StaticFiles {
    /// What is at `relative`. A file may be as old as the cache believes.
    pub(super) async fn locate(&self, relative: PathBuf) -> Result<OnDisk, ReadError> {
        let path = self.root.join(relative);
        let known = match self.cache.get(self.reader, &path) {
            Known::Fresh(asset) => return Ok(OnDisk::File(asset)),
            Known::Due(asset) => Some(asset),
            Known::No => None,
        };
        let (root, options, asked) = (self.root.clone(), self.options.clone(), path.clone());
        let found = blocking(move || match known {
            Some(asset) if Stamp::of(&asked).is_ok_and(|stamp| stamp == asset.stamp) => {
                Ok(OnDisk::File(asset))
            }
            _ => asset::look_up(&root, &asked, &options.private),
        });
        let found = found.await?;
        match &found {
            OnDisk::File(asset) => self.cache.put(self.reader, path, asset.clone()),
            OnDisk::Directory | OnDisk::Nothing => self.cache.forget(&path),
        }
        Ok(found)
    }

    /// Opens a file that is too large for memory.
    pub(super) async fn open(&self, asset: Arc<Asset>) -> Result<tokio::fs::File, ReadError> {
        match blocking(move || asset.open()).await? {
            Some(file) => Ok(tokio::fs::File::from_std(file)),
            None => Err(ReadError::Changed),
        }
    }

    /// Makes the next [`locate`](StaticFiles::locate) look at the disk, for the file and for its codings.
    pub(super) fn look_again(&self, relative: PathBuf) {
        let path = self.root.join(relative);
        for coding in Coding::ALL {
            self.cache.forget(&asset::sibling(&path, coding));
        }
        self.cache.forget(&path);
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
