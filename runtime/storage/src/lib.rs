//! What the guests of a namespace keep between two invocations.
//!
//! For now that is a key-value store in memory: it outlives every worker and is gone with the process.
//!
//! **Invariant:** a namespace sees its own bucket and no other; the caller names it, never the guest.
//! **Absent on purpose:** SQL and files. They come behind the same door.

mod bucket;
mod error;
mod stores;

pub use bucket::{Bucket, BucketLimits, KeyPage, Revision};
pub use error::KvError;
pub use stores::Stores;
