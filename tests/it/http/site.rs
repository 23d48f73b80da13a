//! Files, served by the host without a worker in the way.

use rookery_tests::{Apps, Bundle, Server, kitchen};
use serde_json::json;

const PAGE: &str = "<!doctype html><html><head><title>x</title></head><body>page</body></html>";
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

async fn server() -> Server {
    let site = Bundle::site(PAGE)
        .file("letters.txt", LETTERS)
        .file("app.js", "export {}")
        .file("style.css", "a {}")
        .file("image.svg", "<svg/>")
        .file("data.json", "{}")
        .file("docs/index.html", PAGE)
        .file("packed.js", "not packed")
        .file("packed.js.gz", "packed")
        .manifest(json!({ "headers": { "x-site": "yes" } }));
    let mixed = Bundle::component(kitchen())
        .manifest(json!({ "static": "public" }))
        .file("public/file.txt", "a file beside a worker");
    Server::start(
        Apps::new()
            .with("site/1.0.0", site)
            .with("mixed/1.0.0", mixed),
    )
    .await
}

#[tokio::test]
async fn a_file_has_its_type_and_the_bundles_headers() {
    let server = server().await;
    for (path, expected) in [
        ("/site/", "text/html; charset=utf-8"),
        ("/site/letters.txt", "text/plain; charset=utf-8"),
        ("/site/app.js", "text/javascript; charset=utf-8"),
        ("/site/style.css", "text/css; charset=utf-8"),
        ("/site/image.svg", "image/svg+xml"),
        ("/site/data.json", "application/json"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, expected),
            "{path}"
        );
        assert_eq!(answer.header("x-site"), "yes", "{path}");
    }
}

#[tokio::test]
async fn a_file_that_did_not_change_is_not_sent_again() {
    let server = server().await;
    let first = server.get("/site/letters.txt").await;
    for (name, value) in [
        ("if-none-match", first.header("etag")),
        ("if-modified-since", first.header("last-modified")),
    ] {
        assert!(!value.is_empty(), "{name}");
        let again = server
            .call("GET", "/site/letters.txt")
            .header(name, value)
            .send()
            .await;
        assert_eq!(
            (again.status.as_u16(), again.body.len()),
            (304, 0),
            "{name}"
        );
        assert_eq!(again.header("etag"), first.header("etag"));
    }
    let other = server
        .call("GET", "/site/letters.txt")
        .header("if-none-match", "\"other\"")
        .send()
        .await;
    assert_eq!((other.status.as_u16(), other.text()), (200, LETTERS));
}

#[tokio::test]
async fn a_part_of_a_file_is_sent_where_a_part_is_asked_for() {
    let server = server().await;
    let ranged = async |range: &str| {
        server
            .call("GET", "/site/letters.txt")
            .header("range", range)
            .send()
            .await
    };
    for (range, status, text, content_range) in [
        ("bytes=0-2", 206, "abc", "bytes 0-2/26"),
        ("bytes=23-", 206, "xyz", "bytes 23-25/26"),
        ("bytes=-3", 206, "xyz", "bytes 23-25/26"),
        ("lines=1-2", 200, LETTERS, ""),
    ] {
        let answer = ranged(range).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (status, text),
            "{range}"
        );
        assert_eq!(answer.header("content-range"), content_range, "{range}");
    }
    let beyond = ranged("bytes=26-").await;
    assert_eq!(
        (beyond.status.as_u16(), beyond.header("content-range")),
        (416, "bytes */26")
    );
}

#[tokio::test]
async fn a_page_is_told_where_it_lives() {
    let server = server().await;
    for prefix in ["/site", "/site@1", "/site@1.0.0"] {
        let page = server.get(&format!("{prefix}/")).await;
        assert!(
            page.text().contains(&format!("<base href=\"{prefix}/\"")),
            "{}",
            page.text()
        );
    }
}

#[tokio::test]
async fn a_navigation_without_a_file_gets_the_page_and_an_asset_404() {
    let server = server().await;
    let navigate = |path: &str| {
        server
            .call("GET", path)
            .header("accept", "text/html,*/*;q=0.8")
    };
    let deep = navigate("/site/orders/7").send().await;
    assert_eq!(deep.status, 200);
    assert!(deep.text().contains("page"));
    assert_eq!(navigate("/site/missing.js").send().await.status, 404);
    assert_eq!(
        server
            .call("GET", "/site/orders/7")
            .header("accept", "*/*")
            .send()
            .await
            .status,
        404
    );
    let missing = server.get("/site/missing.txt").await;
    assert_eq!(missing.json()["code"], "NOT_FOUND");
}

#[tokio::test]
async fn a_packed_sibling_is_sent_to_who_can_unpack_it() {
    let server = server().await;
    let packed = server
        .call("GET", "/site/packed.js")
        .header("accept-encoding", "gzip")
        .send()
        .await;
    assert_eq!(
        (packed.text(), packed.header("content-encoding")),
        ("packed", "gzip")
    );
    assert_eq!(
        packed.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    assert!(
        packed
            .header("vary")
            .to_lowercase()
            .contains("accept-encoding")
    );
    let plain = server.get("/site/packed.js").await;
    assert_eq!(
        (plain.text(), plain.header("content-encoding")),
        ("not packed", "")
    );
}

#[tokio::test]
async fn files_come_before_the_worker_and_what_is_no_file_after_them() {
    let server = server().await;
    assert_eq!(
        server.get("/mixed/file.txt").await.text(),
        "a file beside a worker"
    );
    assert_eq!(
        server.get("/mixed/hello").await.text(),
        "Hello from the kitchen"
    );
    let answer = server
        .call("POST", "/mixed/length")
        .body("12345")
        .send()
        .await;
    assert_eq!(answer.text(), "5");
}

#[tokio::test]
async fn head_of_a_file_has_its_length_and_not_its_bytes() {
    let server = server().await;
    let head = server.call("HEAD", "/site/letters.txt").send().await;
    assert_eq!(
        (
            head.status.as_u16(),
            head.header("content-length"),
            head.body.len()
        ),
        (200, "26", 0)
    );
    let post = server
        .call("POST", "/site/letters.txt")
        .body("x")
        .send()
        .await;
    assert_eq!(post.status, 405);
}

#[tokio::test]
async fn an_app_without_its_slash_is_sent_there() {
    let server = server().await;
    let answer = server
        .call("GET", "/site")
        .header("accept", "text/html")
        .send()
        .await;
    // Either way relative links have to work: by the slash, or by the page's base.
    match answer.status.as_u16() {
        200 => assert!(answer.text().contains("<base href=\"/site/\"")),
        status => assert_eq!((status, answer.header("location")), (308, "/site/")),
    }
}
