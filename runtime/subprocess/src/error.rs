//! Why a process is not there, in words for the operator.

use std::io;
use std::time::Duration;

use rookery_pool::SpawnError;

/// Why a process did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing on this machine runs scripts.
    #[error(
        "no JavaScript runtime is installed: put bun (https://bun.sh), deno (https://deno.com) or node (https://nodejs.org) \
         on the server's PATH"
    )]
    NoRuntime,
    /// The manifest asks for a runtime that is not there.
    #[error(
        "the manifest asks for {name}, which is not installed: put it on the server's PATH ({home})"
    )]
    RuntimeMissing {
        /// Its name.
        name: &'static str,
        /// Where it is had from.
        home: &'static str,
    },
    /// The runtime does not read TypeScript.
    #[error(
        "the entrypoint is TypeScript, which Node {version} does not run: install bun, deno, or Node 22.18 or newer; or \
         compile it to JavaScript"
    )]
    NoTypes {
        /// The version that was found.
        version: String,
    },
    /// The runtime is there and does not say what it is.
    #[error("{program} does not say its version: {reason}")]
    Unversioned {
        /// Which one.
        program: String,
        /// What happened.
        reason: String,
    },
    /// The server's own folder for its workers cannot be used.
    #[error("the folder for processes cannot be used: {0}")]
    Folder(#[source] io::Error),
    /// The path of that folder is too long for a socket in it.
    #[error(
        "the folder for processes has a path of {bytes} bytes; sockets allow {bytes_max}: set TMPDIR to a shorter one"
    )]
    FolderTooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// The guard could not be started.
    #[error("the process cannot be started: {0}")]
    Guard(#[source] io::Error),
    /// The process ended before it could answer.
    #[error("the process ended before it was ready: {how}{}", quoted(.said))]
    Ended {
        /// Its exit code or its signal.
        how: String,
        /// The last that it wrote.
        said: String,
    },
    /// The script said itself why it cannot start.
    #[error("the app cannot start: {reason}")]
    Failed {
        /// Its words.
        reason: String,
    },
    /// The process does not answer.
    #[error("the process was not ready within {} s{}", .after.as_secs_f64(), quoted(.said))]
    NotReady {
        /// How long it had.
        after: Duration,
        /// The last that it wrote.
        said: String,
    },
    /// Somebody else listens where the process was to listen.
    #[error("another program took port {port} first")]
    PortTaken {
        /// Where.
        port: u16,
    },
    /// The system cannot build the walls that the manifest asks for.
    #[error("{reason}")]
    Walls {
        /// What is missing.
        reason: String,
    },
    /// The server is about to end.
    #[error("the server is shutting down")]
    ShuttingDown,
}

fn quoted(said: &str) -> String {
    if said.is_empty() {
        return String::new();
    }
    format!("; it said:\n{said}")
}

impl From<StartError> for SpawnError {
    fn from(error: StartError) -> SpawnError {
        SpawnError::new(error.to_string())
    }
}
