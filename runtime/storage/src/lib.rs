//! What the guests of a namespace keep between two invocations.
//!
//! Keys and values in memory, which outlive every worker and are gone with the process; SQL, in SQLite for now, which
//! outlives the process; and keys and values in it, for those who want them to last.
//!
//! **Invariant:** a namespace sees its own data and no other; the caller names it, never the guest.
//! **Invariant:** what a guest wrote is spoken of only when it is durable ([`Durable`]).
//! **Absent on purpose:** the driver's types in what the crate shows.

mod bucket;
#[cfg(any(test, feature = "test-util"))]
pub mod contract;
mod databases;
mod error;
mod keys;
pub mod migrate;
mod sql;
mod sqlite;
mod stores;

pub use bucket::{Bucket, BucketLimits, KeyPage, Revision};
pub use databases::{Databases, OpenError};
pub use error::{KvError, SqlError};
pub use keys::KeyTable;
pub use sql::{
    Applied, CommitError, Database, Decide, Dialect, Done, Durable, Owed, Rows, SqlClient,
    SqlLimits, Statement, Transaction, Value,
};
pub use sqlite::{Place, Sqlite};
pub use stores::Stores;
