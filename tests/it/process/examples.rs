//! The examples of hosted servers, as they lie in the repository.

use std::process::Command;

use rookery_tests::{
    Apps, Bundle, Connect, Events, Server, Ws, binary, installed, repository, rookery,
};
use serde_json::{Value, json};

fn example(name: &str) -> Bundle {
    Bundle::of_folder(&repository().join("examples").join(name))
}

async fn serving(name: &str, bundle: Bundle) -> Server {
    Server::start(Apps::new().with(name, bundle)).await
}

#[tokio::test]
async fn the_board_keeps_notes_and_tells_everybody() {
    installed("bun");
    let server = serving("bun-routes", example("bun-routes")).await;
    let mut ada = Ws::open(&server, "/bun-routes/ws?name=ada").await;
    let mut bob = Ws::open(&server, "/bun-routes/ws?name=bob").await;
    for reader in [&mut ada, &mut bob] {
        assert_eq!(reader.hear_json().await, json!([]));
    }
    let note = json!({ "id": 1, "by": "cleo", "text": "hello" });
    let posted = server
        .call("POST", "/bun-routes/notes")
        .body(json!({ "by": "cleo", "text": "hello" }).to_string())
        .send()
        .await;
    assert_eq!((posted.status.as_u16(), posted.json()), (201, note.clone()));
    for reader in [&mut ada, &mut bob] {
        assert_eq!(reader.hear_json().await, note);
    }
    ada.say("from a socket").await;
    let second = json!({ "id": 2, "by": "ada", "text": "from a socket" });
    for reader in [&mut ada, &mut bob] {
        assert_eq!(reader.hear_json().await, second);
    }
    assert_eq!(server.get("/bun-routes/notes/2").await.json(), second);
    let removed = server.call("DELETE", "/bun-routes/notes/1").send().await;
    assert_eq!(removed.status, 204);
    assert_eq!(server.get("/bun-routes/notes/1").await.status, 404);
    assert_eq!(
        server.get("/bun-routes/notes").await.json(),
        json!([second])
    );
    let put = server.call("PUT", "/bun-routes/notes").send().await;
    assert_eq!(put.status, 405);
    bob.say("bye").await;
    assert_eq!(bob.ended().await.code, 4000);
    assert_eq!(server.get("/bun-routes/ws").await.status, 426);
    let elsewhere = Connect::to(&server, "/bun-routes/elsewhere");
    assert_eq!(elsewhere.refused().await, 404);
}

#[tokio::test]
async fn hono_is_served_as_it_is_exported() {
    let hono = repository().join("examples/hono/node_modules/hono");
    assert!(hono.is_dir(), "Hono is not there: tests/run installs it");
    for runtime in ["bun", "deno", "node"] {
        installed(runtime);
    }
    // The same app, as each of the three would run it; Node is given what the types leave when they are gone.
    let script = std::fs::read_to_string(repository().join("examples/hono/index.ts")).unwrap();
    let of = |runtime: &str| {
        let manifest = json!({ "runtime": runtime, "ttl": 600, "entrypoint": "index.mjs" });
        example("hono")
            .file("index.mjs", script.clone())
            .manifest(manifest)
    };
    let apps = Apps::new()
        .with("hono", example("hono"))
        .with("deno/1.0.0", of("deno"))
        .with("node/1.0.0", of("node"));
    let server = Server::start(apps).await;
    for app in ["hono", "deno", "node"] {
        let page = server.get(&format!("/{app}/")).await;
        assert!(
            page.text().contains(&format!("href=\"/{app}/hello/ada\"")),
            "{}",
            page.text()
        );
        let hello = server.get(&format!("/{app}/hello/bob")).await;
        assert_eq!(hello.json(), json!({ "hello": "bob" }));
        let echo = server
            .call("POST", &format!("/{app}/echo"))
            .header("content-type", "application/json")
            .body("[1]")
            .send()
            .await;
        assert_eq!((echo.status.as_u16(), echo.text()), (201, "[1]"), "{app}");
        let ticks = server.call("GET", &format!("/{app}/ticks/3"));
        let mut ticks = Events::of(ticks.open().await);
        for tick in ["1", "2", "3"] {
            assert_eq!(ticks.next().await.as_deref(), Some(tick), "{app}");
        }
        assert_eq!(ticks.next().await, None, "{app}");
        let refused = server.get(&format!("/{app}/ticks/many")).await;
        assert_eq!(refused.status, 400, "{app}");
        assert_eq!(server.get(&format!("/{app}/none")).await.status, 404);
    }
}

/// What `rookery new` makes is served as it was made.
#[tokio::test]
async fn a_new_script_answers() {
    installed("bun");
    let apps = Apps::new();
    let new = Command::new(rookery())
        .args(["new", "greeter", "--kind", "typescript"])
        .args(["--dir".as_ref(), apps.dir().as_os_str()])
        .output()
        .unwrap();
    assert!(new.status.success(), "{new:?}");
    let server = Server::start(apps).await;
    assert_eq!(server.get("/greeter/").await.text(), "Hello from greeter!");
    assert_eq!(server.get("/greeter/none").await.status, 404);
}

#[tokio::test]
async fn the_node_server_is_told_where_it_is() {
    installed("node");
    let server = serving("node-server", example("node-server")).await;
    let page = server.get("/node-server/").await;
    assert!(page.text().contains("Visit 1."), "{}", page.text());
    assert!(page.text().contains("href=\"/node-server/time\""));
    let time = server.get("/node-server/time").await.json();
    assert_eq!(time["base"], "/node-server");
    let body = vec![7; 1_000_000];
    let call = server.call("POST", "/node-server/echo").body(body.clone());
    assert!(call.send().await.body == body);
    assert_eq!(server.get("/node-server/none").await.status, 404);
}

#[tokio::test]
async fn a_native_server_is_hosted_by_its_command() {
    let native = example("native-rust").copy("app", &binary("example-native"));
    let server = serving("native-rust", native).await;
    let mut pids = Vec::new();
    for count in 1..=3 {
        let answer: Value = server.get("/native-rust/").await.json();
        assert_eq!(
            (&answer["requests"], &answer["base"]),
            (&json!(count), &json!("/native-rust"))
        );
        pids.push(answer["pid"].clone());
    }
    pids.dedup();
    assert_eq!(pids.len(), 1, "one process has answered all");
    let refused = server.call("POST", "/native-rust/").send().await;
    assert_eq!(refused.status, 405);
    assert_eq!(server.get("/native-rust/none").await.status, 404);
}
