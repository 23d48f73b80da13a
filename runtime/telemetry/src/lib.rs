//! What the server knows about itself: numbers that cost nothing to take, the shapes in which they are shown, and the
//! names by which a request is found again in a log.
//!
//! **Invariant:** recording a number never locks, never allocates and never waits.
//! **Absent on purpose:** a registry. Whoever counts owns the counter; `admin` gathers the snapshots.

mod counter;

mod histogram;

mod rate;

mod process;

mod snapshot;

pub mod prometheus;

mod random;

mod hex;

mod request_id;

mod trace_context;

mod tail;

mod faults;

mod keep;

pub mod trace;

pub use counter::{Counter, Gauge};
pub use faults::{FaultGroup, GROUPS_MAX as FAULTS_MAX};
pub use histogram::{Histogram, HistogramSnapshot};
pub use process::{cpu_time, rss_bytes};
pub use random::random_u64;
pub use rate::RecentRate;
pub use request_id::RequestId;
pub use snapshot::{
    PoolFigures, PoolSnapshot, Quantiles, StatsSnapshot, Surroundings, WorkerSnapshot, WorkerStatus,
};
pub use tail::{
    BYTES_MAX as TAIL_BYTES_MAX, LINES_MAX as TAIL_LINES_MAX, Line, LogTail, Severity, Taken,
};
pub use trace_context::TraceContext;
