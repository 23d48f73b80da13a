//! Walls: what a process behind them cannot reach, and what it still can.

use std::sync::Arc;

use rookery_pool::Pool;
use serde_json::json;

use crate::house::{FIXTURE, House, ask, parent};

/// A server behind walls, or why this system cannot build them.
async fn walled(house: &House) -> Result<Arc<Pool>, String> {
    let manifest = json!({"command": [FIXTURE, "serve", "--socket"], "isolation": "strict"});
    match house.prepare(manifest.clone()).await {
        Ok(_) => Ok(house.pool(manifest).await),
        Err(refused) => Err(refused.to_string()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_process_is_kept_in_or_its_bundle_is_refused() {
    let house = House::new();
    let pool = match walled(&house).await {
        Ok(pool) => pool,
        Err(refused) => {
            // Never silently weaker: the reason says what this system does not give.
            assert!(refused.contains("isolation \"strict\" needs"), "{refused}");
            return;
        }
    };
    let outside = house.folder().join("secret");
    std::fs::write(&outside, "nobody's business").unwrap();
    let read = ask(&pool, &format!("/read{}", outside.display()))
        .await
        .unwrap();
    assert!(read.starts_with("error"), "{read}");
    let bundle = house.bundle(json!({})).dir.clone();
    let manifest = bundle.join("worker.config.json");
    let read = ask(&pool, &format!("/read{}", manifest.display()))
        .await
        .unwrap();
    assert!(
        read.contains("isolation") || read.contains("command"),
        "{read}"
    );
    let write = ask(&pool, &format!("/write{}/new", bundle.display()))
        .await
        .unwrap();
    assert!(write.starts_with("error"), "{write}");
    let worker = house.workers().pop().unwrap();
    let write = ask(&pool, &format!("/write{}/tmp/new", worker.display()))
        .await
        .unwrap();
    assert_eq!(write, "written");

    // Those of the guard, which are its own, and of the server.
    let guard = parent(ask(&pool, "/answer").await.unwrap().parse().unwrap());
    for outside in [guard, std::process::id()] {
        let read = ask(&pool, &format!("/read/proc/{outside}/environ"))
            .await
            .unwrap();
        assert!(read.starts_with("error"), "{read}");
    }

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connected = ask(&pool, &format!("/connect/{address}")).await.unwrap();
    assert!(connected.starts_with("error"), "{connected}");
    let interfaces = ask(&pool, "/interfaces").await.unwrap();
    let names: Vec<_> = interfaces
        .lines()
        .skip(2)
        .filter_map(|line| line.split(':').next())
        .collect();
    assert!(
        names
            .iter()
            .all(|name| name.trim() == "lo" || name.contains("tunl") || name.contains("sit")),
        "{names:?}"
    );
}
