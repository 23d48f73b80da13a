//! Buntime's six routes over a folder, and what they refuse.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::{Answer, Server};
use crate::Access;
use crate::folder::STAGING;

/// How long a loaded machine is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn server() -> Server {
    let server = Server::new(Access::Open);
    for (name, content) in [
        ("chat/1.0.0/index.html", "<p>"),
        ("chat/1.0.0/deep/x.txt", "12345"),
        ("Zoo.txt", "z"),
        ("ant.txt", "a"),
        (".secret", "s"),
    ] {
        let path = server.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    fs::write(server.outside.path().join("passwd"), "root").unwrap();
    symlink("../passwd", server.path("out")).unwrap();
    symlink("..", server.path("up")).unwrap();
    symlink("chat", server.path("in")).unwrap();
    server
}

/// A form as browsers send one. A field with a file name is a file.
pub(super) fn form(fields: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in fields {
        let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
        let head = format!("--X\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--X--\r\n");
    body
}

impl Server {
    async fn list(&self, path: &str) -> Value {
        let answer = self
            .ask(&format!("GET /_/deployments/list?path={path}"), &[])
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["data"]["entries"].clone()
    }

    async fn file(&self, route: &str, body: Value) -> Answer {
        let method = if route == "delete" { "DELETE" } else { "POST" };
        let line = format!("{method} /_/deployments/{route}");
        self.tell(&line, &["content-type: application/json"], body.to_string())
            .await
    }

    pub(super) async fn upload(&self, fields: &[(&str, Option<&str>, &[u8])]) -> Answer {
        let headers = ["content-type: multipart/form-data; boundary=X"];
        self.tell("POST /_/deployments/upload", &headers, form(fields))
            .await
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// What uploads left; they clean up on threads of their own.
    pub(super) async fn left_over(&self) -> Vec<String> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && !names(&self.path(STAGING)).is_empty() {
            tokio::task::spawn_blocking(std::thread::yield_now)
                .await
                .unwrap();
        }
        names(&self.path(STAGING))
    }
}

pub(super) fn names(dir: &std::path::Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn a_listing_has_folders_first_then_names_and_true_times() {
    let server = server();
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    let file = fs::File::options()
        .write(true)
        .open(server.path("ant.txt"))
        .unwrap();
    file.set_modified(time).unwrap();
    let answer = server.ask("GET /_/deployments/list", &[]).await.json();
    assert_eq!(
        (&answer["success"], &answer["data"]["path"]),
        (&json!(true), &json!(""))
    );
    let entries = answer["data"]["entries"].as_array().unwrap();
    let names: Vec<_> = entries
        .iter()
        .map(|entry| entry["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["chat", "in", "ant.txt", "out", "up", "Zoo.txt"]);
    let fields: Vec<_> = entries[0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["isDirectory", "name", "path", "size", "updatedAt"]);
    assert_eq!(
        (&entries[0]["isDirectory"], &entries[0]["size"]),
        (&json!(true), &json!(8))
    );
    assert_eq!(entries[2]["updatedAt"], "2023-11-14T22:13:20.123Z");
    assert_eq!(
        server.list("chat/1.0.0").await[0]["path"],
        "chat/1.0.0/deep"
    );
    assert_eq!(server.list("chat%2F1.0.0").await[1]["name"], "index.html");
    for absent in ["nowhere", "chat/9.9.9", "ant.txt"] {
        assert_eq!(server.list(absent).await, json!([]), "{absent}");
    }
}

#[tokio::test]
async fn nothing_leads_out_of_the_apps_directory() {
    let server = server();
    for path in [
        "..",
        "../passwd",
        "chat/../../passwd",
        "/etc",
        "%2e%2e/passwd",
        "..%2Fpasswd",
        ".secret",
        "chat/.git",
    ] {
        for route in ["list", "download"] {
            let answer = server
                .ask(&format!("GET /_/deployments/{route}?path={path}"), &[])
                .await;
            assert_eq!(
                answer.outcome(),
                (400, "INVALID_PATH".into()),
                "{route} {path}"
            );
        }
    }
    for path in ["../x", "/tmp/x", "chat/../../x", ".x", "a/.x/b"] {
        for (route, body) in [
            ("mkdir", json!({ "path": path })),
            ("delete", json!({ "path": path })),
            ("rename", json!({ "path": path, "newName": "y" })),
            ("rename", json!({ "path": "chat", "newName": path })),
        ] {
            let answer = server.file(route, body).await;
            assert_eq!(
                answer.outcome(),
                (400, "INVALID_PATH".into()),
                "{route} {path}"
            );
        }
        for fields in [
            [("path", None, path.as_bytes()), ("files", Some("y"), b"y")],
            [("path", None, b"chat"), ("files", Some(path), b"y")],
        ] {
            let answer = server.upload(&fields).await;
            assert_eq!(answer.outcome(), (400, "INVALID_PATH".into()), "{path}");
        }
    }
    assert_eq!(
        names(server.outside.path()).len(),
        2,
        "the apps directory and its neighbour"
    );
}

#[tokio::test]
async fn a_link_that_leads_out_is_not_followed() {
    let server = server();
    for (line, path) in [
        ("list", "up"),
        ("list", "up/apps"),
        ("download", "out"),
        ("download", "up/passwd"),
    ] {
        let answer = server
            .ask(&format!("GET /_/deployments/{line}?path={path}"), &[])
            .await;
        assert_eq!(
            answer.outcome(),
            (403, "PATH_OUTSIDE".into()),
            "{line} {path}"
        );
    }
    for (route, body) in [
        ("mkdir", json!({ "path": "up/x" })),
        ("delete", json!({ "path": "up/passwd" })),
        ("rename", json!({ "path": "up/passwd", "newName": "x" })),
    ] {
        let answer = server.file(route, body).await;
        assert_eq!(answer.outcome(), (403, "PATH_OUTSIDE".into()), "{route}");
    }
    let answer = server
        .upload(&[("path", None, b"up"), ("files", Some("x"), b"x")])
        .await;
    assert_eq!(answer.outcome(), (403, "PATH_OUTSIDE".into()));
    assert_eq!(
        fs::read_to_string(server.outside.path().join("passwd")).unwrap(),
        "root"
    );
    // One that stays is a folder like another.
    assert_eq!(server.list("in").await[0]["name"], "1.0.0");
    // And one that does not can be deleted: it goes, what it leads to stays.
    assert_eq!(
        server.file("delete", json!({ "path": "up" })).await.status,
        200
    );
    assert!(server.outside.path().join("passwd").exists());
    assert!(fs::symlink_metadata(server.path("up")).is_err());
}

#[tokio::test]
async fn folders_are_made_renamed_and_deleted() {
    let server = server();
    let ok = json!({ "success": true });
    assert_eq!(
        server
            .file("mkdir", json!({ "path": "new/1.0.0" }))
            .await
            .json(),
        ok
    );
    assert_eq!(
        server
            .file("mkdir", json!({ "path": "new/1.0.0" }))
            .await
            .json(),
        ok
    );
    assert!(server.path("new/1.0.0").is_dir());
    assert_eq!(
        server
            .file("rename", json!({ "path": "new/1.0.0", "newName": "2.0.0" }))
            .await
            .json(),
        ok
    );
    assert!(server.path("new/2.0.0").is_dir() && !server.path("new/1.0.0").exists());
    assert_eq!(
        server
            .file("delete", json!({ "path": "chat" }))
            .await
            .json(),
        ok
    );
    assert!(!server.path("chat").exists());
    assert_eq!(
        server
            .file("delete", json!({ "path": "chat" }))
            .await
            .json(),
        ok,
        "it is gone"
    );
    assert_eq!(
        server
            .file("delete", json!({ "path": "no/where" }))
            .await
            .json(),
        ok
    );
    assert_eq!(server.left_over().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_missing_or_in_the_way_has_buntimes_codes() {
    let server = server();
    for (route, body, status, code) in [
        ("mkdir", json!({}), 400, "PATH_REQUIRED"),
        ("mkdir", json!({ "path": "ant.txt" }), 409, "ALREADY_EXISTS"),
        ("delete", json!({ "path": "" }), 400, "PATH_REQUIRED"),
        ("delete", json!({ "path": "/" }), 400, "CANNOT_DELETE_ROOT"),
        (
            "rename",
            json!({ "path": "chat" }),
            400,
            "PATH_AND_NAME_REQUIRED",
        ),
        (
            "rename",
            json!({ "newName": "x" }),
            400,
            "PATH_AND_NAME_REQUIRED",
        ),
        (
            "rename",
            json!({ "path": "gone", "newName": "x" }),
            404,
            "FILE_NOT_FOUND",
        ),
        (
            "rename",
            json!({ "path": "chat", "newName": "ant.txt" }),
            409,
            "ALREADY_EXISTS",
        ),
        (
            "rename",
            json!({ "path": "/", "newName": "x" }),
            400,
            "INVALID_PATH",
        ),
        ("rename", json!({ "path": 5 }), 400, "BAD_REQUEST"),
    ] {
        let answer = server.file(route, body.clone()).await;
        assert_eq!(answer.outcome(), (status, code.into()), "{route} {body}");
        assert_eq!(answer.json()["success"], false);
        assert!(answer.json()["message"].is_string());
    }
    for (path, code) in [
        ("", (400, "PATH_REQUIRED")),
        ("gone", (404, "FILE_NOT_FOUND")),
        ("chat", (404, "FILE_NOT_FOUND")),
    ] {
        let answer = server
            .ask(&format!("GET /_/deployments/download?path={path}"), &[])
            .await;
        assert_eq!(answer.outcome(), (code.0, code.1.into()), "{path}");
    }
    assert_eq!(
        server.upload(&[("path", None, b"chat")]).await.outcome(),
        (400, "NO_FILES_PROVIDED".into())
    );
    let empty = [("path", None, &b"chat"[..]), ("files", Some(""), b"")];
    assert_eq!(
        server.upload(&empty).await.outcome(),
        (400, "NO_FILES_PROVIDED".into())
    );
    let json = server
        .tell(
            "POST /_/deployments/upload",
            &["content-type: application/json"],
            "{}",
        )
        .await;
    assert_eq!(json.outcome(), (400, "BAD_REQUEST".into()));
}

#[tokio::test]
async fn a_file_is_downloaded_as_it_is_and_never_shown() {
    let server = server();
    let big: String = (0..100_000).map(|n| format!("{n:05}\n")).collect();
    fs::write(server.path("chat/big.html"), &big).unwrap();
    let answer = server
        .ask("GET /_/deployments/download?path=chat/big.html", &[])
        .await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == big);
    assert_eq!(answer.header("content-length"), Some("600000"));
    assert_eq!(
        answer.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(
        answer.header("content-disposition"),
        Some("attachment; filename=\"big.html\"")
    );
}
