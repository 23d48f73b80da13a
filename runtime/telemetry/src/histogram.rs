//! How long things took: a histogram whose buckets are linear within each power of two.
//!
//! Durations are counted in whole microseconds. Below 16 µs each value has a bucket of its own; above, each power of two
//! has eight buckets, up to 2³² µs (71 minutes), where longer ones are counted too. This is the scheme of HdrHistogram
//! with three significant bits; 240 buckets are 1.9 KiB.
//!
//! **Invariant:** a quantile is off by at most 1/16 (6.25 %) of the true value, and by nothing below 16 µs.
//! **Absent on purpose:** a window and a reset. Two snapshots can be told apart by whoever wants the difference.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Buckets per power of two are two to this.
const SUB_BITS: u32 = 3;
const SUB_BUCKETS: usize = 1 << SUB_BITS;
/// Below this, one bucket per microsecond.
const LINEAR_BELOW_US: u64 = 2 << SUB_BITS;
const LINEAR_BITS: u32 = SUB_BITS + 1;
const TOP_BITS: u32 = 32;
const VALUE_MAX_US: u64 = (1 << TOP_BITS) - 1;
const BUCKETS: usize = LINEAR_BELOW_US as usize + (TOP_BITS - LINEAR_BITS) as usize * SUB_BUCKETS;

/// The powers of two that a Prometheus histogram shows as bounds: 16 µs to 67 s.
const SHOWN_BITS: std::ops::RangeInclusive<u32> = 4..=26;

/// Durations, recorded from any thread with three relaxed atomic operations.
#[derive(Debug)]
pub struct Histogram {
    counts: Box<[AtomicU64; BUCKETS]>,
    sum_us: AtomicU64,
    max_us: AtomicU64,
}

/// What a [`Histogram`] held at one moment. Parts that are recorded during the copy may be in it or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistogramSnapshot {
    counts: Box<[u64; BUCKETS]>,
    count: u64,
    sum_us: u64,
    max_us: u64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram {
            counts: Box::new([const { AtomicU64::new(0) }; BUCKETS]),
            sum_us: AtomicU64::new(0),
            max_us: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    /// Empty.
    pub fn new() -> Histogram {
        Histogram::default()
    }

    /// Counts one duration.
    pub fn record(&self, took: Duration) {
        let us = u64::try_from(took.as_micros())
            .unwrap_or(VALUE_MAX_US)
            .min(VALUE_MAX_US);
        // A read first: once the maximum is warm, nobody fights for its cache line.
        if us > self.max_us.load(Relaxed) {
            self.max_us.fetch_max(us, Relaxed);
        }
        self.sum_us.fetch_add(us, Relaxed);
        self.counts[bucket_of(us)].fetch_add(1, Relaxed);
    }

    /// A copy to compute with.
    pub fn snapshot(&self) -> HistogramSnapshot {
        let mut snapshot = HistogramSnapshot::default();
        for (copy, count) in snapshot.counts.iter_mut().zip(self.counts.iter()) {
            *copy = count.load(Relaxed);
        }
        // The total is that of the copied buckets, so that quantiles fit what is there.
        snapshot.count = snapshot.counts.iter().sum();
        snapshot.sum_us = self.sum_us.load(Relaxed);
        snapshot.max_us = self.max_us.load(Relaxed);
        snapshot
    }
}

impl Default for HistogramSnapshot {
    fn default() -> HistogramSnapshot {
        HistogramSnapshot {
            counts: Box::new([0; BUCKETS]),
            count: 0,
            sum_us: 0,
            max_us: 0,
        }
    }
}

impl HistogramSnapshot {
    /// How many durations were recorded.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// All durations together, in microseconds.
    pub fn sum_us(&self) -> u64 {
        self.sum_us
    }

    /// The longest duration, exactly, in microseconds; 0 when there is none.
    pub fn max_us(&self) -> u64 {
        self.max_us
    }

    /// The mean in microseconds; 0 when there is nothing to divide.
    pub fn mean_us(&self) -> f64 {
        if self.count == 0 {
            0.0
        } else {
            self.sum_us as f64 / self.count as f64
        }
    }

    /// The duration in microseconds that the share `q` (0 to 1, clamped) of all durations does not exceed; 0 when there
    /// is none. It is the middle of its bucket: see the module for how far off that can be.
    pub fn quantile(&self, q: f64) -> u64 {
        let rank = ((q.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                let (low, width) = bounds_of(index);
                return (low + (width - 1) / 2).min(self.max_us);
            }
        }
        // Empty, or the sum in floating point rounded above the count.
        self.max_us
    }

    /// What was recorded after an earlier snapshot of the same histogram: its quantiles are those of the time between
    /// the two. The longest of them is not known, and is told as the longest of all.
    pub fn since(&self, earlier: &HistogramSnapshot) -> HistogramSnapshot {
        let mut between = self.clone();
        for (count, before) in between.counts.iter_mut().zip(earlier.counts.iter()) {
            *count = count.saturating_sub(*before);
        }
        between.count = between.counts.iter().sum();
        between.sum_us = self.sum_us.saturating_sub(earlier.sum_us);
        if between.count == 0 {
            between.max_us = 0;
        }
        between
    }

    /// How many durations are longer than `us` microseconds, those left out that share their bucket with it.
    pub fn above(&self, us: u64) -> u64 {
        let next = bucket_of(us.min(VALUE_MAX_US)) + 1;
        self.counts[next..].iter().sum()
    }

    /// Adds what another histogram held.
    pub fn merge(&mut self, other: &HistogramSnapshot) {
        for (count, more) in self.counts.iter_mut().zip(other.counts.iter()) {
            *count += more;
        }
        self.count += other.count;
        self.sum_us += other.sum_us;
        self.max_us = self.max_us.max(other.max_us);
    }

    /// Pairs of an upper bound in microseconds (a power of two) and the number of durations below it, ascending: what
    /// Prometheus calls cumulative buckets, without the last, infinite one.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let (mut next, mut seen) = (0, 0);
        SHOWN_BITS.map(move |bits| {
            let bound = 1 << bits;
            let end = bucket_of(bound);
            seen += self.counts[next..end].iter().sum::<u64>();
            next = end;
            (bound, seen)
        })
    }
}

/// The bucket of a value that is at most `VALUE_MAX_US`.
fn bucket_of(us: u64) -> usize {
    if us < LINEAR_BELOW_US {
        return us as usize;
    }
    let exponent = us.ilog2();
    let sub = (us >> (exponent - SUB_BITS)) as usize & (SUB_BUCKETS - 1);
    LINEAR_BELOW_US as usize + (exponent - LINEAR_BITS) as usize * SUB_BUCKETS + sub
}

/// The lowest value of a bucket, and how many values it has.
fn bounds_of(index: usize) -> (u64, u64) {
    let Some(above) = index.checked_sub(LINEAR_BELOW_US as usize) else {
        return (index as u64, 1);
    };
    let shift = (above / SUB_BUCKETS) as u32 + LINEAR_BITS - SUB_BITS;
    let low = ((SUB_BUCKETS + above % SUB_BUCKETS) as u64) << shift;
    (low, 1 << shift)
}

#[cfg(test)]
mod tests;
