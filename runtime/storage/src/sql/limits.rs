//! How much one statement may ask for.

use std::time::Duration;

/// The limits of one database.
#[derive(Clone, Copy, Debug)]
pub struct SqlLimits {
    /// How large a database may grow, in bytes, without the log beside it. One that is larger already may be read, and
    /// written into where there is space in it. Default 1 GiB.
    pub database_bytes_max: u64,
    /// The longest statement, in bytes. Default 64 KiB.
    pub statement_bytes_max: usize,
    /// The most values of a statement. Default 1,000.
    pub values_max: usize,
    /// The largest value that is given to the database, in bytes. Default 8 MiB.
    pub value_bytes_max: usize,
    /// The most statements of one batch. Default 1,000.
    pub batch_max: usize,
    /// The most rows of one result. Default 10,000.
    pub rows_max: usize,
    /// The most bytes of one result. Default 8 MiB.
    pub result_bytes_max: usize,
    /// How long one statement may run. Default 5 s.
    pub statement_timeout: Duration,
    /// How long a transaction may stay open; it keeps every other writer waiting. Default 5 s.
    pub transaction_timeout: Duration,
}

impl Default for SqlLimits {
    fn default() -> Self {
        SqlLimits {
            database_bytes_max: 1024 * 1024 * 1024,
            statement_bytes_max: 64 * 1024,
            values_max: 1_000,
            value_bytes_max: 8 * 1024 * 1024,
            batch_max: 1_000,
            rows_max: 10_000,
            result_bytes_max: 8 * 1024 * 1024,
            statement_timeout: Duration::from_secs(5),
            transaction_timeout: Duration::from_secs(5),
        }
    }
}
