//! The last step before the program: limits, confinement, and then the program in this process' place.
//!
//! **Invariant:** the program never runs with less confinement than was ordered: what cannot be put on ends this process.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rustix::process::{Pid, Signal};

use crate::confine::Confinement;

/// The first argument of the binary that makes it become a program.
pub(super) const EXEC: &str = "__become";

/// What a shell ends with when it cannot run a program.
const CANNOT_RUN: u8 = 127;

pub(super) fn exec(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let Err(reason) = become_program(&mut args);
    eprintln!("[error] {reason}");
    ExitCode::from(CANNOT_RUN)
}

fn become_program(args: &mut impl Iterator<Item = OsString>) -> Result<Infallible, String> {
    let malformed = || "this command is the server's own".to_owned();
    let guard = args
        .next()
        .and_then(|arg| arg.into_string().ok()?.parse().ok());
    let guard = guard.and_then(Pid::from_raw).ok_or_else(malformed)?;
    let confinement = Confinement::from_args(args).ok_or_else(malformed)?;
    let program = args.next().ok_or_else(malformed)?;

    // Should the guard be killed, the program goes with it. It may have been killed before this was said.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| format!("the worker cannot follow its guard: {error}"))?;
    if rustix::process::getppid() != Some(guard) {
        return Err("the guard is gone".to_owned());
    }
    confinement.put_on()?;
    let error = Command::new(&program).args(args).exec();
    Err(format!("cannot run {}: {error}", program.to_string_lossy()))
}
