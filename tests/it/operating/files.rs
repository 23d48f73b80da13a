//! Buntime's routes for the apps directory, over real sockets.

use std::fs;
use std::os::unix::fs::symlink;

use rookery_tests::{Answer, Apps, Bundle, Server, until};
use serde_json::{Value, json};

async fn server() -> Server {
    Server::start(Apps::new().with("site/1.0.0", Bundle::site("one"))).await
}

async fn tell(server: &Server, line: &str, body: Value) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    let call = server.call(method, &format!("/_/deployments/{path}"));
    call.body(body.to_string()).send().await
}

/// A form with one file.
fn form(path: &str, name: &str, content: &[u8]) -> Vec<u8> {
    let mut form = format!(
        "--X\r\ncontent-disposition: form-data; name=\"path\"\r\n\r\n{path}\r\n--X\r\n\
         content-disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n"
    )
    .into_bytes();
    form.extend_from_slice(content);
    form.extend_from_slice(b"\r\n--X--\r\n");
    form
}

async fn upload(server: &Server, path: &str, name: &str, content: &[u8]) -> Answer {
    let call = server.call("POST", "/_/deployments/upload");
    call.header("content-type", "multipart/form-data; boundary=X")
        .body(form(path, name, content))
        .send()
        .await
}

/// Buntime 66.
#[tokio::test]
async fn a_version_is_made_of_uploaded_files_and_served() {
    let server = server().await;
    let made = tell(&server, "POST mkdir", json!({ "path": "new" })).await;
    assert_eq!(
        (made.status.as_u16(), made.json()),
        (200, json!({ "success": true }))
    );
    let sent = upload(&server, "new/1.0.0", "index.html", b"<p>new").await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    until("it is served", async || {
        (server.get("/new@1.0.0/").await.text() == "<p>new").then_some(())
    })
    .await;
    let listed = server
        .get("/_/deployments/list?path=new/1.0.0")
        .await
        .json();
    let entry = &listed["data"]["entries"][0];
    assert_eq!(
        (
            &entry["name"],
            &entry["path"],
            &entry["size"],
            &entry["isDirectory"]
        ),
        (
            &json!("index.html"),
            &json!("new/1.0.0/index.html"),
            &json!(6),
            &json!(false)
        )
    );
    let file = server
        .get("/_/deployments/download?path=new/1.0.0/index.html")
        .await;
    assert_eq!(
        (file.text(), file.header("content-disposition")),
        ("<p>new", "attachment; filename=\"index.html\"")
    );

    let renamed = json!({ "path": "new/1.0.0", "newName": "2.0.0" });
    assert_eq!(tell(&server, "POST rename", renamed).await.status, 200);
    until("the new name is served", async || {
        (server.get("/new/").await.header("x-rookery-version") == "2.0.0").then_some(())
    })
    .await;
    assert_eq!(
        tell(&server, "DELETE delete", json!({ "path": "new" }))
            .await
            .status,
        200
    );
    until("it is gone", async || {
        (server.get("/new/").await.status == 404).then_some(())
    })
    .await;
}

/// Buntime 67.
#[tokio::test]
async fn no_path_leads_out_of_the_apps_directory() {
    let server = server().await;
    let outside = server.apps().outside().to_owned();
    fs::write(outside.join("secret"), "secret").unwrap();
    symlink(&outside, server.apps().dir().join("site/out")).unwrap();
    for (path, status) in [
        ("../secret", 400),
        ("site/../../secret", 400),
        ("%2e%2e/secret", 400),
        ("/etc/passwd", 400),
        (".hidden", 400),
        ("site/out/secret", 403),
    ] {
        let answer = server
            .get(&format!("/_/deployments/download?path={path}"))
            .await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.json()["code"].is_string(), "{}", answer.text());
        // A form's fields are not percent-encoded.
        if !path.contains('%') {
            let sent = upload(&server, path, "planted", b"x").await;
            assert_eq!(sent.status, status, "{path}");
        }
    }
    let sent = upload(&server, "site", "../../planted", b"x").await;
    assert_eq!(sent.status, 400);
    assert!(!outside.join("planted").exists());
    assert_eq!(
        fs::read_to_string(outside.join("secret")).unwrap(),
        "secret"
    );
}

/// Buntime 67: who wrote what stands in the log, and another site's page writes nothing.
#[tokio::test]
async fn every_write_is_in_the_log_and_none_is_another_sites() {
    let server = server().await;
    let call = server.call("POST", "/_/deployments/mkdir");
    let evil = call
        .header("origin", "https://evil.example")
        .body(r#"{"path":"evil"}"#);
    assert_eq!(evil.send().await.json()["code"], "CROSS_ORIGIN");
    let own = format!("http://{}", server.address());
    let call = server.call("POST", "/_/deployments/mkdir");
    let ours = call
        .header("origin", &own)
        .body(r#"{"path":"ours\nforged"}"#);
    assert_eq!(ours.send().await.status, 400);
    let call = server.call("POST", "/_/deployments/mkdir");
    assert_eq!(
        call.header("origin", &own)
            .body(r#"{"path":"ours"}"#)
            .send()
            .await
            .status,
        200
    );
    assert!(server.apps().path("ours").is_dir() && !server.apps().path("evil").exists());
    let log = until("it is logged", async || {
        let log = server.log();
        log.contains("about=\"ours\"").then_some(log)
    })
    .await;
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains(" audit: "))
        .collect();
    assert_eq!(lines.len(), 3, "{log}");
    for part in [
        "who=\"loopback\"",
        "from=\"127.0.0.1:",
        "POST /_/deployments/mkdir",
    ] {
        assert!(
            lines.iter().all(|line| line.contains(part)),
            "{part}: {log}"
        );
    }
    assert!(
        lines[0].contains("WARN") && lines[0].contains("another site"),
        "{}",
        lines[0]
    );
}
