//! Components to serve, each built once for all the tests of a process. Cargo itself keeps processes apart.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::place::{repository, rookery, target_dir};

const TARGET: &str = "wasm32-wasip2";
/// What `rookery build` does for authors: a fresh isolate costs as much as its memory.
const SMALL_STACK: &str = "-C link-arg=-zstack-size=65536";
/// The crate whose example is the foreign component.
const FOREIGN_CRATE: &str = "wasip2";
const FOREIGN_EXAMPLE: &str = "http-proxy";

/// The kitchen: a guest with a route or a command for everything that a guest can do, good or bad.
pub fn kitchen() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = cargo("build");
        cargo
            .args([
                "--release",
                "--locked",
                "--target",
                TARGET,
                "--package",
                "kitchen",
            ])
            .arg("--target-dir")
            .arg(target_dir())
            .env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", SMALL_STACK);
        run(&mut cargo);
        target_dir().join(TARGET).join("release/kitchen.wasm")
    })
}

/// A component that was not made for this server: an example that the `wasip2` crate ships, built from its own source
/// without any of our flags.
pub fn foreign() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = target_dir().join("foreign");
        let source = folder.join("source");
        copy_crate(&foreign_source(), &source);
        let mut cargo = cargo("build");
        cargo
            .args([
                "--release",
                "--target",
                TARGET,
                "--example",
                FOREIGN_EXAMPLE,
            ])
            .arg("--target-dir")
            .arg(folder.join("target"))
            .current_dir(source);
        run(&mut cargo);
        folder
            .join("target")
            .join(TARGET)
            .join("release/examples/http_proxy.wasm")
    })
}

/// Has `rookery build` build the bundles below a folder of the repository, as an author does.
pub fn build_bundles(folder: &str) -> PathBuf {
    let dir = repository().join(folder);
    let mut build = Command::new(rookery());
    build.arg("build").arg(&dir).current_dir(repository());
    run(&mut build);
    dir
}

fn cargo(command: &str) -> Command {
    // Set by the cargo that runs the tests.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(cargo);
    cargo
        .arg(command)
        .current_dir(repository())
        // Either would take the place of the flags for the guests.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo
}

/// Where cargo keeps the crate's source: the newest version that has the example, if there are several.
fn foreign_source() -> PathBuf {
    let mut metadata = cargo("metadata");
    let metadata = run(metadata.args(["--format-version", "1", "--locked"]));
    let metadata: Value = serde_json::from_slice(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let sources = packages
        .filter(|package| package["name"] == FOREIGN_CRATE)
        .map(|package| {
            Path::new(package["manifest_path"].as_str().unwrap())
                .parent()
                .unwrap()
        })
        .filter(|source| {
            source
                .join(format!("examples/{FOREIGN_EXAMPLE}.rs"))
                .is_file()
        });
    sources.max().unwrap().to_owned()
}

/// Copies a crate to where it may be built: cargo's own copy is not to be written to, and below this repository a crate
/// has to say that it is not of its workspace.
fn copy_crate(source: &Path, copy: &Path) {
    if copy.exists() {
        fs::remove_dir_all(copy).unwrap();
    }
    copy_folder(source, copy);
    let manifest = copy.join("Cargo.toml");
    let mut text = fs::read_to_string(&manifest).unwrap();
    text.push_str("\n[workspace]\n");
    fs::write(manifest, text).unwrap();
}

fn copy_folder(source: &Path, copy: &Path) {
    fs::create_dir_all(copy).unwrap();
    for entry in fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        let to = copy.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Runs a command that must succeed; what it printed.
fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
