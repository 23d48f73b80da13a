//! Claims about migrations that run, fail, meet and go back.

#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use rookery_lifecycle::Tasks;

use super::*;
use crate::sql::SqlClient;
use crate::sqlite::{Place, Sqlite};

async fn database() -> Arc<Sqlite> {
    let limits = SqlLimits::default();
    Sqlite::open(&Place::Memory, limits, &Tasks::new())
        .await
        .unwrap()
}

fn migration(number: u32, up: &str, down: &str) -> Migration {
    Migration {
        number,
        name: "step".to_owned(),
        up: up.to_owned(),
        down: Some(down.to_owned()),
    }
}

async fn tables(database: &Arc<Sqlite>) -> Vec<Value> {
    let mut client = SqlClient::new(Arc::clone(database) as Arc<dyn Database>);
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let rows = client.query(names, vec![]).await.unwrap();
    rows.rows.into_iter().flatten().collect()
}

fn names(names: &[&str]) -> Vec<Value> {
    names
        .iter()
        .map(|name| Value::Text((*name).to_owned()))
        .collect()
}

#[tokio::test]
async fn migrations_are_run_once_and_can_be_taken_back() {
    let database = database().await;
    let table = TableName::default();
    let have = [
        migration(
            1,
            "CREATE TABLE a (x); CREATE TABLE b (x);",
            "DROP TABLE a; DROP TABLE b",
        ),
        migration(2, "CREATE TABLE c (x)", "DROP TABLE c"),
    ];
    assert_eq!(
        up(&*database, &have, &table).await.unwrap(),
        ["0001_step", "0002_step"]
    );
    assert!(up(&*database, &have, &table).await.unwrap().is_empty());
    assert_eq!(
        tables(&database).await,
        names(&["a", "b", "c", "rookery_migrations"])
    );
    assert_eq!(
        down(&*database, &have, &table, 1).await.unwrap(),
        ["0002_step"]
    );
    assert_eq!(
        tables(&database).await,
        names(&["a", "b", "rookery_migrations"])
    );
    let status = status(&*database, &have, &table).await.unwrap();
    assert!(
        matches!(&status[..], [Status::Ran { .. }, Status::Pending { .. }]),
        "{status:?}"
    );
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_and_the_ones_before_it_stand() {
    let database = database().await;
    let table = TableName::default();
    let have = [
        migration(1, "CREATE TABLE a (x)", ""),
        migration(2, "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)", ""),
        migration(3, "CREATE TABLE c (x)", ""),
    ];
    let failed = up(&*database, &have, &table).await.unwrap_err();
    assert!(
        failed
            .to_string()
            .starts_with("migration 0002_step failed: no such table"),
        "{failed}"
    );
    assert_eq!(tables(&database).await, names(&["a", "rookery_migrations"]));
    let mended = [
        have[0].clone(),
        migration(2, "CREATE TABLE b (x)", ""),
        have[2].clone(),
    ];
    assert_eq!(
        up(&*database, &mended, &table).await.unwrap(),
        ["0002_step", "0003_step"]
    );
}

#[tokio::test]
async fn a_look_at_how_migrations_stand_makes_nothing() {
    let database = database().await;
    let have = [migration(1, "CREATE TABLE a (x)", "")];
    let table = TableName::parse("history").unwrap();
    let pending = status(&*database, &have, &table).await.unwrap();
    assert!(matches!(&pending[..], [Status::Pending { .. }]));
    assert!(tables(&database).await.is_empty());
    up(&*database, &have, &table).await.unwrap();
    assert_eq!(tables(&database).await, names(&["a", "history"]));
    let changed = [migration(1, "CREATE TABLE b (x)", "")];
    let changed = status(&*database, &changed, &table).await.unwrap();
    assert!(matches!(&changed[..], [Status::Changed { .. }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_go_back_at_once_only_one_takes_each_step() {
    let database = database().await;
    let table = TableName::default();
    let have: Arc<[Migration]> = (1..10)
        .map(|number| {
            let table = format!("t{number}");
            migration(
                number,
                &format!("CREATE TABLE {table} (x)"),
                &format!("DROP TABLE {table}"),
            )
        })
        .collect();
    up(&*database, &have, &table).await.unwrap();
    let runs = (0..2).map(|_| {
        let (database, have, table) = (Arc::clone(&database), Arc::clone(&have), table.clone());
        tokio::spawn(async move { down(&*database, &have, &table, 5).await })
    });
    for run in runs.collect::<Vec<_>>() {
        if let Err(error) = run.await.unwrap() {
            assert!(matches!(error, MigrateError::Raced { .. }), "{error}");
        }
    }
    let left = tables(&database).await.len() - 1;
    assert!(left <= 4, "somebody went all five steps");
    let ran = status(&*database, &have, &table).await.unwrap();
    let ran = ran
        .iter()
        .filter(|status| matches!(status, Status::Ran { .. }));
    assert_eq!(ran.count(), left);
}

#[tokio::test]
async fn a_script_cannot_end_its_transaction() {
    let database = database().await;
    let table = TableName::default();
    for script in [
        "COMMIT; CREATE TABLE a (x)",
        "CREATE TABLE a (x); PRAGMA user_version = 1",
    ] {
        let refused = up(&*database, &[migration(1, script, "")], &table).await;
        assert!(
            matches!(refused, Err(MigrateError::Failed { .. })),
            "{script}: {refused:?}"
        );
    }
    assert_eq!(tables(&database).await, names(&["rookery_migrations"]));
}

#[tokio::test]
async fn a_script_that_changed_since_is_refused() {
    let database = database().await;
    let table = TableName::default();
    up(
        &*database,
        &[migration(1, "CREATE TABLE a (x)", "")],
        &table,
    )
    .await
    .unwrap();
    let changed = up(
        &*database,
        &[migration(1, "CREATE TABLE b (x)", "")],
        &table,
    )
    .await;
    assert!(
        matches!(changed, Err(MigrateError::Changed { .. })),
        "{changed:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_migrate_at_once_one_does_and_both_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("data.db"));
    let have: Arc<[Migration]> = (1..20)
        .map(|number| migration(number, &format!("CREATE TABLE t{number} (x)"), ""))
        .collect();
    let runs = (0..2).map(|_| {
        let (place, have) = (place.clone(), Arc::clone(&have));
        tokio::spawn(async move {
            // As two servers over one file.
            let database = Sqlite::open(&place, SqlLimits::default(), &Tasks::new())
                .await
                .unwrap();
            up(&*database, &have, &TableName::default()).await
        })
    });
    let mut ran = Vec::new();
    for run in runs.collect::<Vec<_>>() {
        ran.extend(run.await.unwrap().unwrap());
    }
    ran.sort();
    let all: Vec<_> = have.iter().map(Migration::label).collect();
    assert_eq!(ran, all);
}
