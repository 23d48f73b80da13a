//! Waiting for processes and ending those that are left.
//!
//! **Invariant:** nobody is reaped by chance: the program's own end is taken once, by whoever waits for it.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus};

/// How often those are looked for that outlived the program, and the pause between two looks: a second in all.
const LOOKS_MAX: u32 = 100;
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Waits until the process ended, and leaves it unreaped, so that its number stays its own.
pub(super) fn wait_for(pid: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(Errno::INTR) = rustix::process::waitid(WaitId::Pid(pid), options) {}
}

/// How it ended.
pub(super) fn reap(pid: Pid) -> Option<WaitStatus> {
    let reaped = rustix::process::waitpid(Some(pid), WaitOptions::empty());
    reaped.ok().flatten().map(|(_, status)| status)
}

/// Reaps those of this process' children, but for one, that have ended.
pub(super) fn reap_adopted(but: Pid) {
    for pid in children().into_iter().filter(|pid| *pid != but) {
        let _ = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

/// Kills and reaps every child of this process, and theirs as they are adopted.
pub(super) fn end_all() {
    for _ in 0..LOOKS_MAX {
        for pid in children() {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => break,
                Err(_none_left) => return,
            }
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// How long all those computed that this process, or who was below it, has reaped.
pub(super) fn computed() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else {
        return Duration::ZERO;
    };
    let us = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(u64::try_from(us).unwrap_or_default())
}

/// The children of each of this process' threads, as the system lists them.
fn children() -> Vec<Pid> {
    let tasks = std::fs::read_dir("/proc/self/task");
    let lists = tasks.into_iter().flatten().flatten();
    let texts = lists.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let mut pids = Vec::new();
    for text in texts {
        let numbers = text.split_whitespace().filter_map(|word| word.parse().ok());
        pids.extend(numbers.filter_map(Pid::from_raw));
    }
    pids
}
