//! Where things are: the repository, what cargo made of it, and the server's binary.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().to_owned()
}

/// The folder of cargo's profile that the running program is of, such as `target/debug`.
fn profile_dir() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let dir = program.parent().unwrap();
    // A test is target/debug/deps/it-0123456789abcdef, another program target/debug/load.
    match dir.ends_with("deps") {
        true => dir.parent().unwrap().to_owned(),
        false => dir.to_owned(),
    }
}

/// Cargo's folder for all it makes.
pub(crate) fn target_dir() -> PathBuf {
    profile_dir().parent().unwrap().to_owned()
}

/// The server's binary: what `ROOKERY_BIN` names, or the one that was built beside the tests.
pub fn rookery() -> PathBuf {
    let bin = match std::env::var_os("ROOKERY_BIN") {
        Some(bin) => PathBuf::from(bin),
        None => profile_dir().join("rookery"),
    };
    assert!(
        bin.is_file(),
        "{} is not there: tests/run builds it, or `cargo build --workspace --bins --tests`",
        bin.display()
    );
    bin
}

/// Another program of the repository, which is built with the tests.
pub fn binary(name: &str) -> PathBuf {
    let binary = profile_dir().join(name);
    assert!(
        binary.is_file(),
        "{} is not there: tests/run builds it, or `cargo build --workspace --bins --tests`",
        binary.display()
    );
    binary
}

/// Where programs are found: the machine's own places, then those of what `tests/run` installed.
pub(crate) fn search_path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = target_dir().join("runtimes/bin");
    let folders = std::env::split_paths(&path).chain([installed]);
    std::env::join_paths(folders).unwrap()
}

/// A program that hosted servers need, such as `bun`.
pub fn installed(program: &str) -> PathBuf {
    let path = search_path();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join(program));
    found
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("{program} is not there: tests/run installs it"))
}
