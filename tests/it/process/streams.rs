//! Bodies that go through a process piece by piece, and clients that leave.

use bytes::Bytes;
use rookery_tests::{Apps, Events, Server, until};
use serde_json::json;

use super::stage::{RUNTIMES, every_runtime, script_with, seen};

const MIB: usize = 1024 * 1024;
/// How much is uploaded, in MiB, unless this variable says otherwise: 1024 takes a while.
const UPLOAD: &str = "UPLOAD_MIB";
const UPLOAD_MIB: usize = 256;

/// Buntime 36. Each event is made only after the one before was read: if anything on the way waited for more, this would
/// wait for ever.
#[tokio::test]
async fn events_arrive_one_by_one_as_they_are_made() {
    let server = every_runtime().await;
    for app in RUNTIMES {
        let mut events = Events::of(server.call("GET", &format!("/{app}/events")).open().await);
        assert_eq!(events.next().await.as_deref(), Some("hello"), "{app}");
        for number in 0..20 {
            let text = format!("event {number}");
            let told = server
                .call("POST", &format!("/{app}/tell"))
                .body(text.clone())
                .send()
                .await;
            assert_eq!(told.text(), "1", "{app}");
            assert_eq!(events.next().await, Some(text), "{app}");
        }
    }
}

/// Buntime 36.
#[tokio::test]
async fn an_app_learns_that_its_client_has_left() {
    let server = every_runtime().await;
    for app in RUNTIMES {
        let waiting = tokio::spawn(server.call("GET", &format!("/{app}/wait")).try_send());
        until("the request is with the app", async || {
            (seen(&server, app, "waiting").await == 1).then_some(())
        })
        .await;
        assert_eq!(seen(&server, app, "aborted").await, 0, "{app}");
        waiting.abort();
        until(
            &format!("{app} sees its request's signal abort"),
            async || (seen(&server, app, "aborted").await == 1).then_some(()),
        )
        .await;

        let mut events = Events::of(server.call("GET", &format!("/{app}/events")).open().await);
        assert_eq!(events.next().await.as_deref(), Some("hello"), "{app}");
        assert_eq!(seen(&server, app, "cancelled").await, 0, "{app}");
        drop(events);
        until(&format!("{app} sees its stream cancelled"), async || {
            (seen(&server, app, "cancelled").await == 1).then_some(())
        })
        .await;
    }
}

/// The client is told, by a body that does not end as it should, and the process goes on.
#[tokio::test]
async fn an_answer_that_breaks_off_is_seen_to_break_off() {
    let server = every_runtime().await;
    for app in RUNTIMES {
        let mut answer = server.call("GET", &format!("/{app}/breaks")).open().await;
        let mut text = Vec::new();
        let ended = loop {
            match answer.try_chunk().await {
                Some(Ok(piece)) => text.extend_from_slice(&piece),
                ended => break ended,
            }
        };
        assert_eq!(text, b"half of it", "{app}");
        assert!(ended.is_some_and(|ended| ended.is_err()), "{app}");
        assert_eq!(server.get(&format!("/{app}/count")).await.text(), "1");
    }
}

/// Buntime 37. The server, not the app, is measured: what an app reads it may keep.
#[tokio::test]
async fn an_upload_goes_through_the_server_in_little_memory() {
    let mebibytes = std::env::var(UPLOAD).map_or(UPLOAD_MIB, |text| text.parse().unwrap());
    let manifest = json!({ "maxBodySize": "2gb", "memory": "4gb", "timeout": 600 });
    let apps = RUNTIMES.iter().fold(Apps::new(), |apps, runtime| {
        apps.with(
            &format!("{runtime}/1.0.0"),
            script_with(runtime, manifest.clone()),
        )
    });
    let server = Server::start(apps).await;
    for app in RUNTIMES {
        // Everything that is made once is made before it is measured.
        let call = server.call("POST", &format!("/{app}/size"));
        assert_eq!(call.body("four").send().await.text(), "4");
        let before = server.memory_peak_bytes();
        let (mut upload, call) = server.call("POST", &format!("/{app}/size")).upload();
        let sending = tokio::spawn(async move {
            let piece = Bytes::from(vec![b'p'; MIB]);
            for _ in 0..mebibytes {
                assert!(upload.send(piece.clone()).await);
            }
        });
        let answer = call.send().await;
        sending.await.unwrap();
        assert_eq!(answer.text(), (mebibytes * MIB).to_string(), "{app}");
        let grown = server.memory_peak_bytes() - before;
        assert!(
            grown < 64 * MIB as u64,
            "{app}: grew by {} MiB",
            grown / MIB as u64
        );
    }
}

/// Buntime 37.
#[tokio::test]
async fn an_upload_that_is_too_large_is_413() {
    let manifest = json!({ "maxBodySize": "1kb" });
    let apps = Apps::new().with("bun/1.0.0", script_with("bun", manifest));
    let server = Server::start(apps).await;
    let call = server.call("POST", "/bun/size").body(vec![0; 1025]);
    assert_eq!(call.send().await.status, 413);
    let (mut upload, call) = server.call("POST", "/bun/size").upload();
    let sending = tokio::spawn(async move { while upload.send(vec![0; 500]).await {} });
    assert_eq!(call.send().await.status, 413);
    sending.await.unwrap();
    let call = server.call("POST", "/bun/size").body(vec![0; 1024]);
    assert_eq!(call.send().await.text(), "1024");
}
