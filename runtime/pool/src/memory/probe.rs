//! What the system says about memory: Linux's control groups (version 2) and pressure stall information.
//!
//! **Invariant:** a file that is missing or reads unlike its format says nothing, and is no error: containers hide them.
//! **Absent on purpose:** other systems, and version 1 of control groups. There the operator's own limit still counts.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

use rookery_telemetry::rss_bytes;

use super::{Fill, MemoryReading};

/// Where to look, and what the operator allows.
#[derive(Clone, Debug)]
pub struct MemoryProbe {
    /// What this process may use, in bytes.
    limit_bytes: Option<u64>,
    /// The control group's folder and those above it, the innermost first.
    groups: Vec<PathBuf>,
    /// Where the time is told that processes waited for memory: the first of these that is there.
    stalls: Vec<PathBuf>,
}

impl MemoryProbe {
    /// This process on this system; `limit_bytes` is what its operator allows for the server itself, without child
    /// processes.
    pub fn of_system(limit_bytes: Option<u64>) -> MemoryProbe {
        let own = read_to_string("/proc/self/cgroup").unwrap_or_default();
        MemoryProbe::in_folders(
            limit_bytes,
            group_of(&own),
            Path::new("/sys/fs/cgroup"),
            Path::new("/proc/pressure/memory"),
        )
    }

    fn in_folders(limit_bytes: Option<u64>, group: &str, root: &Path, stalls: &Path) -> Self {
        let inner = root.join(group.trim_start_matches('/'));
        let above = inner.ancestors().take_while(|dir| dir.starts_with(root));
        let groups: Vec<PathBuf> = above.map(Path::to_owned).collect();
        MemoryProbe {
            limit_bytes,
            stalls: vec![inner.join("memory.pressure"), stalls.to_owned()],
            groups,
        }
    }

    /// Looks. A few small files that the kernel writes on the spot.
    pub fn read(&self) -> MemoryReading {
        let own = self.limit_bytes.and_then(|limit_bytes| {
            let used_bytes = rss_bytes()?;
            Some(Fill {
                used_bytes,
                limit_bytes,
            })
        });
        let fills = self.groups.iter().filter_map(|dir| group_fill(dir));
        let mut stalls = self.stalls.iter();
        MemoryReading {
            own,
            group: fills.max_by(|a, b| a.share().total_cmp(&b.share())),
            stalled_percent: stalls.find_map(|path| stalled(&read_to_string(path).ok()?)),
        }
    }
}

/// The path of a process's group: the line of version 2 has the number 0 and no controllers.
fn group_of(groups: &str) -> &str {
    let mut lines = groups.lines();
    let path = lines.find_map(|line| line.strip_prefix("0::"));
    path.unwrap_or("/")
}

/// How full a group is, if it has a limit. What it holds of files can be taken back at once, and does not count.
fn group_fill(dir: &Path) -> Option<Fill> {
    let number = |name| {
        let text = read_to_string(dir.join(name)).ok()?;
        text.trim().parse::<u64>().ok()
    };
    let limits = ["memory.high", "memory.max"];
    let limit_bytes = limits.into_iter().filter_map(number).min()?;
    let cached = cached_bytes(&read_to_string(dir.join("memory.stat")).unwrap_or_default());
    Some(Fill {
        used_bytes: number("memory.current")?.saturating_sub(cached),
        limit_bytes,
    })
}

/// What a group holds of files, read lately or not, but for what is not on disk yet. Were only the idle part of it left
/// out, whoever serves many files would always be short of memory; when it is needed after all, those who wait tell.
fn cached_bytes(stat: &str) -> u64 {
    let bytes = |field: &str| {
        let words = stat.lines().filter_map(|line| line.split_once(' '));
        let mut values = words.filter(|(name, _)| *name == field);
        let value = values
            .next()
            .and_then(|(_, bytes)| bytes.trim().parse().ok());
        value.unwrap_or(0_u64)
    };
    let of_files = bytes("inactive_file").saturating_add(bytes("active_file"));
    let unwritten = bytes("file_dirty").saturating_add(bytes("file_writeback"));
    of_files.saturating_sub(unwritten)
}

/// `some avg10=1.50 avg60=…`: in how many percent of the last ten seconds somebody waited.
fn stalled(pressure: &str) -> Option<f64> {
    let line = pressure.lines().find(|line| line.starts_with("some "))?;
    let mut fields = line.split_ascii_whitespace();
    let percent = fields.find_map(|field| field.strip_prefix("avg10="))?;
    percent.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    const STALLS: &str = "some avg10=7.25 avg60=1.00 avg300=0.10 total=12345\nfull avg10=1.00 \
                          avg60=0.00 avg300=0.00 total=99\n";

    /// A folder of its own that goes away.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let name = format!("rookery-probe-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn probe(&self, group: &str) -> MemoryProbe {
            MemoryProbe::in_folders(None, group, &self.0, &self.0.join("stalls"))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_group_is_as_full_as_the_fullest_on_the_way_up() {
        let root = Folder::new("fullest");
        root.write("pod/memory.max", "1000\n");
        root.write("pod/memory.current", "900\n");
        root.write("pod/memory.stat", "anon 700\ninactive_file 100\nfile 200\n");
        root.write("pod/app/memory.max", "max\n");
        root.write("pod/app/memory.high", "5000\n");
        root.write("pod/app/memory.current", "600\n");
        let reading = root.probe("/pod/app").read();
        let pod = Fill {
            used_bytes: 800,
            limit_bytes: 1000,
        };
        assert_eq!(reading.group, Some(pod));
        assert_eq!(reading.stalled_percent, None);
    }

    #[test]
    fn files_that_are_only_cached_are_no_memory_in_use() {
        let check = |stat, expected| assert_eq!(cached_bytes(stat), expected, "{stat}");
        check("", 0);
        check("anon 700\ninactive_file 100\nfile 200\n", 100);
        check("inactive_file 100\nactive_file 60\nshmem 9\n", 160);
        check("active_file 60\nfile_dirty 5\nfile_writeback 15\n", 40);
        check("inactive_file 10\nfile_dirty 50\n", 0);
        check("inactive_file some\nactive_file 60\n", 60);
    }

    #[test]
    fn waiting_is_told_by_the_group_or_else_by_the_system() {
        let root = Folder::new("stalls");
        root.write("stalls", STALLS);
        assert_eq!(root.probe("/").read().stalled_percent, Some(7.25));
        root.write(
            "app/memory.pressure",
            "some avg10=0.50 avg60=0 avg300=0 total=0\n",
        );
        assert_eq!(root.probe("/app").read().stalled_percent, Some(0.5));
        assert_eq!(root.probe("/app").read().group, None, "without a limit");
    }

    #[test]
    fn what_reads_unlike_its_format_says_nothing() {
        let root = Folder::new("odd");
        root.write("memory.max", "a lot\n");
        root.write("memory.current", "900\n");
        root.write("stalls", "full avg10=9.00\nsome of it\n");
        assert_eq!(root.probe("/../..").read(), MemoryReading::default());
        for (groups, expected) in [
            ("12:memory:/old\n0::/user.slice/app\n", "/user.slice/app"),
            ("12:memory:/old\n", "/"),
            ("", "/"),
        ] {
            assert_eq!(group_of(groups), expected);
        }
    }

    #[test]
    fn the_operators_limit_is_compared_with_this_process() {
        let root = Folder::new("own");
        let probe = MemoryProbe {
            limit_bytes: Some(1),
            ..root.probe("/")
        };
        // Where the system does not tell what the process uses, nothing is assumed.
        let used = rss_bytes().map(|_| true);
        assert_eq!(probe.read().own.map(|own| own.used_bytes > 1), used);
    }
}
