//! Where things are: the repository, what cargo made of it, and the server's binary.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().to_owned()
}

/// The folder of cargo's profile that the running test is of, such as `target/debug`.
fn profile_dir() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // target/debug/deps/it-0123456789abcdef
    test.ancestors().nth(2).unwrap().to_owned()
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
