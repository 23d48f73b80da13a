//! An apps directory of one test's own.
//!
//! **Invariant:** a bundle comes in whole, by a rename, as the product asks of whoever deploys.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::Bundle;

/// An apps directory. Its folders are named by their places in it: `chat/1.0.0`, `chat@1.0.0`, `@scope/chat`.
pub struct Apps {
    root: TempDir,
    staged: AtomicU32,
}

impl Default for Apps {
    fn default() -> Apps {
        Apps::new()
    }
}

impl Apps {
    /// An empty one.
    pub fn new() -> Apps {
        let root = tempfile::Builder::new()
            .prefix("rookery-")
            .tempdir()
            .unwrap();
        fs::create_dir(root.path().join("apps")).unwrap();
        fs::create_dir(root.path().join("staging")).unwrap();
        Apps {
            root,
            staged: AtomicU32::new(0),
        }
    }

    /// The same with one more bundle.
    #[must_use]
    pub fn with(self, place: &str, bundle: Bundle) -> Apps {
        self.publish(place, &bundle);
        self
    }

    /// Puts a bundle in its place, or in the place of the one that is there.
    pub fn publish(&self, place: &str, bundle: &Bundle) {
        let staged = self.stage();
        bundle.write(&staged);
        let path = self.path(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if path.exists() {
            fs::rename(&path, self.stage()).unwrap();
        }
        fs::rename(staged, path).unwrap();
    }

    /// Takes a bundle away.
    pub fn remove(&self, place: &str) {
        fs::rename(self.path(place), self.stage()).unwrap();
    }

    /// Where a bundle is; for a test that deploys as nobody should.
    pub fn path(&self, place: &str) -> PathBuf {
        self.dir().join(place)
    }

    /// The apps directory.
    pub fn dir(&self) -> PathBuf {
        self.root.path().join("apps")
    }

    /// A folder around the apps directory, which no server knows.
    pub fn outside(&self) -> &Path {
        self.root.path()
    }

    fn stage(&self) -> PathBuf {
        let number = self.staged.fetch_add(1, Ordering::Relaxed);
        self.root.path().join(format!("staging/{number}"))
    }
}
