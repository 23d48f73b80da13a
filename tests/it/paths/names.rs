//! Paths that name no app, and paths that try to name what is not served.

use rookery_tests::{Apps, Bundle, Raw, Server, kitchen};

const SECRET: &str = "the secret outside";

/// A site beside secrets: outside the apps directory, in it, and in the bundle itself.
async fn server() -> Server {
    let site = Bundle::site("the page")
        .file(".env", SECRET)
        .file(".git/config", SECRET)
        .file("package.json", format!("{{\"description\":\"{SECRET}\"}}"))
        .manifest(serde_json::json!({ "namespace": "the-secret-manifest" }));
    let apps = Apps::new()
        .with("site/1.0.0", site)
        .with("kitchen/1.0.0", Bundle::component(kitchen()));
    std::fs::write(apps.outside().join("secret.txt"), SECRET).unwrap();
    std::fs::write(apps.dir().join("secret.txt"), SECRET).unwrap();
    std::os::unix::fs::symlink(apps.outside(), apps.path("site/1.0.0/link")).unwrap();
    Server::start(apps).await
}

#[tokio::test]
async fn an_unknown_app_is_404_and_is_named_as_the_client_typed_it() {
    let server = server().await;
    for (path, error) in [
        ("/nobody", "App not found: nobody"),
        ("/nobody@1/", "App not found: nobody@1"),
        ("/Site/", "App not found: Site"),
        ("/@team/nobody@^1/x", "App not found: @team/nobody@^1"),
    ] {
        let answer = server.get(path).await;
        let body = answer.json();
        assert_eq!(
            (answer.status.as_u16(), &body["error"]),
            (404, &error.into()),
            "{path}"
        );
        assert_eq!(body["requestId"], answer.header("x-request-id"), "{path}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(
            answer.header("x-rookery-version"),
            "",
            "no revision gave this answer"
        );
    }
}

/// Raw requests, since a client library would tidy the paths up.
#[tokio::test]
async fn no_path_leads_out_of_the_static_folder_or_to_what_is_private() {
    let server = server().await;
    for path in [
        "/site/../../secret.txt",
        "/site/%2e%2e/%2e%2e/secret.txt",
        "/site/..%2f..%2fsecret.txt",
        "/site/%2e%2e%2fsecret.txt",
        "/site/..%5c..%5csecret.txt",
        "/site/x/../../../secret.txt",
        "/site//../secret.txt",
        "/site/%252e%252e/secret.txt",
        "/site/link/secret.txt",
        "/site/.env",
        "/site/%2eenv",
        "/site/.git/config",
        "/site/worker.config.json",
        "/site/WORKER.config.json",
        "/site/worker.config%2ejson",
        "/site/package.json",
        "/site/secret.txt%00.html",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/secret.txt",
        "/site@1.0.0/../../secret.txt",
        "/site@../secret.txt",
        "/site@%2e%2e/secret.txt",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = Raw::exchange(server.address(), request).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
        assert!(!answer.contains("secret outside"), "{path}: {answer}");
        assert!(!answer.contains("the-secret-manifest"), "{path}: {answer}");
    }
    assert_eq!(server.get("/site/").await.status, 200);
}

/// Percent-encoding is the app's to decode: what it means there is not for a server in front to guess.
#[tokio::test]
async fn an_app_sees_its_path_as_the_client_encoded_it() {
    let server = server().await;
    for (asked, seen) in [
        ("/kitchen/path/a%20b", "/path/a%20b?"),
        ("/kitchen@1/path/a%2Fb", "/path/a%2Fb?"),
        ("/kitchen@1/path/a//b", "/path/a//b?"),
        (
            "/kitchen/path/%E2%98%95?q=a%20b&q=c",
            "/path/%E2%98%95?q=a%20b&q=c",
        ),
        ("/kitchen/path/a/%2e%2e/b", "/path/a/%2e%2e/b?"),
    ] {
        let answer = server.get(asked).await;
        assert_eq!(answer.text(), seen, "{asked}");
    }
}

#[tokio::test]
async fn an_app_learns_where_it_is_and_a_client_cannot_tell_it_otherwise() {
    let server = server().await;
    let answer = server
        .call("GET", "/kitchen@1.x/headers")
        .header("x-forwarded-prefix", "/forged")
        .header("x-base", "/forged")
        .header("x-app-name", "forged")
        .send()
        .await;
    let headers = answer.json();
    assert_eq!(headers["x-forwarded-prefix"], "/kitchen@1.x");
    assert_eq!(headers["x-base"], "/kitchen@1.x");
    assert_eq!(headers["x-app-name"], "kitchen");
}

#[tokio::test]
async fn no_bytes_in_the_place_of_a_path_harm_the_server() {
    let server = server().await;
    for path in [
        "/\u{1}",
        "*",
        "/@",
        "/@/",
        "/@@@",
        "//",
        "/%",
        "/site@",
        "http://[",
        "/\u{fffd}",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = Raw::exchange(server.address(), request).await;
        assert!(!answer.starts_with("HTTP/1.1 5"), "{path}: {answer}");
    }
    assert_eq!(server.get("/health").await.status, 200);
}
