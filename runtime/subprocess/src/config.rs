//! What the operator may set, and what is fixed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::folders::FOLDER_BYTES_MAX;

/// Where programs are when nobody says it.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// How processes are started, watched and ended.
#[derive(Clone, Debug)]
pub struct ProcessConfig {
    /// The binary that becomes a guard when its first argument is [`GUARD`](crate::GUARD). Default: this one.
    pub guard: PathBuf,
    /// Where runtimes and programs are looked for, folders with `:` between them; also the `PATH` of every process.
    /// Default: the server's own, or the usual folders.
    pub path: OsString,
    /// The folder for the server's private one. Sockets lie in it, so its path has at most
    /// [`FOLDER_BYTES_MAX`] bytes. Default: the system's for temporary files, or `/tmp` if that is too long.
    pub folder: PathBuf,
    /// How long a process has from its start until it can answer. Default 30 s.
    pub start_timeout: Duration,
    /// How long a process has from SIGTERM to SIGKILL. Default 5 s.
    pub stop_grace: Duration,
    /// Processes that are started before somebody needs them, over all revisions; at most one each. Default 16.
    pub spares_max: usize,
    /// Open files and sockets of one process. Default 16,384; the server's own limit stands above it.
    pub files_max: u64,
    /// Processes and threads of the server's user, all workers together; root has no such bound. Default 16,384.
    pub user_processes_max: u64,
    /// Processes of one worker; one that has more is ended. Default 256.
    pub processes_max: usize,
    /// How often a worker's memory and processes are counted. Default 1 s.
    pub measure_every: Duration,
}

impl Default for ProcessConfig {
    fn default() -> Self {
        ProcessConfig {
            // By this name it is found even after an update has replaced the file.
            guard: PathBuf::from("/proc/self/exe"),
            path: std::env::var_os("PATH").unwrap_or_else(|| USUAL_PATH.into()),
            folder: temporary(),
            start_timeout: Duration::from_secs(30),
            stop_grace: Duration::from_secs(5),
            spares_max: 16,
            files_max: 16_384,
            user_processes_max: 16_384,
            processes_max: 256,
            measure_every: Duration::from_secs(1),
        }
    }
}

fn temporary() -> PathBuf {
    let folder = std::env::temp_dir();
    match folder.as_os_str().len() <= FOLDER_BYTES_MAX {
        true => folder,
        false => PathBuf::from("/tmp"),
    }
}
