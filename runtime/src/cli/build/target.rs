//! The compiler's standard library for wasm32-wasip2, added when it is missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::environment;
use crate::progress::Step;

/// What components are compiled for.
pub const TARGET: &str = "wasm32-wasip2";

/// Makes sure that the toolchain which `root` is built with can compile for the target.
pub fn ensure(root: &Path, step: &Step) -> Result<(), String> {
    if is_installed(root)? {
        return Ok(());
    }
    step.at(&format!("adding the target {TARGET}"));
    let mut rustup = Command::new("rustup");
    let output = rustup
        .args(["target", "add", TARGET])
        .current_dir(root)
        .output();
    let reason = match output {
        Err(_) => "rustup was not found to add it; if Rust came with your system, install its package for wasm32-wasip2, \
                   or install Rust from https://rustup.rs"
            .to_owned(),
        Ok(output) if !output.status.success() => {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("`rustup target add {TARGET}` failed; run it by hand once the cause is gone:\n{}", said.trim_end())
        }
        Ok(_) if is_installed(root)? => return Ok(()),
        Ok(_) => format!(
            "rustup added it to another toolchain than the one that compiles here; `rustup which rustc` and `rustc \
             --version` in {} say which they are",
            root.display()
        ),
    };
    Err(format!("Rust cannot compile for {TARGET} yet: {reason}"))
}

/// Whether the target's library folder is there. Asking works without rustup too.
fn is_installed(root: &Path) -> Result<bool, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(root)
        .output()
        .map_err(|error| environment::not_started("rustc", &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "rustc does not know the target {TARGET}; `rustup update` brings one that does\n{said}"
        ));
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}
