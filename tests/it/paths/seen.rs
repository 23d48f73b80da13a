//! What of its path an app sees, and what is read out of it before.

use rookery_tests::{Apps, Bundle, Options, Raw, Server, kitchen};

async fn server(version: &str) -> Server {
    let place = format!("kitchen/{version}");
    Server::start(Apps::new().with(&place, Bundle::component(kitchen()))).await
}

/// Buntime 11, 12, 13.
#[tokio::test]
async fn an_app_sees_what_is_below_it_whatever_that_is() {
    let server = server("1.2.0").await;
    for (asked, seen) in [
        ("/kitchen", "/?"),
        ("/kitchen/", "/?"),
        ("/kitchen@1?x=1", "/?x=1"),
        ("/kitchen/path/a/b?x=1", "/path/a/b?x=1"),
        ("/kitchen/path/kitchen/x", "/path/kitchen/x?"),
        ("/kitchen@1/path/kitchen@1/x", "/path/kitchen@1/x?"),
        ("/kitchen@%5E1.0.0/path/deep", "/path/deep?"),
    ] {
        assert_eq!(server.get(asked).await.text(), seen, "{asked}");
    }
}

/// Buntime 15.
#[tokio::test]
async fn an_empty_segment_of_the_path_is_not_lost_and_names_no_host() {
    let server = server("1.0.0").await;
    let asked = server.address();
    let answer = server.get("/kitchen//evil.com/x").await;
    assert_eq!(answer.text(), format!("{asked} //evil.com/x?"));
}

/// Buntime 15. Sent raw, since a client library has names of its own.
#[tokio::test]
async fn an_app_sees_whom_the_client_asked() {
    let server = server("1.0.0").await;
    for (head, seen) in [
        (
            "GET /kitchen/asked HTTP/1.1\r\nHost: chat.example",
            "chat.example /asked?",
        ),
        (
            "GET /kitchen/asked HTTP/1.1\r\nHost: chat.example:8443",
            "chat.example:8443 /asked?",
        ),
        (
            "GET http://chat.example/kitchen/asked HTTP/1.1\r\nHost: chat.example",
            "chat.example /asked?",
        ),
        ("GET /kitchen/asked HTTP/1.0", "localhost /asked?"),
    ] {
        let request = format!("{head}\r\nConnection: close\r\n\r\n");
        let answer = Raw::exchange(server.address(), request).await;
        let (status, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(status.contains(" 200 "), "{head}: {answer}");
        assert_eq!(body, seen, "{head}");
    }
    let no_text = b"GET /kitchen/asked HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n\r\n";
    let answer = Raw::exchange(server.address(), no_text).await;
    assert!(
        answer.ends_with("\r\n\r\nlocalhost /asked?"),
        "no fault of the app: {answer}"
    );
}

/// Buntime 10, 14. Sent raw, since a client library would tidy them up.
#[tokio::test]
async fn what_cannot_name_an_app_is_404() {
    let server = server("1.0.0").await;
    for path in [
        "/kitchen@abc/hello",
        "/kitchen@1.0.0.0/hello",
        "/..%2fapps%2fkitchen/hello",
        "/kitchen%2f1.0.0/hello",
        "/kitchen..x/hello",
        "/%2e%2e/apps/kitchen/hello",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = Raw::exchange(server.address(), request).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
}

/// Buntime 16.
#[tokio::test]
async fn the_root_names_the_server_and_its_version() {
    let server = Server::start(Apps::new()).await;
    let root = server.get("/").await;
    let first = format!("Rookery v{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (root.status.as_u16(), root.text().lines().next()),
        (200, Some(first.as_str()))
    );
}

/// Buntime 16. The shell answers the root alone, and as the app that it is.
#[tokio::test]
async fn the_shell_answers_the_root_and_no_unknown_app() {
    let apps = Apps::new().with("kitchen/1.0.0", Bundle::component(kitchen()));
    let options = Options::new().set("APP_SHELL", "kitchen@1");
    let server = Server::start_with(apps, options).await;
    assert_eq!(server.get("/?x=1").await.text(), "/?x=1");
    assert_eq!(server.get("/nobody").await.status, 404);
}
