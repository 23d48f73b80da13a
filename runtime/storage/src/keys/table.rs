//! The tables of keys and values, and what is said to them.
//!
//! **Invariant:** keys are bytes, so that every database has them in one order, and a key may have any character.

use bytes::Bytes;

use super::{Next, Sight};
use crate::bucket::BucketLimits;
use crate::error::KvError;
use crate::sql::{Dialect, SqlLimits, Statement, Value};

/// A key's value, and which write made it.
pub(super) const VALUE: &str = "SELECT value, revision FROM rookery_keys WHERE key = ?";
/// Whether there is such a key.
pub(super) const EXISTS: &str = "SELECT 1 FROM rookery_keys WHERE key = ?";
/// Keys in order.
pub(super) const LIST: &str = "SELECT key FROM rookery_keys WHERE key > ? ORDER BY key LIMIT ?";
/// The total and what stands about one key.
pub(super) const SIGHT: &str = "SELECT t.bytes, t.writes, k.revision, k.bytes \
     FROM rookery_keys_total t LEFT JOIN rookery_keys k ON k.key = ? WHERE t.id = 1";
/// The same with the value.
pub(super) const SIGHT_WITH_VALUE: &str = "SELECT t.bytes, t.writes, k.revision, k.bytes, k.value \
     FROM rookery_keys_total t LEFT JOIN rookery_keys k ON k.key = ? WHERE t.id = 1";

const TOTAL: &str = "UPDATE rookery_keys_total SET bytes = ?, writes = ? WHERE id = 1";
const PUT: &str = "INSERT INTO rookery_keys (key, value, revision, bytes) VALUES (?, ?, ?, ?) \
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision, \
     bytes = excluded.bytes";
const DELETE: &str = "DELETE FROM rookery_keys WHERE key = ?";

/// Makes the tables where they are not.
pub(super) fn make(dialect: Dialect) -> [String; 3] {
    let bytes = match dialect {
        Dialect::Sqlite => "BLOB",
        Dialect::Postgres => "BYTEA",
    };
    [
        format!(
            "CREATE TABLE IF NOT EXISTS rookery_keys (key {bytes} PRIMARY KEY, value {bytes} NOT NULL, \
             revision BIGINT NOT NULL, bytes BIGINT NOT NULL)"
        ),
        "CREATE TABLE IF NOT EXISTS rookery_keys_total (id BIGINT PRIMARY KEY, bytes BIGINT NOT NULL, \
         writes BIGINT NOT NULL)"
            .to_owned(),
        "INSERT INTO rookery_keys_total (id, bytes, writes) VALUES (1, 0, 0) ON CONFLICT DO NOTHING"
            .to_owned(),
    ]
}

/// What has to be written for a key to become so.
pub(super) fn statements<T>(
    key: &str,
    sight: &Sight,
    next: Next<T>,
    limits: &BucketLimits,
    sql: &SqlLimits,
) -> Result<(Vec<Statement>, T), KvError> {
    let name = || Value::Blob(key.into());
    let statement = |text: &str, values| Statement::new(text, values, sql);
    Ok(match next {
        Next::Leave(answer) => (Vec::new(), answer),
        Next::Delete(answer) => {
            let freed = sight.entry.as_ref().map_or(0, |entry| entry.bytes);
            let total = count(sight.bytes.saturating_sub(freed));
            let total = statement(TOTAL, vec![total, revision(sight.writes)])?;
            (vec![statement(DELETE, vec![name()])?, total], answer)
        }
        Next::Put(value, answer) => {
            let total = count(sight.with(key, &value, limits)?);
            let writes = revision(sight.writes + 1);
            let size = count(key.len() + value.len());
            let value = Value::Blob(Bytes::into(value));
            let put = statement(PUT, vec![name(), value, writes.clone(), size])?;
            (vec![put, statement(TOTAL, vec![total, writes])?], answer)
        }
    })
}

fn count(bytes: usize) -> Value {
    Value::Integer(i64::try_from(bytes).unwrap_or(i64::MAX))
}

fn revision(writes: u64) -> Value {
    Value::Integer(i64::try_from(writes).unwrap_or(i64::MAX))
}
