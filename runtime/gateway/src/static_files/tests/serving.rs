//! What is served, as what, and what is not.

use std::path::PathBuf;

use super::super::{BaseInjection, SpaFallback, StaticOptions};
use super::{Row, Site};

pub(super) const PAGE: &str = "<html><head><title>x</title></head></html>";
pub(super) const BASED: &str =
    r#"<html><head><base href="/site@1/" /><title>x</title></head></html>"#;
const HTML: &str = "content-type: text/html; charset=utf-8";
const NAVIGATES: &[&str] = &["accept: text/html,*/*;q=0.8"];

pub(super) fn site() -> Site {
    Site::new(
        &[
            ("index.html", PAGE),
            ("a.txt", "0123456789"),
            ("sp ace.txt", "space"),
            ("app.js", "plain"),
            ("app.js.br", "brotli"),
            ("app.js.gz", "gzip"),
            ("only.css", "css"),
            ("only.css.gz", "css gzip"),
            ("plain.html", "no head"),
            ("plain.html.br", "no head brotli"),
            ("index.html.br", "never sent, since a base goes in"),
            ("docs/index.html", PAGE),
            ("docs/a:b/index.html", "colon"),
            ("bare/file.txt", "x"),
            ("loop/index.html/index.html", "x"),
            (".env", "PASSWORD"),
            (".git/config", "PASSWORD"),
            (".well-known/security.txt", "mail us"),
            ("worker.config.json", "{}"),
            ("package.json", "{}"),
            ("sub/manifest.yaml", "a: 1"),
            ("Cargo.toml", "[package]"),
            ("worker.wasm", "code"),
            ("lib.wasm", "public code"),
            ("manifest.json", "{}"),
        ],
        StaticOptions {
            private: vec![PathBuf::from("worker.wasm")],
            ..StaticOptions::default()
        },
    )
}

#[tokio::test]
async fn files_are_served_as_what_they_are() {
    let site = site();
    let text = "content-type: text/plain; charset=utf-8";
    for row in [
        Row(
            "a file is served",
            "GET /a.txt",
            &[],
            200,
            &[text, "content-length: 10"],
            Some("0123456789"),
        ),
        Row(
            "no type is guessed by browsers",
            "GET /a.txt",
            &[],
            200,
            &["x-content-type-options: nosniff"],
            None,
        ),
        Row(
            "ranges are offered",
            "GET /a.txt",
            &[],
            200,
            &["accept-ranges: bytes"],
            None,
        ),
        Row(
            "an asset is revalidated",
            "GET /a.txt",
            &[],
            200,
            &["cache-control: public, max-age=0, must-revalidate"],
            None,
        ),
        Row(
            "a page is revalidated",
            "GET /",
            &[],
            200,
            &["cache-control: no-cache"],
            None,
        ),
        Row(
            "a name is decoded",
            "GET /sp%20ace.txt",
            &[],
            200,
            &[],
            Some("space"),
        ),
        Row(
            "HEAD tells the length and sends nothing",
            "HEAD /a.txt",
            &[],
            200,
            &["content-length: 10", text],
            Some(""),
        ),
        Row(
            "HEAD ignores ranges",
            "HEAD /a.txt",
            &["range: bytes=0-1"],
            200,
            &["content-length: 10"],
            Some(""),
        ),
        Row(
            "HEAD tells the length with the base",
            "HEAD /",
            &[],
            200,
            &["content-length: 66", HTML],
            Some(""),
        ),
        Row(
            "a file refuses other methods",
            "POST /a.txt",
            &[],
            405,
            &["allow: GET, HEAD"],
            None,
        ),
        Row(
            "so does a directory",
            "DELETE /docs",
            &[],
            405,
            &["allow: GET, HEAD"],
            None,
        ),
        Row(
            "what is not there refuses nothing",
            "POST /b.txt",
            &[],
            0,
            &[],
            None,
        ),
        Row(
            "what falls back refuses nothing",
            "POST /deep/route",
            NAVIGATES,
            0,
            &[],
            None,
        ),
        Row(
            "the root is its page",
            "GET /",
            &[],
            200,
            &[HTML],
            Some(BASED),
        ),
        Row(
            "a directory is its page",
            "GET /docs/",
            &[],
            200,
            &[HTML],
            Some(BASED),
        ),
        Row(
            "a directory without its slash gets one",
            "GET /docs",
            &[],
            308,
            &["location: ./docs/"],
            Some(""),
        ),
        Row(
            "and keeps the query",
            "GET /docs?a=1&b=%20",
            &[],
            308,
            &["location: ./docs/?a=1&b=%20"],
            None,
        ),
        Row(
            "the location is below the prefix",
            "GET /docs/a%3Ab",
            &[],
            308,
            &["location: ./a%3Ab/"],
            None,
        ),
        Row(
            "a colon makes no scheme",
            "GET /docs/a:b",
            &[],
            308,
            &["location: ./a:b/"],
            None,
        ),
        Row(
            "a directory without a page is nothing",
            "GET /bare",
            &[],
            0,
            &[],
            None,
        ),
        Row("with a slash too", "GET /bare/", &[], 0, &[], None),
        Row(
            "a directory named as a page is no loop",
            "GET /loop/",
            &[],
            0,
            &[],
            None,
        ),
        Row("a file is no directory", "GET /a.txt/", &[], 0, &[], None),
        Row(
            "an unknown asset is missing",
            "GET /missing.js",
            &[],
            0,
            &[],
            None,
        ),
    ] {
        site.check(&row).await;
    }
}

#[tokio::test]
async fn private_files_are_missing_even_to_navigations() {
    let site = site();
    for tail in [
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/worker.config.json",
        "/package.json",
        "/PACKAGE.json",
        "/sub/manifest.yaml",
        "/Cargo.toml",
        "/worker.wasm",
        "/worker%2ewasm",
        "/.git/",
    ] {
        assert!(
            site.ask(&format!("GET {tail}"), NAVIGATES).await.is_none(),
            "{tail}"
        );
        assert!(
            site.ask(&format!("POST {tail}"), &[]).await.is_none(),
            "{tail}"
        );
    }
    for tail in ["/.well-known/security.txt", "/lib.wasm", "/manifest.json"] {
        assert_eq!(site.get(tail).await.unwrap().status, 200, "{tail}");
    }
}

#[tokio::test]
async fn navigations_fall_back_to_the_entry_page() {
    let site = site();
    let json = &["accept: application/json"][..];
    for row in [
        Row(
            "a navigation gets the page",
            "GET /deep/route",
            NAVIGATES,
            200,
            &[HTML, "vary: Accept"],
            Some(BASED),
        ),
        Row(
            "with a slash too",
            "GET /deep/route/",
            NAVIGATES,
            200,
            &[HTML],
            Some(BASED),
        ),
        Row(
            "a HEAD of one too",
            "HEAD /deep/route",
            NAVIGATES,
            200,
            &["content-length: 66"],
            Some(""),
        ),
        Row(
            "a directory without a page too",
            "GET /bare",
            NAVIGATES,
            200,
            &[HTML],
            Some(BASED),
        ),
        Row(
            "what has an extension does not",
            "GET /deep/missing.js",
            NAVIGATES,
            0,
            &[],
            None,
        ),
        Row("a fetch does not", "GET /deep/route", json, 0, &[], None),
        Row(
            "whoever says nothing does not",
            "GET /deep/route",
            &[],
            0,
            &[],
            None,
        ),
        Row(
            "the page itself does not vary",
            "GET /",
            NAVIGATES,
            200,
            &["!vary"],
            None,
        ),
    ] {
        site.check(&row).await;
    }
    let off = StaticOptions {
        spa_fallback: SpaFallback::Off,
        ..StaticOptions::default()
    };
    let site = Site::new(&[("index.html", PAGE)], off);
    assert!(site.ask("GET /deep/route", NAVIGATES).await.is_none());
}

#[tokio::test]
async fn the_entry_page_may_have_another_name() {
    let index = Some("pages/main.html".to_owned());
    let options = StaticOptions {
        index,
        inject_base: BaseInjection::Off,
        ..StaticOptions::default()
    };
    let site = Site::new(
        &[
            ("pages/main.html", PAGE),
            ("index.html", "other"),
            ("d/index.html", "d"),
        ],
        options,
    );
    for (line, body) in [
        ("GET /", PAGE),
        ("GET /deep", PAGE),
        ("GET /index.html", "other"),
        ("GET /d/", "d"),
    ] {
        assert_eq!(
            site.ask(line, NAVIGATES).await.unwrap().text(),
            body,
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_root_without_an_entry_page_falls_back_to_nothing() {
    let site = Site::new(&[("a.txt", "a")], StaticOptions::default());
    assert!(site.ask("GET /", NAVIGATES).await.is_none());
    assert!(site.ask("GET /deep", NAVIGATES).await.is_none());
    std::fs::remove_dir_all(site.path("")).unwrap();
    assert!(site.ask("GET /deep", NAVIGATES).await.is_none());
}
