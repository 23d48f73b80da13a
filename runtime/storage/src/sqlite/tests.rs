//! What is SQLite's own beside the contract: files, groups that are lost, limits.

#![allow(clippy::unwrap_used)]
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;

use super::*;
use crate::BucketLimits;
use crate::contract;
use crate::error::KvError;
use crate::sql::{Rows, SqlClient, Value};

async fn open(place: &Place, limits: SqlLimits) -> Arc<Sqlite> {
    Sqlite::open(place, limits, &Tasks::new()).await.unwrap()
}

fn file(folder: &tempfile::TempDir) -> Place {
    Place::File(folder.path().join("data.db"))
}

async fn count(client: &mut SqlClient) -> Value {
    let rows = client.query("SELECT count(*) FROM t", vec![]).await;
    rows.unwrap().rows.remove(0).remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_passes_the_contract() {
    let folders = parking_lot::Mutex::new(Vec::new());
    contract::check(|| {
        let folder = tempfile::tempdir().unwrap();
        let place = file(&folder);
        folders.lock().push(folder);
        async move { open(&place, SqlLimits::default()).await as Arc<dyn Database> }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_passes_the_contract() {
    contract::check(|| async {
        open(&Place::Memory, SqlLimits::default()).await as Arc<dyn Database>
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_passes_the_contract_of_keys() {
    let folders = parking_lot::Mutex::new(Vec::new());
    contract::keys::check(|limits| {
        let folder = tempfile::tempdir().unwrap();
        let place = file(&folder);
        folders.lock().push(folder);
        async move {
            let database = open(&place, SqlLimits::default()).await;
            contract::keys::in_database(database, limits)
        }
    })
    .await;
}

#[tokio::test]
async fn keys_are_there_when_the_file_is_opened_again_and_so_is_their_total() {
    let folder = tempfile::tempdir().unwrap();
    let limits = BucketLimits {
        value_bytes_max: 16,
        total_bytes_max: 16,
    };
    for round in 0..3 {
        let database = open(&file(&folder), SqlLimits::default()).await;
        let mut keys = contract::keys::in_database(database, limits);
        assert_eq!(keys.increment("n", 1).await, Ok(round + 1));
        let full = keys.set("m", Bytes::from(vec![0; 14])).await;
        assert_eq!(full, Err(KvError::Full(16)));
        keys.settled().await;
    }
}

#[tokio::test]
async fn what_is_durable_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = file(&folder);
    let mut client = SqlClient::new(open(&place, SqlLimits::default()).await);
    client.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
    client
        .execute("INSERT INTO t VALUES (1)", vec![])
        .await
        .unwrap();
    client.durable().await.unwrap();
    // As if the process ended here: nothing is closed.
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for name in ["data.db", "data.db-wal"] {
        std::fs::copy(folder.path().join(name), copy.join(name)).unwrap();
    }
    let again = open(&Place::File(copy.join("data.db")), SqlLimits::default()).await;
    assert_eq!(count(&mut SqlClient::new(again)).await, Value::Integer(1));
}

#[tokio::test]
async fn nobody_sees_what_is_not_durable_yet() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&file(&folder), SqlLimits::default()).await;
    let mut writes = SqlClient::new(Arc::clone(&database) as Arc<dyn Database>);
    writes.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
    writes.durable().await.unwrap();
    // A transaction keeps the group open for as long as it is.
    let mut transaction = writes.begin().await.unwrap();
    let insert = writes
        .statement("INSERT INTO t VALUES (1)", vec![])
        .unwrap();
    transaction.execute(insert).await.unwrap();
    let mut reads = SqlClient::new(database);
    assert_eq!(count(&mut reads).await, Value::Integer(0));
    writes.commit(transaction).await.unwrap();
    assert_eq!(
        count(&mut writes).await,
        Value::Integer(1),
        "who wrote sees it"
    );
    writes.durable().await.unwrap();
    assert_eq!(count(&mut reads).await, Value::Integer(1));
}

#[tokio::test]
async fn a_read_without_an_end_is_stopped_and_the_next_one_answers() {
    let limits = SqlLimits {
        statement_timeout: Duration::from_millis(50),
        ..SqlLimits::default()
    };
    let folder = tempfile::tempdir().unwrap();
    for place in [Place::Memory, file(&folder)] {
        let mut client = SqlClient::new(open(&place, limits).await);
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                       SELECT count(*) FROM n";
        let stopped = client.query(endless, vec![]).await.unwrap_err();
        assert!(stopped.to_string().contains("too long"), "{stopped}");
        client.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
        assert_eq!(count(&mut client).await, Value::Integer(0));
    }
}

#[tokio::test]
async fn a_write_that_is_stopped_loses_its_group_and_everyone_is_told() {
    let limits = SqlLimits {
        statement_timeout: Duration::from_millis(50),
        ..SqlLimits::default()
    };
    let database = open(&Place::Memory, limits).await;
    let mut client = SqlClient::new(Arc::clone(&database) as Arc<dyn Database>);
    client.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
    client.durable().await.unwrap();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   INSERT INTO t SELECT i FROM n";
    let (innocent, endless) = tokio::join!(
        async {
            let mut client = SqlClient::new(Arc::clone(&database) as Arc<dyn Database>);
            let applied = client.execute("INSERT INTO t VALUES (1)", vec![]).await;
            (applied.is_ok(), client)
        },
        async { client.execute(endless, vec![]).await },
    );
    assert!(endless.is_err());
    let (applied, mut innocent) = innocent;
    assert!(applied);
    let told = innocent.durable().await;
    let kept = count(&mut client).await;
    // Whether both shared a group is chance; that what was told is true is not.
    assert_eq!(kept, Value::Integer(i64::from(told.is_ok())));
    client
        .execute("INSERT INTO t VALUES (2)", vec![])
        .await
        .unwrap();
    client.durable().await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_stays_open_is_undone_and_writers_go_on() {
    let limits = SqlLimits {
        transaction_timeout: Duration::from_millis(50),
        ..SqlLimits::default()
    };
    let mut client = SqlClient::new(open(&Place::Memory, limits).await);
    client.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
    let mut transaction = client.begin().await.unwrap();
    let insert = client
        .statement("INSERT INTO t VALUES (1)", vec![])
        .unwrap();
    transaction.execute(insert.clone()).await.unwrap();
    // Waits until the transaction's time is over.
    assert_eq!(count(&mut client).await, Value::Integer(0));
    assert!(transaction.execute(insert).await.is_err());
    assert!(client.commit(transaction).await.is_err());
}

#[tokio::test]
async fn an_expression_cannot_ask_for_all_memory() {
    let mut client = SqlClient::new(open(&Place::Memory, SqlLimits::default()).await);
    let huge = client
        .query("SELECT length(zeroblob(900000000) || 'x')", vec![])
        .await;
    assert_eq!(huge, Err(SqlError::TooLarge));
    client.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
    assert_eq!(count(&mut client).await, Value::Integer(0));
}

#[tokio::test]
async fn a_writer_of_another_process_is_a_conflict_and_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let limits = SqlLimits::default();
    let (ours, theirs) = (
        open(&file(&folder), limits).await,
        open(&file(&folder), limits).await,
    );
    let mut client = SqlClient::new(ours);
    client.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
    client.durable().await.unwrap();
    let transaction = theirs.begin().await.unwrap();
    let insert = "INSERT INTO t VALUES (1)";
    let refused = client.execute(insert, vec![]).await;
    assert_eq!(refused, Err(SqlError::Conflict));
    assert_eq!(count(&mut client).await, Value::Integer(0), "reads go on");
    transaction.rollback().await.unwrap();
    drop(theirs);
    // The group that the transaction was in ends in a moment.
    while client.execute(insert, vec![]).await == Err(SqlError::Conflict) {}
    client.durable().await.unwrap();
    assert_eq!(count(&mut client).await, Value::Integer(1));
}

#[tokio::test]
async fn readers_do_not_wait_for_each_other_nor_for_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&file(&folder), SqlLimits::default()).await;
    let mut writes = SqlClient::new(Arc::clone(&database) as Arc<dyn Database>);
    writes.execute("CREATE TABLE t (a)", vec![]).await.unwrap();
    writes.durable().await.unwrap();
    let _open = writes.begin().await.unwrap();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   SELECT count(*) FROM n";
    let endless = async || {
        let mut reads = SqlClient::new(Arc::clone(&database) as Arc<dyn Database>);
        reads.query(endless, vec![]).await
    };
    let mut quick = SqlClient::new(Arc::clone(&database) as Arc<dyn Database>);
    tokio::select! {
        _ = async { tokio::join!(endless(), endless(), endless()) } => panic!("they have no end"),
        found = count(&mut quick) => assert_eq!(found, Value::Integer(0)),
    }
}

#[tokio::test]
async fn a_statement_is_prepared_once_and_not_every_one_is_kept() {
    use sqlx::Connection as _;
    let limits = SqlLimits::default();
    let mut connection = connect::connect(&Place::Memory, connect::Access::Write, &limits)
        .await
        .unwrap();
    let mut run = async |sql: &str| {
        let statement = Statement::new(sql, vec![], &limits).unwrap();
        let rows = run::rows(&mut connection, run::Before::Nothing, &statement, &limits).await;
        rows.unwrap();
        // The driver's thread counts after it has sent the rows; it answers a ping when it has.
        connection.ping().await.unwrap();
        connection.cached_statements_size()
    };
    let begin = run("SELECT 1").await;
    for _ in 0..10 {
        assert_eq!(run("SELECT 1").await, begin);
    }
    assert_eq!(run("SELECT 2").await, begin + 1);
    let mut kept = 0;
    for nth in 0..500 {
        kept = run(&format!("SELECT {nth} + 1")).await;
    }
    assert_eq!(kept, 200);
}

#[tokio::test]
async fn a_row_that_its_columns_make_too_large_is_undone_with_its_group() {
    let limits = SqlLimits {
        result_bytes_max: 1000,
        ..SqlLimits::default()
    };
    let mut client = SqlClient::new(open(&Place::Memory, limits).await);
    let table = "CREATE TABLE t (a, b DEFAULT (zeroblob(2000)))";
    client.execute(table, vec![]).await.unwrap();
    client.durable().await.unwrap();
    let insert = "INSERT INTO t (a) VALUES (1) RETURNING";
    let large = client.query(&format!("{insert} b"), vec![]).await;
    assert_eq!(large, Err(SqlError::TooLarge));
    assert_eq!(count(&mut client).await, Value::Integer(0));
    let small = client.query(&format!("{insert} a"), vec![]).await;
    assert!(small.is_ok());
    client.durable().await.unwrap();
    assert_eq!(count(&mut client).await, Value::Integer(1));
}

/// Twenty guests add a row at once, behind a transaction that keeps them waiting. Every fifth breaks a rule.
async fn add_together(table: &str, insert: &'static str) -> Vec<Result<Rows, SqlError>> {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&file(&folder), SqlLimits::default()).await as Arc<dyn Database>;
    let mut client = SqlClient::new(Arc::clone(&database));
    client.execute(table, vec![]).await.unwrap();
    let transaction = client.begin().await.unwrap();
    let mut guests = futures_util::stream::FuturesOrdered::new();
    for guest in 0..20 {
        let mut client = SqlClient::new(Arc::clone(&database));
        guests.push_back(async move {
            let text = if guest % 5 == 3 {
                "no".to_owned()
            } else {
                format!("{guest}")
            };
            client.query(insert, vec![Value::Text(text)]).await
        });
    }
    let mut guests = std::pin::pin!(guests.collect::<Vec<_>>());
    // They ask, in order, and are not answered while the transaction is open.
    let asked = std::future::poll_fn(|cx| Poll::Ready(guests.as_mut().poll(cx).is_pending()));
    assert!(asked.await);
    client.commit(transaction).await.unwrap();
    let outcomes = guests.await;
    client.durable().await.unwrap();
    assert_eq!(count(&mut client).await, Value::Integer(16));
    outcomes
}

#[tokio::test]
async fn rows_that_are_added_together_are_each_their_own() {
    let table = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT CHECK (a <> 'no'))";
    for insert in [
        "INSERT INTO t (a) VALUES (?) RETURNING a, id",
        "INSERT INTO t (a) VALUES (?) RETURNING a, id; ",
        "INSERT INTO t (a) VALUES (?) RETURNING a, id -- that is all",
    ] {
        let mut last = 0;
        for (guest, outcome) in add_together(table, insert).await.into_iter().enumerate() {
            if guest % 5 == 3 {
                assert!(
                    matches!(outcome, Err(SqlError::Constraint(_))),
                    "{outcome:?}"
                );
                continue;
            }
            let row = outcome.unwrap().rows.remove(0);
            last += 1;
            assert_eq!(row, [Value::Text(guest.to_string()), Value::Integer(last)]);
        }
    }
}
