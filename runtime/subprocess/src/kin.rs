//! A process with all that it started: how many they are, what memory they use, whose a socket is.
//!
//! **Invariant:** whoever leaves the family becomes the guard's child, and is counted below it: a process cannot hide what
//! it uses behind a child whose parent has ended.

use std::fs;
use std::time::Duration;

/// What the kernel tells user space, whatever it counts in itself.
const TICK_MS: u64 = 10;

/// More are not looked at: whoever has so many is ended for it.
const PIDS_MAX: usize = 1024;

/// A process and everything below it, itself first. Those that end meanwhile are left out.
pub(crate) fn family(pid: u32) -> Vec<u32> {
    let mut pids = vec![pid];
    let mut at = 0;
    while let Some(parent) = pids.get(at).filter(|_| pids.len() < PIDS_MAX) {
        let children = children(*parent);
        pids.extend(children);
        at += 1;
    }
    pids
}

/// A process and everything below it, in which ways ever it came there: all that is below its guard, but that itself.
pub(crate) fn household(guard: u32) -> Vec<u32> {
    let mut pids = family(guard);
    pids.remove(0);
    pids
}

/// The household of this process' guard; where that is gone, the family.
pub(crate) fn household_of(pid: u32, guard: Option<u32>) -> Vec<u32> {
    guard.map_or_else(|| family(pid), household)
}

/// How many of them run. One that has ended and waits to be reaped has nothing any more but its number.
pub(crate) fn running(pids: &[u32]) -> usize {
    let is_running = |pid: &&u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // proc(5): the state is the first word after the name, which may contain anything.
        let state = stat.rsplit_once(')').map_or("", |(_, after)| after.trim());
        !state.is_empty() && !state.starts_with(['Z', 'X'])
    };
    pids.iter().filter(is_running).count()
}

fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    let tasks = tasks.into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let numbers = |list: String| -> Vec<u32> {
        let words = list.split_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    };
    lists.flat_map(numbers).collect()
}

/// The memory that these processes have in use, in bytes: what is their own, and of files and shared memory what each of
/// them has mapped.
pub(crate) fn memory_bytes(pids: &[u32]) -> u64 {
    pids.iter()
        .map(|pid| memory_bytes_of(*pid).unwrap_or(0))
        .sum()
}

fn memory_bytes_of(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    // Not the pages of the program's file: all workers of a runtime share those.
    let kib = |field: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    Some((kib("RssAnon:")? + kib("RssShmem:")?) * 1024)
}

/// How long a household computed until now: these processes, and those that they or their guard reaped. It grows, unless
/// one leaves that nobody waits for, and but for one that is reaped while it is looked at.
pub(crate) fn cpu_time(household: &[u32], guard: Option<u32>) -> Duration {
    let own = household
        .iter()
        .filter_map(|pid| cpu_ticks(*pid, Times::All));
    let reaped = guard.and_then(|guard| cpu_ticks(guard, Times::OfReaped));
    let ticks: u64 = own.chain(reaped).sum();
    Duration::from_millis(ticks * TICK_MS)
}

/// Which of the times that the kernel counts for a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Times {
    /// Its own, and those of the processes that it reaped.
    All,
    /// Those of the processes that it reaped.
    OfReaped,
}

/// proc(5): the 14th to the 17th word, counted from the number; the second, the name, may contain blanks.
fn cpu_ticks(pid: u32, times: Times) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let (skipped, taken) = match times {
        Times::All => (11, 4),
        Times::OfReaped => (13, 2),
    };
    let words = after_name.split_whitespace().skip(skipped).take(taken);
    words.map(|word| word.parse::<u64>().ok()).sum()
}

/// Whether one of these processes listens on this TCP port. `None` when the system does not say.
pub(crate) fn listens(pids: &[u32], port: u16) -> Option<bool> {
    let inodes = listeners(port)?;
    let is_theirs = |pid: &u32| {
        let open = fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten()
            .flatten();
        open.filter_map(|entry| fs::read_link(entry.path()).ok())
            .filter_map(|link| link.to_str().map(str::to_owned))
            .any(|link| inodes.contains(&link))
    };
    Some(pids.iter().any(is_theirs))
}

/// The sockets that listen on a port, as the links in `/proc/PID/fd` name them.
fn listeners(port: u16) -> Option<Vec<String>> {
    let v4 = fs::read_to_string("/proc/net/tcp").ok()?;
    // A machine without IPv6 has no such file.
    let v6 = fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    let lines = v4.lines().chain(v6.lines());
    Some(lines.filter_map(|line| listener(line, port)).collect())
}

/// proc(5): number, local address with the port in hexadecimal, remote address, state, …, inode as the tenth.
fn listener(line: &str, port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let mut words = line.split_whitespace();
    let local = words.nth(1)?;
    let (_, local_port) = local.rsplit_once(':')?;
    let state = words.nth(1)?;
    let inode = words.nth(5)?;
    let is_it = state == LISTEN && u16::from_str_radix(local_port, 16) == Ok(port);
    is_it.then(|| format!("socket:[{inode}]"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::TcpListener;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_family_has_those_that_its_members_started() {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", "/bin/cat; :"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        while family(shell.id()).len() < 2 {
            std::thread::yield_now();
        }
        let members = family(shell.id());
        assert_eq!((members[0], members.len()), (shell.id(), 2));
        assert!(memory_bytes(&members) > memory_bytes(&members[1..]));
        drop(shell.stdin.take());
        shell.wait().unwrap();
        assert_eq!(memory_bytes(&members), 0);
    }

    #[test]
    fn who_has_ended_does_not_run() {
        let mut child = Command::new("/bin/cat")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let pids = [child.id()];
        assert_eq!(running(&pids), 1);
        drop(child.stdin.take());
        while running(&pids) > 0 {
            std::thread::yield_now();
        }
        assert!(fs::exists(format!("/proc/{}", pids[0])).unwrap());
        child.wait().unwrap();
    }

    #[test]
    fn time_that_is_computed_away_is_counted() {
        let me = [std::process::id()];
        let before = cpu_time(&me, None);
        let mut sum = 0_u64;
        while cpu_time(&me, None) < before + Duration::from_millis(50) {
            sum = std::hint::black_box((0..10_000).sum());
        }
        assert!(sum > 0 && cpu_time(&[], None) == Duration::ZERO);
    }

    /// What an orphan computed is its guard's to tell, once the guard reaped it; what the guard computed is not.
    #[test]
    fn of_a_guard_what_it_reaped_is_counted() {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "while :; do :; done"])
            .spawn()
            .unwrap();
        let (me, pids) = (Some(std::process::id()), [child.id()]);
        while cpu_time(&pids, None) < Duration::from_millis(50) {
            std::thread::yield_now();
        }
        let before = cpu_time(&[], me);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(cpu_time(&[], me) >= before + Duration::from_millis(50));
    }

    #[test]
    fn a_port_is_known_to_be_ones_own() {
        let ours = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = ours.local_addr().unwrap().port();
        let me = std::process::id();
        assert_eq!(listens(&[me], port), Some(true));
        assert_eq!(listens(&[1], port), Some(false));
        drop(ours);
        assert_eq!(listens(&[me], port), Some(false));
    }
}
