//! The process between the server and a worker: it holds the worker's process group, and ends it when it must end.
//!
//! The server starts its own binary again with [`GUARD`] as first argument, and a socket as standard input. The guard
//! starts the binary once more with [`exec::EXEC`], which puts on its limits and becomes the program. So nothing has to run
//! between `fork` and `exec`, where little is safe, and one process that is not the server knows the whole group.
//!
//! The guard says `pid N`, later `exit MICROSECONDS code N` or `exit MICROSECONDS signal N`: how long the whole group
//! computed and how its first process ended. The server says `stop` or `kill`; each a line.
//!
//! **Invariant:** the group is gone when the guard is: it ends after it, never before. The socket's end, which is also
//! the server's, however it comes about, ends the group at once.
//! **Invariant:** nobody is signalled by a number that may be somebody else's by now: the program is not reaped before
//! the last signal to its group.
//! **Absent on purpose:** tokio, the log, restarts. The guard's own death is the server's affair, and the program's: it
//! asked the system to be killed then.

mod exec;
mod family;
mod probe;

pub(crate) use probe::can;

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::{Pid, Signal};

use crate::confine::Confinement;

/// The first argument of the server's binary that makes it a guard.
pub const GUARD: &str = "__guard";

/// How often those are reaped that ended after whoever started them.
const REAP_EVERY: Duration = Duration::from_secs(5);

/// How a program is to be run, as the arguments of a guard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Orders {
    /// What the program may do.
    pub confinement: Confinement,
    /// How long it has between being asked to end and being killed.
    pub grace: Duration,
    /// Program and arguments; never empty.
    pub argv: Vec<OsString>,
}

impl Orders {
    /// What a guard is started with, after [`GUARD`].
    pub fn to_args(&self) -> Vec<OsString> {
        let mut args = vec![OsString::from(self.grace.as_millis().to_string())];
        args.extend(self.confinement.to_args());
        args.push("--".into());
        args.extend(self.argv.iter().cloned());
        args
    }

    fn from_args(mut args: impl Iterator<Item = OsString>) -> Option<Orders> {
        let grace_ms = args.next()?.into_string().ok()?.parse().ok()?;
        let confinement = Confinement::from_args(&mut args)?;
        let argv: Vec<OsString> = args.collect();
        (!argv.is_empty()).then_some(Orders {
            confinement,
            grace: Duration::from_millis(grace_ms),
            argv,
        })
    }
}

/// Serves as a guard, or becomes its program, when the arguments (without the binary's name) are those of one. To be
/// asked before anything else, and before there is a second thread.
pub fn take_over(args: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut args = args.into_iter();
    match args.next()?.to_str()? {
        GUARD => Some(guard(args)),
        exec::EXEC => Some(exec::exec(args)),
        probe::PROBE => Some(probe::probe(args)),
        _ => None,
    }
}

fn guard(args: impl Iterator<Item = OsString>) -> ExitCode {
    match Orders::from_args(args).ok_or_else(malformed).and_then(hold) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("[error] the worker cannot be started: {error}");
            ExitCode::FAILURE
        }
    }
}

fn malformed() -> std::io::Error {
    std::io::Error::other("this command is the server's own")
}

/// Starts the program and stays until it is gone.
fn hold(orders: Orders) -> std::io::Result<ExitCode> {
    let socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    // Of a session of its own: a terminal's Ctrl-C is for the server, which then ends its workers in order.
    let _ = rustix::process::setsid();
    // Whoever leaves the group by becoming a daemon becomes the guard's child.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let _ = rustix::thread::set_name(c"rookery-guard");
    let child = Command::new("/proc/self/exe")
        .arg(exec::EXEC)
        .arg(std::process::id().to_string())
        .args(orders.confinement.to_args())
        .arg("--")
        .args(&orders.argv)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    let leader = Pid::from_child(&child);
    let group = Arc::new(Group {
        leader,
        is_gone: Mutex::new(false),
    });
    tell(&socket, &format!("pid {}", leader.as_raw_nonzero()));
    let (theirs, to_server) = (Arc::clone(&group), socket.try_clone()?);
    std::thread::spawn(move || theirs.see_off(&to_server));
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(REAP_EVERY);
            family::reap_adopted(leader);
        }
    });
    obey(&group, socket, orders.grace)
}

/// Does what the server says until the other thread ends the process.
fn obey(group: &Group, socket: UnixStream, grace: Duration) -> ! {
    let mut lines = BufReader::new(socket);
    let mut line = String::new();
    loop {
        line.clear();
        // An error is the grace that ran out: nothing else has a time limit here. No bytes are the server's end.
        match lines.read_line(&mut line) {
            Ok(1..) if line == "stop\n" => {
                group.signal(Signal::TERM);
                let _ = lines.get_ref().set_read_timeout(Some(grace));
            }
            Ok(1..) if line != "kill\n" => {}
            Ok(_) | Err(_) => break,
        }
    }
    group.signal(Signal::KILL);
    // The other thread sees the program's end and ends this process.
    loop {
        std::thread::park();
    }
}

/// A line for the server, which may be gone.
fn tell(mut socket: &UnixStream, line: &str) {
    let _ = socket.write_all(format!("{line}\n").as_bytes());
}

/// The program and whatever it started.
struct Group {
    leader: Pid,
    // Held while a signal is sent, and set before the number can be anybody else's.
    is_gone: Mutex<bool>,
}

impl Group {
    fn signal(&self, signal: Signal) {
        let is_gone = self.is_gone.lock();
        if !*is_gone {
            // It may have no member any more, which is as well.
            let _ = rustix::process::kill_process_group(self.leader, signal);
        }
    }

    /// Waits for the program's end, ends what is left of its family, and ends the guard.
    fn see_off(&self, server: &UnixStream) -> ! {
        family::wait_for(self.leader);
        self.signal(Signal::KILL);
        *self.is_gone.lock() = true;
        let status = family::reap(self.leader);
        family::end_all();
        if let Some(status) = status {
            let how = match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => format!("code {code}"),
                (None, Some(signal)) => format!("signal {signal}"),
                (None, None) => "code -1".to_owned(),
            };
            // Whoever was reaped is counted, so this comes last.
            let computed_us = family::computed().as_micros();
            tell(server, &format!("exit {computed_us} {how}"));
        }
        std::process::exit(0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::confine::Strict;

    #[test]
    fn orders_survive_the_way_through_arguments() {
        let strict = Strict {
            read: vec!["/srv/a b".into(), "/usr".into()],
            write: vec!["/tmp/w".into()],
        };
        for strict in [None, Some(strict)] {
            let orders = Orders {
                confinement: Confinement {
                    files_max: 1024,
                    processes_max: 77,
                    strict,
                },
                grace: Duration::from_millis(5000),
                argv: ["node", "--", "x y", ""].map(OsString::from).to_vec(),
            };
            let read = Orders::from_args(orders.to_args().into_iter());
            assert_eq!(read.as_ref(), Some(&orders));
        }
    }

    #[test]
    fn other_arguments_are_somebody_elses() {
        let args = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert!(take_over(args(&["serve", "--port", "80"])).is_none());
        assert!(take_over(args(&[])).is_none());
        assert!(Orders::from_args(args(&["5000", "--"]).into_iter()).is_none());
        assert!(Orders::from_args(args(&["soon", "--", "sh"]).into_iter()).is_none());
    }
}
