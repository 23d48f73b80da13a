//! Conditional requests and parts of files, small and large.

use super::super::StaticOptions;
use super::super::asset::MEMORY_BYTES_MAX;
use super::{Row, Site, pattern};

#[tokio::test]
async fn a_known_file_is_not_sent_again() {
    let site = Site::new(
        &[("a.txt", "0123456789"), ("index.html", "<head></head>")],
        StaticOptions::default(),
    );
    for tail in ["/a.txt", "/"] {
        let first = site.get(tail).await.unwrap();
        let (etag, modified) = (first.etag(), first.header("last-modified").unwrap());
        assert!(etag.starts_with('"'), "the tag is strong");
        let get = format!("GET {tail}");
        for (header, status) in [
            (format!("if-none-match: {etag}"), 304),
            (format!("if-none-match: \"x\", W/{etag}"), 304),
            ("if-none-match: *".to_owned(), 304),
            ("if-none-match: \"x\"".to_owned(), 200),
            (format!("if-modified-since: {modified}"), 304),
            (
                "if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT".to_owned(),
                200,
            ),
            (format!("if-match: {etag}"), 200),
            ("if-match: \"x\"".to_owned(), 412),
        ] {
            let answer = site.ask(&get, &[&header]).await.unwrap();
            assert_eq!(answer.status, status, "{header}");
            assert_eq!(answer.etag(), etag, "{header}");
            assert_eq!(answer.body.is_empty(), status != 200, "{header}");
            if status == 304 {
                assert_eq!(answer.header("content-type"), None);
                assert_eq!(
                    answer.header("cache-control"),
                    first.header("cache-control")
                );
            }
        }
        let head = site
            .ask(
                &format!("HEAD {tail}"),
                &[&format!("if-none-match: {etag}")],
            )
            .await
            .unwrap();
        assert_eq!(head.status, 304);
    }
}

#[tokio::test]
async fn a_part_is_sent_alone() {
    let site = Site::new(
        &[("a.txt", "0123456789"), ("empty.txt", "")],
        StaticOptions::default(),
    );
    let etag = site.get("/a.txt").await.unwrap().etag();
    let same = format!("if-range: {etag}");
    for row in [
        Row(
            "a part",
            "GET /a.txt",
            &["range: bytes=2-4"],
            206,
            &["content-range: bytes 2-4/10", "content-length: 3"],
            Some("234"),
        ),
        Row(
            "the rest",
            "GET /a.txt",
            &["range: bytes=8-"],
            206,
            &["content-range: bytes 8-9/10"],
            Some("89"),
        ),
        Row(
            "the end",
            "GET /a.txt",
            &["range: bytes=-3"],
            206,
            &["content-range: bytes 7-9/10"],
            Some("789"),
        ),
        Row(
            "nothing behind the end",
            "GET /a.txt",
            &["range: bytes=10-"],
            416,
            &["content-range: bytes */10"],
            Some(""),
        ),
        Row(
            "several parts are the whole",
            "GET /a.txt",
            &["range: bytes=0-1,4-5"],
            200,
            &["!content-range"],
            Some("0123456789"),
        ),
        Row(
            "in two headers too",
            "GET /a.txt",
            &["range: bytes=0-1", "range: bytes=4-5"],
            200,
            &[],
            None,
        ),
        Row(
            "nonsense is the whole",
            "GET /a.txt",
            &["range: bytes=4-2"],
            200,
            &[],
            None,
        ),
        Row(
            "a part of the same state",
            "GET /a.txt",
            &["range: bytes=2-4", &same],
            206,
            &[],
            Some("234"),
        ),
        Row(
            "not of another",
            "GET /a.txt",
            &["range: bytes=2-4", "if-range: \"x\""],
            200,
            &[],
            Some("0123456789"),
        ),
        Row(
            "no part of nothing",
            "GET /empty.txt",
            &["range: bytes=0-"],
            200,
            &["content-length: 0"],
            Some(""),
        ),
        Row(
            "304 comes before 206",
            "GET /a.txt",
            &["range: bytes=2-4", "if-none-match: *"],
            304,
            &[],
            Some(""),
        ),
    ] {
        site.check(&row).await;
    }
}

#[tokio::test]
async fn a_large_file_is_streamed_and_cut_like_a_small_one() {
    let site = Site::new(&[], StaticOptions::default());
    let content = pattern(MEMORY_BYTES_MAX as usize * 3 + 7);
    site.write("large.bin", &content);
    let whole = site.get("/large.bin").await.unwrap();
    assert_eq!(
        whole.header("content-length"),
        Some(content.len().to_string().as_str())
    );
    assert!(whole.body == content);
    let part = site
        .ask("GET /large.bin", &["range: bytes=300001-700000"])
        .await
        .unwrap();
    assert_eq!(part.status, 206);
    assert!(part.body == content[300_001..=700_000]);
    let known = site
        .ask(
            "GET /large.bin",
            &[&format!("if-none-match: {}", whole.etag())],
        )
        .await
        .unwrap();
    assert_eq!(known.status, 304);
}

#[tokio::test]
async fn a_page_too_large_for_memory_has_its_base_and_its_parts() {
    let site = Site::new(&[], StaticOptions::default());
    let text = "x".repeat(MEMORY_BYTES_MAX as usize);
    site.write("index.html", format!("<head></head>{text}"));
    let expected = format!("<head><base href=\"/site@1/\" /></head>{text}");
    let whole = site.get("/").await.unwrap();
    assert_eq!(
        whole.header("content-length"),
        Some(expected.len().to_string().as_str())
    );
    assert!(whole.text() == expected);
    for (range, part) in [("0-9", 0..10), ("3-20", 3..21), ("30-70000", 30..70_001)] {
        let answer = site
            .ask("GET /", &[&format!("range: bytes={range}")])
            .await
            .unwrap();
        assert!(answer.text() == &expected[part], "{range}");
    }
}

#[tokio::test]
async fn another_base_is_another_state() {
    let site = Site::new(&[("index.html", "<head></head>")], StaticOptions::default());
    let request = http::Request::new(()).into_parts().0;
    let mut tags = Vec::new();
    for base in ["/a/", "/b/", "/a/"] {
        let super::Found::Response(response) = site.files.serve(&request, "/", base).await else {
            panic!("the page is there");
        };
        tags.push(response.headers()["etag"].clone());
    }
    assert_ne!(tags[0], tags[1]);
    assert_eq!(tags[0], tags[2]);
}
