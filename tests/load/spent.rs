//! What a process used of the processors.

use std::time::Duration;

/// What the process used so far, of the system's and its own time. Linux counts hundredths of a second.
pub fn processor_time(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system) = (fields.next()?, fields.next()?);
    let ticks: u64 = user.parse::<u64>().ok()? + system.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}
