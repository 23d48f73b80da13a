//! Whether this system can build the walls that a manifest asks for: a process puts them on, and ends.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::confine::Confinement;
use crate::error::StartError;

/// The first argument of the binary that makes it try.
pub(super) const PROBE: &str = "__probe";

pub(super) fn probe(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let confinement = Confinement::from_args(&mut args);
    let confinement = confinement.ok_or_else(|| "this command is the server's own".to_owned());
    match confinement.and_then(|confinement| confinement.put_on()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Tries it. Blocks for as long as a process takes to start.
pub(crate) fn can(guard: &Path, confinement: &Confinement) -> Result<(), StartError> {
    let tried = Command::new(guard)
        .arg(PROBE)
        .args(confinement.to_args())
        .arg("--")
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .map_err(StartError::Guard)?;
    if tried.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&tried.stderr).trim().to_owned();
    Err(StartError::Walls { reason })
}
