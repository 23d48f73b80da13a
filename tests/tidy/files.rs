//! The files of the repository: those that git tracks, and those that it would.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the repository.
pub struct File {
    /// Relative to the repository, with `/`.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl File {
    /// What is in it, as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_else(|_| panic!("{} is not UTF-8", self.path))
    }

    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Every file, by path.
pub fn all() -> Vec<File> {
    let mut git = Command::new("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let listed = git.current_dir(repository()).output().unwrap();
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut paths: Vec<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
    paths.sort_unstable();
    paths.dedup();
    let files = paths.into_iter().filter_map(|path| {
        // What was deleted and is not committed yet is still listed.
        let bytes = std::fs::read(repository().join(path)).ok()?;
        Some(File {
            path: path.to_owned(),
            bytes,
        })
    });
    let files: Vec<File> = files.collect();
    // A list that came out empty would let every rule pass.
    assert!(files.iter().filter(|file| file.is_rust()).count() > 100);
    files
}

/// Fails with all that was found, a line each.
#[track_caller]
pub fn none(found: &[String], what: &str) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}
