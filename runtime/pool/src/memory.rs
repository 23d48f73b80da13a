//! When memory is short, and how many idle workers that costs: a pure decision.
//!
//! **Invariant:** only idle workers beyond those to be kept ready are recycled, the one idle longest first; never one
//! that somebody has.
//! **Absent on purpose:** files and clocks. `probe.rs` reads, the budget recycles.

mod probe;

pub use probe::MemoryProbe;

/// From this share of a limit on memory is short …
const FULL_SHORT: f64 = 0.85;
/// … and from this one it is about to end.
const FULL_SCARCE: f64 = 0.95;

/// From this share of the time on, in percent, in which a process waited for memory, it is short …
const STALLED_SHORT: f64 = 10.0;
/// … and from this one it is about to end: the machine does little else than look for pages.
const STALLED_SCARCE: f64 = 40.0;

/// How much memory is in use, of how much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fill {
    /// In bytes, without what the system can take back at once.
    pub used_bytes: u64,
    /// In bytes.
    pub limit_bytes: u64,
}

/// What is known of memory at one moment. Where the system does not tell, nothing is assumed.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct MemoryReading {
    /// This process, of what its operator allows.
    pub own: Option<Fill>,
    /// Its control group, of the tightest limit on the way up.
    pub group: Option<Fill>,
    /// In how many percent of the last ten seconds some process waited for memory.
    pub stalled_percent: Option<f64>,
}

/// How short memory is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Pressure {
    /// It is not.
    None,
    /// It may become so.
    Short,
    /// It is about to end.
    Scarce,
}

impl Fill {
    fn share(self) -> f64 {
        // A limit of nothing is reached by anything.
        self.used_bytes as f64 / (self.limit_bytes.max(1)) as f64
    }
}

impl MemoryReading {
    /// The worst that any of the figures says.
    pub fn pressure(&self) -> Pressure {
        let fills = [self.own, self.group].into_iter().flatten();
        let fills = fills.map(|fill| Pressure::by(fill.share(), FULL_SHORT, FULL_SCARCE));
        let stalled = self.stalled_percent.into_iter();
        let stalled = stalled.map(|share| Pressure::by(share, STALLED_SHORT, STALLED_SCARCE));
        fills.chain(stalled).max().unwrap_or(Pressure::None)
    }
}

impl Pressure {
    fn by(share: f64, short: f64, scarce: f64) -> Pressure {
        if share >= scarce {
            Pressure::Scarce
        } else if share >= short {
            Pressure::Short
        } else {
            Pressure::None
        }
    }

    /// How many of so many idle workers are recycled now. The next look decides anew, so it is an eighth, or a half: what
    /// an app leaves behind takes a moment to come back to the system.
    pub fn relief(self, idle: usize) -> usize {
        match self {
            Pressure::None => 0,
            Pressure::Short => idle.div_ceil(8),
            Pressure::Scarce => idle.div_ceil(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(used_bytes: u64) -> Option<Fill> {
        let limit_bytes = 1000;
        Some(Fill {
            used_bytes,
            limit_bytes,
        })
    }

    #[test]
    fn the_worst_figure_decides() {
        let check = |own, group, stalled_percent, expected| {
            let reading = MemoryReading {
                own,
                group,
                stalled_percent,
            };
            assert_eq!(reading.pressure(), expected, "{reading:?}");
        };
        check(None, None, None, Pressure::None);
        check(fill(849), fill(849), Some(9.9), Pressure::None);
        check(fill(850), fill(0), Some(0.0), Pressure::Short);
        check(None, fill(949), None, Pressure::Short);
        check(None, fill(950), Some(11.0), Pressure::Scarce);
        check(None, None, Some(10.0), Pressure::Short);
        check(fill(1), fill(1), Some(40.0), Pressure::Scarce);
        check(fill(2000), None, None, Pressure::Scarce);
        let nothing = Some(Fill {
            used_bytes: 1,
            limit_bytes: 0,
        });
        check(nothing, None, None, Pressure::Scarce);
    }

    #[test]
    fn relief_is_a_share_of_the_idle_and_never_nothing_when_memory_is_short() {
        let relief = |pressure: Pressure| [0, 1, 8, 9, 100].map(|idle| pressure.relief(idle));
        assert_eq!(relief(Pressure::None), [0; 5]);
        assert_eq!(relief(Pressure::Short), [0, 1, 1, 2, 13]);
        assert_eq!(relief(Pressure::Scarce), [0, 1, 4, 5, 50]);
    }
}
