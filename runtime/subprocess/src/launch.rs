//! Starts a guard, and with it a program.
//!
//! **Absent on purpose:** waiting for the program to be ready (`ready.rs`), and its end (`keeper.rs`).

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

use crate::environment::Environment;
use crate::error::StartError;
use crate::guard::{GUARD, Orders};

/// How long a guard has to start its program. It is only slow on a machine that is out of memory.
const PID_WITHIN: Duration = Duration::from_secs(10);

/// The longest line of a guard; those that there are have a tenth of this.
const LINE_BYTES_MAX: u64 = 256;

/// A program that was started, and its guard.
pub(crate) struct Launched {
    /// The program's process, and its group.
    pub pid: u32,
    pub guard: Guard,
    pub stdout: ChildStdout,
    pub stderr: ChildStderr,
}

/// The server's side of a guard. Dropping it ends the program at once, and its whole group.
pub(crate) struct Guard {
    child: Child,
    lines: BufReader<OwnedReadHalf>,
    /// What was read of the next line.
    partial: Vec<u8>,
    orders: OwnedWriteHalf,
}

/// A program's end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ended {
    /// Such as `code 1` or `signal 9`.
    pub how: String,
    /// How long it and all that it started computed.
    pub computed: Duration,
}

impl Ended {
    fn of(line: &str) -> Option<Ended> {
        let (computed_us, how) = line.strip_prefix("exit ")?.split_once(' ')?;
        Some(Ended {
            how: how.to_owned(),
            computed: Duration::from_micros(computed_us.parse().ok()?),
        })
    }
}

/// What a guard may be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// End within the grace.
    Stop,
    /// End now.
    Kill,
}

/// Starts a program in the bundle's folder with this environment and no other.
pub(crate) async fn launch(
    guard: &Path,
    orders: &Orders,
    dir: &Path,
    environment: &Environment,
) -> Result<Launched, StartError> {
    let (ours, theirs) = StdUnixStream::pair().map_err(StartError::Guard)?;
    let mut child = Command::new(guard)
        .arg(GUARD)
        .args(orders.to_args())
        .current_dir(dir)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(StartError::Guard)?;
    let guard = connect(ours).map_err(StartError::Guard)?;
    let stdout = child.stdout.take().expect("its output is piped");
    let stderr = child.stderr.take().expect("its errors are piped");
    let (read, write) = guard.into_split();
    let mut guard = Guard {
        child,
        lines: BufReader::new(read),
        partial: Vec::new(),
        orders: write,
    };
    match timeout(PID_WITHIN, guard.pid()).await {
        Ok(Some(pid)) => Ok(Launched {
            pid,
            guard,
            stdout,
            stderr,
        }),
        Ok(None) => Err(StartError::Guard(said(stderr).await)),
        Err(_elapsed) => Err(StartError::Guard(io::ErrorKind::TimedOut.into())),
    }
}

fn connect(ours: StdUnixStream) -> io::Result<UnixStream> {
    ours.set_nonblocking(true)?;
    UnixStream::from_std(ours)
}

/// What a guard that is gone said.
async fn said(mut stderr: ChildStderr) -> io::Error {
    let mut text = Vec::new();
    let mut limited = (&mut stderr).take(4096);
    let _ = timeout(PID_WITHIN, limited.read_to_end(&mut text)).await;
    io::Error::other(String::from_utf8_lossy(&text).trim().to_owned())
}

impl Guard {
    async fn pid(&mut self) -> Option<u32> {
        let line = self.line().await?;
        line.strip_prefix("pid ")?.parse().ok()
    }

    /// The next line, until the guard is gone. Safe to drop and to call again: what was read is kept.
    async fn line(&mut self) -> Option<String> {
        let mut limited = (&mut self.lines).take(LINE_BYTES_MAX);
        limited.read_until(b'\n', &mut self.partial).await.ok()?;
        let line = String::from_utf8(std::mem::take(&mut self.partial)).ok()?;
        (!line.is_empty()).then(|| line.trim_end().to_owned())
    }

    /// Gives an order. A guard that is gone needs none.
    pub async fn order(&mut self, order: Order) {
        let line = match order {
            Order::Stop => "stop\n",
            Order::Kill => "kill\n",
        };
        let _ = self.orders.write_all(line.as_bytes()).await;
    }

    /// Waits until the program ended; `None` when the guard ended before it, and could not say. Safe to drop and to call
    /// again.
    pub async fn ended(&mut self) -> Option<Ended> {
        Ended::of(&self.line().await?)
    }

    /// What the system knows the guard by; `None` once it was reaped.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for the guard's own end, so that it leaves no zombie.
    pub async fn reap(&mut self) {
        let _ = self.child.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guards_last_line_is_how_it_ended_and_what_that_took() {
        let check = |line, expected: Option<(&str, u64)>| {
            let expected = expected.map(|(how, computed_us)| Ended {
                how: how.to_owned(),
                computed: Duration::from_micros(computed_us),
            });
            assert_eq!(Ended::of(line), expected, "{line}");
        };
        check("exit 1500 code 0", Some(("code 0", 1500)));
        check("exit 0 signal 9", Some(("signal 9", 0)));
        check("exit code 0", None);
        check("exit", None);
        check("pid 17", None);
    }
}
