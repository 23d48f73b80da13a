//! What a worker's process may use: limits for every one, and walls for those that ask for them.
//!
//! **Invariant:** what is ordered is put on whole, or the process ends with the reason.
//! **Absent on purpose:** a limit on addresses, or on data. JavaScript engines reserve from six to hundreds of gigabytes that
//! they never touch; the keeper looks at what is really used. Who outgrows the machine between two of its looks is ended by
//! the system, before the server is.

mod files;
mod network;
mod powers;

use std::ffi::OsString;
use std::path::PathBuf;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a process may use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Confinement {
    /// Open files and sockets of one process. Lower where the server's own limit is.
    pub files_max: u64,
    /// Processes and threads of the user whose processes these are, all workers together; no bound for root.
    pub processes_max: u64,
    /// The walls, if the manifest asks for them.
    pub strict: Option<Strict>,
}

/// Walls: these paths and what lies below them, and no network but the process' own loopback.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Strict {
    /// May be read and run. What is not there is left out.
    pub read: Vec<PathBuf>,
    /// May be changed, too.
    pub write: Vec<PathBuf>,
}

const READ: &str = "--read";
const WRITE: &str = "--write";
const STRICT: &str = "--strict";
const END: &str = "--";

/// For whom the system ends when it has no memory left: the largest of those that say this, and then others (proc(5)).
const FIRST_TO_GO: &str = "1000";

impl Confinement {
    pub fn to_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec![
            self.files_max.to_string().into(),
            self.processes_max.to_string().into(),
        ];
        let Some(strict) = &self.strict else {
            return args;
        };
        args.push(STRICT.into());
        for (flag, paths) in [(READ, &strict.read), (WRITE, &strict.write)] {
            for path in paths {
                args.extend([flag.into(), path.as_os_str().to_owned()]);
            }
        }
        args
    }

    /// Takes arguments up to a `--`, which is taken, too.
    pub fn from_args(args: &mut impl Iterator<Item = OsString>) -> Option<Confinement> {
        let mut number = || args.next()?.into_string().ok()?.parse().ok();
        let (files_max, processes_max) = (number()?, number()?);
        let mut strict: Option<Strict> = None;
        loop {
            let flag = args.next()?.into_string().ok()?;
            match flag.as_str() {
                END => break,
                STRICT => strict = Some(Strict::default()),
                READ => strict.as_mut()?.read.push(args.next()?.into()),
                WRITE => strict.as_mut()?.write.push(args.next()?.into()),
                _ => return None,
            }
        }
        Some(Confinement {
            files_max,
            processes_max,
            strict,
        })
    }

    /// Confines this process, which has one thread, and all that it becomes and starts, for good.
    ///
    /// # Errors
    /// What the system refused, in words for the operator.
    pub fn put_on(&self) -> Result<(), String> {
        limit(Resource::Core, 0)?;
        limit(Resource::Nofile, self.files_max)?;
        limit(Resource::Nproc, self.processes_max)?;
        // Where the system has no such list, there is none to be first on.
        let _ = std::fs::write("/proc/self/oom_score_adj", FIRST_TO_GO);
        let Some(strict) = &self.strict else {
            return Ok(());
        };
        // In this order: a namespace takes powers to make, and giving them up takes a program that cannot regain them.
        network::leave()?;
        files::restrict(strict)?;
        powers::give_up()
    }
}

/// Both limits: what a process may have, and what it may raise that to. Never more than there was.
fn limit(resource: Resource, wanted: u64) -> Result<(), String> {
    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX).min(wanted);
    let both = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    setrlimit(resource, both).map_err(|error| format!("cannot limit {resource:?}: {error}"))
}
