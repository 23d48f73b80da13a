//! What the operating system says about this process: memory and processor time.
//!
//! **Absent on purpose:** other systems than Linux; there, and where `/proc` is hidden, the answer is `None`.

use std::time::Duration;

/// `/proc/PID/stat` counts in USER_HZ, which is 100 on every architecture that Linux still runs on (proc(5), times(2)).
const TICKS_PER_SEC: u64 = 100;

/// The resident set: the memory in use now, in bytes.
pub fn rss_bytes() -> Option<u64> {
    // Not `statm`: that counts pages, and their size can only be asked for through libc.
    parse_rss(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// The processor time of all threads since the start, user and system, in steps of 10 ms.
pub fn cpu_time() -> Option<Duration> {
    parse_cpu_time(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

fn parse_rss(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

fn parse_cpu_time(stat: &str) -> Option<Duration> {
    // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    let (_, after_name) = stat.rsplit_once(')')?;
    // Fields 14 and 15 of the line; the first after the name is field 3.
    let mut fields = after_name.split_ascii_whitespace().skip(14 - 3);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let ticks = user.checked_add(system)?;
    Some(Duration::from_millis(
        ticks.checked_mul(1000 / TICKS_PER_SEC)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_the_resident_set_in_bytes() {
        let status = "Name:\trookery\nVmPeak:\t  999 kB\nVmRSS:\t    5120 kB\nThreads:\t4\n";
        assert_eq!(parse_rss(status), Some(5 * 1024 * 1024));
        assert_eq!(parse_rss("Name:\tkthreadd\n"), None);
        assert_eq!(parse_rss("VmRSS:\t lots kB\n"), None);
    }

    #[test]
    fn processor_time_survives_a_name_with_parentheses() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 150 25 7 8 20 0 4 0 100 200";
        assert_eq!(parse_cpu_time(stat), Some(Duration::from_millis(1750)));
        assert_eq!(parse_cpu_time("42 (a) S 1"), None);
        assert_eq!(parse_cpu_time(""), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory_and_a_processor() {
        assert!(rss_bytes().is_some_and(|bytes| bytes > 100 * 1024));
        assert!(cpu_time().is_some());
    }
}
