//! Claims about what waits for a write, and for how long.

#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use rookery_bundle::{AppName, Expect};
use rookery_hub::{Hub, HubConfig};
use rookery_lifecycle::Shutdown;
use rookery_storage::{BucketLimits, Databases, Rows, SqlError, SqlLimits, Stores};

use super::*;
use crate::guest::{Guest, Services};
use crate::sql::GuestSql;

fn guest() -> Arc<Guest> {
    guest_of(SqlLimits::default())
}

fn guest_of(limits: SqlLimits) -> Arc<Guest> {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    write("worker.config.json", r#"{"version": "1.0.0"}"#);
    write("app.wasm", "not looked at");
    let expect = Expect {
        name: AppName::parse("test").unwrap(),
        version: None,
    };
    let bundle = rookery_bundle::open(folder.path(), expect).unwrap();
    let tasks = Tasks::new();
    let databases = Databases::in_memory(limits, &tasks);
    let services = Services {
        hub: Hub::new(HubConfig::default(), &tasks, Shutdown::new()),
        stores: Arc::new(Stores::new(BucketLimits::default(), databases)),
        environment: Arc::new(BTreeMap::new()),
    };
    Guest::new(Arc::new(bundle), &services)
}

/// One invocation.
struct Invocation {
    hub: GuestHub,
    sql: GuestSql,
    outgoing: Outgoing,
}

impl Invocation {
    async fn of(guest: &Guest) -> Invocation {
        let outgoing = Outgoing::new(guest.tasks());
        Invocation {
            hub: guest.hub(),
            sql: guest.sql(&outgoing).await.unwrap(),
            outgoing,
        }
    }

    async fn write(&mut self, sql: &str) {
        self.sql.execute(&mut self.hub, sql, vec![]).await.unwrap();
    }
}

fn waits<T>(future: Pin<&mut impl Future<Output = T>>) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    future.poll(&mut context).is_pending()
}

#[tokio::test]
async fn a_piece_waits_for_what_was_written_before_it_also_when_the_invocation_is_over() {
    let guest = guest();
    let mut writes = Invocation::of(&guest).await;
    writes.write("CREATE TABLE t (a BIGINT)").await;
    assert!(writes.outgoing.take().unwrap().settle().await);
    assert!(writes.outgoing.piece().is_none());
    // A transaction before the write and one behind it: so the write is applied, and its group stays open.
    let (mut before, mut behind) = (Invocation::of(&guest).await, Invocation::of(&guest).await);
    let first = before.sql.begin().await.unwrap();
    let second = {
        let mut write = pin!(writes.write("INSERT INTO t VALUES (1)"));
        let mut second = pin!(behind.sql.begin());
        assert!(waits(write.as_mut()) && waits(second.as_mut()));
        drop(first);
        write.await;
        second.await.unwrap()
    };
    let body = writes.outgoing.clone();
    let mut piece = pin!(body.piece().unwrap().settle());
    assert!(waits(piece.as_mut()));
    writes.outgoing.finish();
    let mut late = pin!(body.piece().unwrap().settle());
    assert!(waits(late.as_mut()));
    assert!(
        writes.outgoing.piece().is_none(),
        "the next invocation owes nothing"
    );
    second.rollback().await.unwrap();
    assert!(piece.await && late.await);
    assert!(body.piece().is_none());
}

#[tokio::test]
async fn what_a_stopped_invocation_said_is_kept_when_what_it_wrote_is() {
    let guest = guest();
    let mut writes = Invocation::of(&guest).await;
    writes.write("CREATE TABLE t (a BIGINT)").await;
    let holds = writes.hub.holds();
    assert_eq!(holds.len(), 1);
    drop(writes);
    assert_eq!(holds[0].settled().await, Outcome::Kept);
}

#[tokio::test]
async fn nothing_that_was_said_after_a_lost_write_goes() {
    let limits = SqlLimits {
        result_bytes_max: 1000,
        ..SqlLimits::default()
    };
    let guest = guest_of(limits);
    let mut writes = Invocation::of(&guest).await;
    let table = "CREATE TABLE t (a BIGINT, b BLOB DEFAULT (zeroblob(2000)))";
    writes.write(table).await;
    assert!(writes.outgoing.take().unwrap().settle().await);
    // A transaction before the write and, behind it, one that undoes its group: so the write is applied, and lost.
    let (mut before, mut behind) = (Invocation::of(&guest).await, Invocation::of(&guest).await);
    let first = before.sql.begin().await.unwrap();
    {
        let insert = "INSERT INTO t (a) VALUES (1)";
        let too_large = [insert, " RETURNING b"].concat();
        let mut write = pin!(writes.write(insert));
        let mut undoes = pin!(ask(&mut behind.sql, &mut behind.hub, &too_large));
        assert!(waits(write.as_mut()) && waits(undoes.as_mut()));
        drop(first);
        write.await;
        assert_eq!(undoes.await, Err(SqlError::TooLarge));
    }
    let head = writes.outgoing.take().unwrap();
    assert!(!head.settle().await);
    for _ in 0..2 {
        let piece = writes.outgoing.piece().unwrap();
        assert!(!piece.settle().await);
    }
}

#[tokio::test]
async fn keys_in_the_database_are_owed_as_statements_are() {
    let guest = guest();
    let mut writes = Invocation::of(&guest).await;
    let Invocation { hub, sql, outgoing } = &mut writes;
    sql.set_key(hub, "a", "1".into()).await.unwrap();
    assert_eq!(sql.get_key(hub, "a").await, Ok(Some("1".into())));
    assert!(outgoing.take().unwrap().settle().await);
    assert_eq!(sql.increment_key(hub, "a", 2).await, Ok(3));
    assert!(outgoing.take().unwrap().settle().await);
    let mut reads = Invocation::of(&guest).await;
    let found = reads.sql.get_key(&mut reads.hub, "a").await;
    assert_eq!(found, Ok(Some("3".into())));
}

async fn ask(sql: &mut GuestSql, hub: &mut GuestHub, text: &str) -> Result<Rows, SqlError> {
    let statement = sql.statement(text, vec![])?;
    sql.query(hub, statement).await
}

#[tokio::test]
async fn while_a_transaction_is_open_its_invocation_speaks_through_it_alone() {
    let guest = guest();
    let mut writes = Invocation::of(&guest).await;
    writes.write("CREATE TABLE t (a BIGINT)").await;
    let Invocation { hub, sql, .. } = &mut writes;
    let mut transaction = sql.begin().await.unwrap();
    let refused = ask(sql, hub, "SELECT 1").await.unwrap_err();
    assert!(refused.to_string().contains("is open"), "{refused}");
    assert!(sql.begin().await.is_err());
    assert!(sql.set_key(hub, "a", "1".into()).await.is_err());
    let insert = sql.statement("INSERT INTO t VALUES (1)", vec![]).unwrap();
    transaction.execute(insert).await.unwrap();
    sql.commit(hub, transaction).await.unwrap();
    let rows = ask(sql, hub, "SELECT a FROM t").await.unwrap();
    assert_eq!(rows.rows.len(), 1);
    drop(sql.begin().await.unwrap());
    assert!(ask(sql, hub, "SELECT 1").await.is_ok());
}

#[tokio::test]
async fn a_transaction_ends_with_its_invocation() {
    let guest = guest();
    let mut first = Invocation::of(&guest).await;
    first.write("CREATE TABLE t (a BIGINT)").await;
    let mut transaction = first.sql.begin().await.unwrap();
    let insert = first.sql.statement("INSERT INTO t VALUES (1)", vec![]);
    let insert = insert.unwrap();
    transaction.execute(insert.clone()).await.unwrap();
    drop(first);
    // Somebody keeps a handle, and nobody waits for that.
    let mut second = Invocation::of(&guest).await;
    second.write("INSERT INTO t VALUES (2)").await;
    let Invocation { hub, sql, .. } = &mut second;
    let rows = ask(sql, hub, "SELECT a FROM t").await.unwrap();
    assert_eq!(rows.rows, [[rookery_storage::Value::Integer(2)]]);
    let late = transaction.execute(insert).await.unwrap_err();
    assert!(late.to_string().contains("ended"), "{late}");
}
