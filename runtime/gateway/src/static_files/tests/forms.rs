//! The forms of one file: coded, with a base, and with the manifest's headers.

use http::{HeaderName, HeaderValue};

use super::super::{BaseInjection, StaticOptions};
use super::serving::{BASED, PAGE, site};
use super::{Row, Site};

#[tokio::test]
async fn codings_beside_a_file_are_sent_to_who_accepts_them() {
    let site = site();
    let script = "content-type: text/javascript; charset=utf-8";
    let vary = "vary: Accept-Encoding";
    for row in [
        Row(
            "brotli is preferred",
            "GET /app.js",
            &["accept-encoding: gzip, br"],
            200,
            &["content-encoding: br", script, vary, "content-length: 6"],
            Some("brotli"),
        ),
        Row(
            "unless gzip is",
            "GET /app.js",
            &["accept-encoding: gzip, br;q=0.1"],
            200,
            &["content-encoding: gzip", script],
            Some("gzip"),
        ),
        Row(
            "without the header it is plain",
            "GET /app.js",
            &[],
            200,
            &["!content-encoding", vary],
            Some("plain"),
        ),
        Row(
            "what is not there is not sent",
            "GET /only.css",
            &["accept-encoding: br, gzip"],
            200,
            &["content-encoding: gzip"],
            Some("css gzip"),
        ),
        Row(
            "nothing beside it, nothing varies",
            "GET /a.txt",
            &["accept-encoding: br"],
            200,
            &["!content-encoding", "!vary"],
            None,
        ),
        Row(
            "a page with a base is not compressed",
            "GET /",
            &["accept-encoding: br"],
            200,
            &["!content-encoding", "!vary"],
            Some(BASED),
        ),
        Row(
            "a page without a place for one is",
            "GET /plain.html",
            &["accept-encoding: br"],
            200,
            &["content-encoding: br", vary],
            Some("no head brotli"),
        ),
        Row(
            "a part is a part of the coding",
            "GET /app.js",
            &["accept-encoding: br", "range: bytes=0-1"],
            206,
            &["content-range: bytes 0-1/6"],
            Some("br"),
        ),
    ] {
        site.check(&row).await;
    }
    let plain = site.get("/app.js").await.unwrap().etag();
    let brotli = site
        .ask("GET /app.js", &["accept-encoding: br"])
        .await
        .unwrap()
        .etag();
    let gzip = site
        .ask("GET /app.js", &["accept-encoding: gzip"])
        .await
        .unwrap()
        .etag();
    assert!(plain != brotli && brotli != gzip && gzip != plain);
}

#[tokio::test]
async fn a_base_is_the_prefix_as_it_was_typed() {
    let site = site();
    let request = http::Request::new(()).into_parts().0;
    for (base, element) in [("/spa@1/", "/spa@1/"), ("/spa@%3E1&x/", "/spa@%3E1&amp;x/")] {
        let super::Found::Response(response) = site.files.serve(&request, "/", base).await else {
            panic!("the page is there");
        };
        let body = http_body_util::BodyExt::collect(response.into_body())
            .await
            .unwrap()
            .to_bytes();
        let head = format!(r#"<html><head><base href="{element}" /><title>"#);
        assert!(body.starts_with(head.as_bytes()), "{base}");
    }
    let off = StaticOptions {
        inject_base: BaseInjection::Off,
        ..StaticOptions::default()
    };
    let site = Site::new(&[("index.html", PAGE)], off);
    assert_eq!(site.get("/").await.unwrap().text(), PAGE);
}

#[tokio::test]
async fn the_manifest_has_the_last_word_on_headers() {
    let header = |name: &'static str, value| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    let options = StaticOptions {
        headers: vec![
            header("cache-control", "max-age=60"),
            header("link", "<a>"),
            header("link", "<b>"),
            header("content-length", "1"),
        ],
        ..StaticOptions::default()
    };
    let site = Site::new(&[("a.txt", "abc"), ("docs/index.html", "x")], options);
    for line in ["GET /a.txt", "POST /a.txt", "GET /docs"] {
        let answer = site.ask(line, &[]).await.unwrap();
        assert_eq!(
            answer.headers.get_all("cache-control").iter().count(),
            1,
            "{line}"
        );
        assert_eq!(answer.header("cache-control"), Some("max-age=60"), "{line}");
        assert_eq!(
            answer.headers.get_all("link").iter().collect::<Vec<_>>(),
            ["<a>", "<b>"],
            "{line}"
        );
        assert_ne!(
            answer.header("content-length"),
            Some("1"),
            "a wrong length would cut the body"
        );
    }
}
