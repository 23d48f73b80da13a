//! Durable writes a second: one writer with group commit, many who write; and keys.
#![allow(missing_docs)]

use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rookery_lifecycle::Tasks;
use rookery_storage::{
    BucketLimits, Database, KeyTable, Place, SqlClient, SqlLimits, Sqlite, Value,
};
use tokio::runtime::Runtime;

/// As many events as one invocation has at most.
const BATCH: u64 = 64;

async fn open(folder: &tempfile::TempDir) -> Arc<Sqlite> {
    let place = Place::File(folder.path().join("data.db"));
    let limits = SqlLimits::default();
    let database = Sqlite::open(&place, limits, &Tasks::new())
        .await
        .expect("it opens");
    let mut client = SqlClient::new(Arc::clone(&database) as Arc<dyn Database>);
    let table = "CREATE TABLE messages (id INTEGER PRIMARY KEY, room TEXT, body TEXT)";
    client.execute(table, vec![]).await.expect("a table");
    client.durable().await.expect("durable");
    database
}

/// What a guest asks for with each row.
#[derive(Clone, Copy)]
enum Wants {
    Nothing,
    ItsNumber,
}

async fn invocation(database: Arc<Sqlite>, writes: u64, wants: Wants) {
    let mut client = SqlClient::new(database);
    for _ in 0..writes {
        let values = vec![Value::Text("room".to_owned()), Value::Text("x".repeat(100))];
        match wants {
            Wants::Nothing => {
                let insert = "INSERT INTO messages (room, body) VALUES (?, ?)";
                client.execute(insert, values).await.expect("a row");
            }
            Wants::ItsNumber => {
                let insert = "INSERT INTO messages (room, body) VALUES (?, ?) RETURNING id";
                client.query(insert, values).await.expect("a row");
            }
        }
    }
    client.durable().await.expect("durable");
}

fn writes(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let database = runtime.block_on(open(&folder));
    let mut group = criterion.benchmark_group("durable writes");
    group.sample_size(20);
    for (name, invocations, writes, wants) in [
        ("one alone", 1, 1, Wants::Nothing),
        ("a batch of 64", 1, BATCH, Wants::Nothing),
        (
            "a batch of 64 that asks for numbers",
            1,
            BATCH,
            Wants::ItsNumber,
        ),
        ("10 invocations of 64 at once", 10, BATCH, Wants::Nothing),
        ("10 that ask for numbers", 10, BATCH, Wants::ItsNumber),
        ("64 invocations of one at once", 64, 1, Wants::Nothing),
    ] {
        group.throughput(Throughput::Elements(invocations * writes));
        group.bench_function(name, |bencher| {
            bencher.to_async(&runtime).iter(|| async {
                let all = (0..invocations)
                    .map(|_| tokio::spawn(invocation(Arc::clone(&database), writes, wants)))
                    .collect::<Vec<_>>();
                for one in all {
                    one.await.expect("it writes");
                }
            });
        });
    }
    group.finish();
}

/// Keys in the database: each write reads the key's row and the total, decides, and writes both.
fn keys(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let database: Arc<dyn Database> = runtime.block_on(open(&folder));
    let keys = KeyTable::new(Arc::clone(&database), BucketLimits::default());
    let mut group = criterion.benchmark_group("durable keys");
    group.sample_size(20);
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function("a batch of 64", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let mut client = SqlClient::new(Arc::clone(&database));
            for nth in 0..BATCH {
                let key = format!("key/{nth}");
                let value = vec![0; 100].into();
                keys.set(&mut client, &key, value).await.expect("a key");
            }
            client.durable().await.expect("durable");
        });
    });
    group.finish();
}

criterion_group!(benches, writes, keys);
criterion_main!(benches);
