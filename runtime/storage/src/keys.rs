//! One namespace's keys and values in its database: what [`Bucket`](crate::Bucket) is in memory, but it lasts.
//!
//! **Invariant:** the row of the total has the lengths of all keys and values, and how many writes there were: a write
//! reads it, decides, and changes it together with the key, with nobody in between.
//! **Invariant:** a write is one of its invocation's: it shares its group and is durable with it, and what is said after
//! it waits for that.
//! **Absent on purpose:** a statement that only one database understands, but for the types of the columns.

mod table;

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::bucket::{
    BucketLimits, Held, KEYS_PER_PAGE, KeyPage, Revision, check_key, grown, parse_number,
};
use crate::error::{KvError, SqlError};
use crate::sql::{Database, Decide, Rows, SqlClient, Statement, Value};

/// A namespace's keys and values, in tables of its database. Every call takes the client of the invocation that asks.
pub struct KeyTable {
    database: Arc<dyn Database>,
    limits: BucketLimits,
    /// Whether the tables are there.
    made: OnceCell<()>,
}

/// What a write was decided to be: its answer, or why not. Set each time that the database asks.
type Verdict<T> = Arc<Mutex<Option<Result<T, KvError>>>>;

/// What stands about a key, as a write sees it.
struct Sight {
    bytes: usize,
    writes: u64,
    entry: Option<Held>,
    /// Only when it was asked for.
    value: Option<Vec<u8>>,
}

/// What a write makes of a key.
enum Next<T> {
    Put(Bytes, T),
    Delete(T),
    Leave(T),
}

impl KeyTable {
    /// The keys of this database; their tables are made when they are first used.
    pub fn new(database: Arc<dyn Database>, limits: BucketLimits) -> KeyTable {
        KeyTable {
            database,
            limits,
            made: OnceCell::new(),
        }
    }

    /// The value of a key.
    ///
    /// # Errors
    /// [`KvError`], as all of these.
    pub async fn get(&self, client: &mut SqlClient, key: &str) -> Result<Option<Bytes>, KvError> {
        let found = self.row(client, table::VALUE, key).await?;
        Ok(found.and_then(|row| blob(row.into_iter().next())))
    }

    /// The value of a key and which write made it, for [`KeyTable::swap`].
    pub async fn get_with_revision(
        &self,
        client: &mut SqlClient,
        key: &str,
    ) -> Result<(Option<Bytes>, Revision), KvError> {
        let Some(row) = self.row(client, table::VALUE, key).await? else {
            return Ok((None, Revision::ABSENT));
        };
        let mut row = row.into_iter();
        let value = blob(row.next());
        Ok((value, Revision::from_number(number(row.next()))))
    }

    /// Whether a key has a value.
    pub async fn exists(&self, client: &mut SqlClient, key: &str) -> Result<bool, KvError> {
        let found = self.row(client, table::EXISTS, key).await?;
        Ok(found.is_some())
    }

    /// Gives a key a value.
    pub async fn set(
        &self,
        client: &mut SqlClient,
        key: &str,
        value: Bytes,
    ) -> Result<(), KvError> {
        let put = move |_: &Sight| Ok(Next::Put(value.clone(), ()));
        self.write(client, table::SIGHT, key, put).await
    }

    /// Takes a key away; it need not be there.
    pub async fn delete(&self, client: &mut SqlClient, key: &str) -> Result<(), KvError> {
        let delete = |sight: &Sight| {
            Ok(match sight.entry {
                Some(_) => Next::Delete(()),
                None => Next::Leave(()),
            })
        };
        self.write(client, table::SIGHT, key, delete).await
    }

    /// Adds to a decimal number; an absent key counts as 0. Answers the sum.
    pub async fn increment(
        &self,
        client: &mut SqlClient,
        key: &str,
        delta: i64,
    ) -> Result<i64, KvError> {
        let add = move |sight: &Sight| {
            let current = match &sight.value {
                Some(value) => parse_number(value).ok_or(KvError::NotANumber)?,
                None => 0,
            };
            let sum = current.checked_add(delta).ok_or(KvError::Overflow)?;
            Ok(Next::Put(Bytes::from(sum.to_string()), sum))
        };
        self.write(client, table::SIGHT_WITH_VALUE, key, add).await
    }

    /// Gives a key a value if nobody did since `seen` was read; else [`KvError::Conflict`].
    pub async fn swap(
        &self,
        client: &mut SqlClient,
        key: &str,
        seen: Revision,
        value: Bytes,
    ) -> Result<(), KvError> {
        let put = move |sight: &Sight| {
            let entry = sight.entry.as_ref();
            if entry.map_or(Revision::ABSENT, |entry| entry.revision) != seen {
                return Err(KvError::Conflict);
            }
            Ok(Next::Put(value.clone(), ()))
        };
        self.write(client, table::SIGHT, key, put).await
    }

    /// The keys after `cursor`, in order.
    pub async fn list_keys(
        &self,
        client: &mut SqlClient,
        cursor: Option<&str>,
    ) -> Result<KeyPage, KvError> {
        self.made().await?;
        // No key is empty, so the empty one is before all of them.
        let after = Value::Blob(cursor.unwrap_or_default().into());
        let most = i64::try_from(KEYS_PER_PAGE + 1).unwrap_or(i64::MAX);
        let rows = client
            .query(table::LIST, vec![after, Value::Integer(most)])
            .await?;
        let more = rows.rows.len() > KEYS_PER_PAGE;
        let key = |row: Vec<Value>| text(row.into_iter().next());
        let keys: Option<Vec<String>> = rows.rows.into_iter().map(key).collect();
        let mut keys = keys.ok_or_else(not_ours)?;
        keys.truncate(KEYS_PER_PAGE);
        Ok(KeyPage {
            cursor: keys.last().filter(|_| more).cloned(),
            keys,
        })
    }

    async fn row(
        &self,
        client: &mut SqlClient,
        select: &str,
        key: &str,
    ) -> Result<Option<Vec<Value>>, KvError> {
        check_key(key)?;
        self.made().await?;
        let rows = client.query(select, vec![Value::Blob(key.into())]).await?;
        Ok(rows.rows.into_iter().next())
    }

    /// Reads, decides and writes, and nobody writes in between.
    async fn write<T: Send + 'static>(
        &self,
        client: &mut SqlClient,
        select: &str,
        key: &str,
        decide: impl Fn(&Sight) -> Result<Next<T>, KvError> + Send + Sync + 'static,
    ) -> Result<T, KvError> {
        check_key(key)?;
        self.made().await?;
        let read = client.statement(select, vec![Value::Blob(key.into())])?;
        let verdict: Verdict<T> = Arc::default();
        let decide: Decide = {
            let (verdict, key, limits) = (Arc::clone(&verdict), Box::from(key), self.limits);
            let sql_limits = *self.database.limits();
            Arc::new(move |rows| {
                let decided = Sight::of(rows).and_then(|sight| {
                    let next = decide(&sight)?;
                    table::statements(&key, &sight, next, &limits, &sql_limits)
                });
                let (statements, decided) = match decided {
                    Ok((statements, answer)) => (statements, Ok(answer)),
                    Err(refused) => (Vec::new(), Err(refused)),
                };
                *verdict.lock() = Some(decided);
                statements
            })
        };
        client.change(read, decide).await?;
        let decided = verdict.lock().take();
        decided.unwrap_or_else(|| Err(not_ours()))
    }

    /// Makes the tables, once.
    async fn made(&self) -> Result<(), KvError> {
        let make = async || {
            let limits = self.database.limits();
            let statements = table::make(self.database.dialect()).into_iter();
            let statements: Result<Vec<_>, _> = statements
                .map(|sql| Statement::new(&sql, vec![], limits))
                .collect();
            let made = self.database.batch(statements?).await?;
            let lost = made.durable.wait().await;
            lost.map_err(|error| KvError::Database(SqlError::Unavailable(error.to_string())))
        };
        self.made.get_or_try_init(make).await.map(|_| ())
    }
}

impl Sight {
    /// Reads the row: the total, and the key's own part, which is null when there is none.
    fn of(rows: &Rows) -> Result<Sight, KvError> {
        let row = rows.rows.first().ok_or_else(not_ours)?;
        let count = |at: usize| match row.get(at) {
            Some(Value::Integer(count)) => u64::try_from(*count).ok(),
            _ => None,
        };
        let (bytes, writes) = count(0).zip(count(1)).ok_or_else(not_ours)?;
        let entry = count(2).zip(count(3)).map(|(revision, bytes)| Held {
            revision: Revision::from_number(revision),
            bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
        });
        let value = match row.get(4) {
            Some(Value::Blob(value)) => Some(value.clone()),
            _ => None,
        };
        Ok(Sight {
            bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
            writes,
            entry,
            value,
        })
    }

    /// The total and the count of writes once the key holds this.
    fn with(&self, key: &str, value: &Bytes, limits: &BucketLimits) -> Result<usize, KvError> {
        let freed = self.entry.as_ref().map_or(0, |entry| entry.bytes);
        grown(limits, self.bytes, freed, key, value)
    }
}

/// Somebody changed the tables by words of SQL.
fn not_ours() -> KvError {
    let text = "the tables of the keys were changed: their rows are not ours";
    KvError::Database(SqlError::Unavailable(text.to_owned()))
}

fn blob(value: Option<Value>) -> Option<Bytes> {
    match value {
        Some(Value::Blob(value)) => Some(value.into()),
        _ => None,
    }
}

fn text(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::Blob(value)) => String::from_utf8(value).ok(),
        _ => None,
    }
}

fn number(value: Option<Value>) -> u64 {
    match value {
        Some(Value::Integer(number)) => u64::try_from(number).unwrap_or_default(),
        _ => 0,
    }
}
