//! What every database has to do, as checks that an implementer's tests call with a database of its own.
//!
//! **Invariant:** nothing here knows which database it is.

#![allow(clippy::unwrap_used)]

pub mod keys;

use std::future::Future;
use std::sync::Arc;

use crate::error::SqlError;
use crate::sql::{Database, Decide, Done, SqlClient, Statement, Value};

/// Runs all checks, each against an empty database.
pub async fn check<F: Future<Output = Arc<dyn Database>>>(make: impl Fn() -> F) {
    values_come_back_as_they_went(make().await).await;
    a_failed_write_changes_nothing_and_names_the_constraint(make().await).await;
    a_batch_is_applied_whole_or_not_at_all(make().await).await;
    an_invocation_sees_what_it_wrote(make().await).await;
    what_was_dropped_is_undone(make().await).await;
    a_transaction_keeps_what_it_committed(make().await).await;
    too_much_is_refused_and_changes_nothing(make().await).await;
    a_result_has_as_many_bytes_as_it_may(make().await).await;
    counts_are_of_the_statement_that_was_asked(make().await).await;
    a_change_is_decided_with_what_it_read_in_sight(make().await).await;
    a_script_without_its_lock_does_nothing(make().await).await;
    writers_at_once_lose_nothing(make().await).await;
}

async fn ready(database: Arc<dyn Database>) -> SqlClient {
    let mut client = SqlClient::new(database);
    let table = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE)";
    client.execute(table, vec![]).await.unwrap();
    client.durable().await.unwrap();
    client
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

async fn add(client: &mut SqlClient, body: &str) -> Result<u64, SqlError> {
    let insert = "INSERT INTO notes (body) VALUES (?)";
    let done = client.execute(insert, vec![text(body)]).await?;
    Ok(done.rows_affected)
}

async fn bodies(client: &mut SqlClient) -> Vec<Value> {
    let rows = client
        .query("SELECT body FROM notes ORDER BY id", vec![])
        .await;
    rows.unwrap().rows.into_iter().flatten().collect()
}

async fn values_come_back_as_they_went(database: Arc<dyn Database>) {
    let mut client = SqlClient::new(database);
    let table = "CREATE TABLE kinds (i BIGINT, r REAL, t TEXT, b BLOB, n TEXT, yes BOOLEAN)";
    client.execute(table, vec![]).await.unwrap();
    let values = vec![
        Value::Integer(i64::MIN),
        Value::Real(1.5),
        text("größer ' \" ; ?"),
        Value::Blob(vec![0, 255]),
        Value::Null,
        Value::Boolean(true),
    ];
    let insert = "INSERT INTO kinds VALUES (?, ?, ?, ?, ?, ?)";
    client.execute(insert, values.clone()).await.unwrap();
    client.durable().await.unwrap();
    let rows = client.query("SELECT * FROM kinds", vec![]).await.unwrap();
    assert_eq!(
        *rows.columns,
        ["i", "r", "t", "b", "n", "yes"].map(String::from)
    );
    assert_eq!(rows.rows, [values]);
    let none = client
        .query("SELECT i FROM kinds WHERE i = ?", vec![Value::Integer(0)])
        .await;
    assert!(none.unwrap().rows.is_empty());
}

async fn a_failed_write_changes_nothing_and_names_the_constraint(database: Arc<dyn Database>) {
    let mut client = ready(database).await;
    assert_eq!(add(&mut client, "one").await, Ok(1));
    let twice = add(&mut client, "one").await.unwrap_err();
    assert!(
        matches!(&twice, SqlError::Constraint(what) if what.contains("body")),
        "{twice:?}"
    );
    let both = "INSERT INTO notes (body) VALUES ('two'), ('one')";
    assert!(client.execute(both, vec![]).await.is_err());
    for nonsense in ["SELEC", "SELECT nothing FROM nowhere", "SELECT ?"] {
        let refused = client.query(nonsense, vec![]).await.unwrap_err();
        assert!(
            matches!(refused, SqlError::Syntax(_)),
            "{nonsense}: {refused:?}"
        );
    }
    assert_eq!(bodies(&mut client).await, [text("one")]);
}

async fn a_batch_is_applied_whole_or_not_at_all(database: Arc<dyn Database>) {
    let mut client = ready(database).await;
    let insert = |body: &str| {
        let sql = "INSERT INTO notes (body) VALUES (?)".to_owned();
        (sql, vec![text(body)])
    };
    let fails = client
        .batch(vec![insert("a"), insert("b"), insert("a")])
        .await;
    assert!(matches!(fails, Err(SqlError::Constraint(_))), "{fails:?}");
    assert!(bodies(&mut client).await.is_empty());
    let done = client.batch(vec![insert("a"), insert("b")]).await.unwrap();
    assert_eq!(
        done.iter()
            .map(|done| done.rows_affected)
            .collect::<Vec<_>>(),
        [1, 1]
    );
    client.durable().await.unwrap();
    assert_eq!(bodies(&mut client).await, [text("a"), text("b")]);
}

async fn an_invocation_sees_what_it_wrote(database: Arc<dyn Database>) {
    let mut client = ready(database).await;
    add(&mut client, "mine").await.unwrap();
    assert_eq!(
        bodies(&mut client).await,
        [text("mine")],
        "before it is durable"
    );
    let returning = "DELETE FROM notes RETURNING body";
    let rows = client.query(returning, vec![]).await.unwrap();
    assert_eq!(rows.rows, [[text("mine")]]);
    assert!(bodies(&mut client).await.is_empty());
    client.durable().await.unwrap();
    assert!(bodies(&mut client).await.is_empty());
}

async fn what_was_dropped_is_undone(database: Arc<dyn Database>) {
    let mut client = ready(database).await;
    let mut transaction = client.begin().await.unwrap();
    let insert = client
        .statement("INSERT INTO notes (body) VALUES ('x')", vec![])
        .unwrap();
    transaction.execute(insert.clone()).await.unwrap();
    drop(transaction);
    let mut transaction = client.begin().await.unwrap();
    transaction.execute(insert).await.unwrap();
    transaction.rollback().await.unwrap();
    assert!(bodies(&mut client).await.is_empty());
}

async fn a_transaction_keeps_what_it_committed(database: Arc<dyn Database>) {
    let mut client = ready(database).await;
    let mut transaction = client.begin().await.unwrap();
    for body in ["x", "x", "y"] {
        let insert = "INSERT INTO notes (body) VALUES (?)";
        let insert = client.statement(insert, vec![text(body)]).unwrap();
        // A step that fails ends nothing but itself.
        let _ = transaction.execute(insert).await;
    }
    let count = client
        .statement("SELECT count(*) FROM notes", vec![])
        .unwrap();
    let rows = transaction.query(count).await.unwrap();
    assert_eq!(rows.rows, [[Value::Integer(2)]]);
    client.commit(transaction).await.unwrap();
    client.durable().await.unwrap();
    assert_eq!(bodies(&mut client).await, [text("x"), text("y")]);
}

async fn too_much_is_refused_and_changes_nothing(database: Arc<dyn Database>) {
    let limits = *database.limits();
    let mut client = ready(database).await;
    let long = "x".repeat(limits.statement_bytes_max);
    let long = client.query(&format!("SELECT '{long}'"), vec![]).await;
    assert_eq!(long, Err(SqlError::TooLarge));
    let many = vec![Value::Null; limits.values_max + 1];
    let many = client.query("SELECT 1", many).await;
    assert_eq!(many, Err(SqlError::TooLarge));
    let batch = vec![("SELECT 1".to_owned(), vec![]); limits.batch_max + 1];
    assert_eq!(client.batch(batch).await, Err(SqlError::TooLarge));
    let large = Value::Blob(vec![0; limits.value_bytes_max + 1]);
    let large = client.query("SELECT ?", vec![large]).await;
    assert_eq!(large, Err(SqlError::TooLarge));
    let counting = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= {})",
        limits.rows_max
    );
    let rows = client
        .query(&format!("{counting} SELECT i FROM n"), vec![])
        .await;
    assert_eq!(rows, Err(SqlError::TooLarge));
    let writes = format!("{counting} INSERT INTO notes (body) SELECT i FROM n RETURNING id");
    let writes = client.query(&writes, vec![]).await;
    assert_eq!(writes, Err(SqlError::TooLarge));
    assert!(bodies(&mut client).await.is_empty());
    assert_eq!(add(&mut client, "still here").await, Ok(1));
}

async fn a_result_has_as_many_bytes_as_it_may(database: Arc<dyn Database>) {
    let limits = *database.limits();
    let mut client = ready(database).await;
    let half = Value::Text("x".repeat(limits.result_bytes_max / 2));
    let both = client
        .query("SELECT ?, ?", vec![half.clone(), half.clone()])
        .await;
    assert!(both.is_ok());
    let more = vec![half.clone(), half, text("!")];
    let more = client.query("SELECT ?, ?, ?", more).await;
    assert_eq!(more, Err(SqlError::TooLarge));
}

async fn counts_are_of_the_statement_that_was_asked(database: Arc<dyn Database>) {
    let mut client = ready(database).await;
    let three = "INSERT INTO notes (body) VALUES ('a'), ('b'), ('c')";
    let done = client.execute(three, vec![]).await.unwrap();
    assert_eq!(done.rows_affected, 3);
    let index = client.execute("CREATE INDEX of_body ON notes (body)", vec![]);
    assert_eq!(index.await, Ok(Done::default()), "a schema has no rows");
    let update = "UPDATE notes SET body = body || '!' WHERE id > ?";
    let update = client.execute(update, vec![Value::Integer(1)]);
    let two = Done {
        rows_affected: 2,
        last_insert_id: None,
    };
    assert_eq!(update.await, Ok(two), "nothing was inserted");
    let again = "INSERT INTO notes (body) VALUES ('a') ON CONFLICT DO NOTHING";
    let again = client.execute(again, vec![]).await;
    assert_eq!(again, Ok(Done::default()));
    let batch = ["DELETE FROM notes WHERE id = 1", "DELETE FROM notes"];
    let batch = batch.map(|sql| (sql.to_owned(), vec![]));
    let done = client.batch(batch.to_vec()).await.unwrap();
    assert_eq!(
        done.iter().map(|d| d.rows_affected).collect::<Vec<_>>(),
        [1, 2]
    );
}

async fn a_change_is_decided_with_what_it_read_in_sight(database: Arc<dyn Database>) {
    let limits = *database.limits();
    let mut client = ready(database).await;
    let count = || Statement::new("SELECT count(*) FROM notes", vec![], &limits).unwrap();
    for expected in [1, 2] {
        let decide: Decide = Arc::new(move |rows| {
            let sql = "INSERT INTO notes (id, body) SELECT ? + 1, ?";
            let values = vec![rows.rows[0][0].clone(), text(&format!("{expected}"))];
            vec![Statement::new(sql, values, &limits).unwrap()]
        });
        let done = client.change(count(), decide).await.unwrap();
        assert_eq!(done[0].rows_affected, 1);
    }
    let fails: Decide = Arc::new(move |_| {
        let statement = |sql| Statement::new(sql, vec![], &limits).unwrap();
        vec![
            statement("DELETE FROM notes"),
            statement("INSERT INTO notes (id, body) VALUES (9, 'x'), (9, 'y')"),
        ]
    });
    let failed = client.change(count(), fails).await;
    assert!(matches!(failed, Err(SqlError::Constraint(_))), "{failed:?}");
    assert_eq!(bodies(&mut client).await, [text("1"), text("2")]);
}

async fn a_script_without_its_lock_does_nothing(database: Arc<dyn Database>) {
    let limits = *database.limits();
    let mut client = ready(Arc::clone(&database)).await;
    add(&mut client, "here").await.unwrap();
    let script = || {
        let all = [
            "DELETE FROM notes WHERE body = 'here'",
            "CREATE TABLE made (a BIGINT)",
        ];
        all.map(|sql| Statement::new(sql, vec![], &limits).unwrap())
    };
    let applied = database.script(script().to_vec()).await.unwrap();
    applied.durable.wait().await.unwrap();
    client
        .execute("DROP TABLE made", vec![])
        .await
        .expect("it was made");
    let again = database.script(script().to_vec()).await;
    assert_eq!(again.map(drop), Err(SqlError::Conflict));
    let made = client.query("SELECT * FROM made", vec![]).await;
    assert!(matches!(made, Err(SqlError::Syntax(_))), "{made:?}");
}

async fn writers_at_once_lose_nothing(database: Arc<dyn Database>) {
    drop(ready(Arc::clone(&database)).await);
    let writers = (0..20_u32).map(|writer| {
        let database = Arc::clone(&database);
        tokio::spawn(async move {
            let mut client = SqlClient::new(database);
            for nth in 0..10 {
                add(&mut client, &format!("{writer}/{nth}")).await.unwrap();
                // Everybody fails now and then, and nobody else notices.
                assert!(add(&mut client, &format!("{writer}/{nth}")).await.is_err());
            }
            client.durable().await.unwrap();
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let mut client = SqlClient::new(database);
    assert_eq!(bodies(&mut client).await.len(), 200);
}
