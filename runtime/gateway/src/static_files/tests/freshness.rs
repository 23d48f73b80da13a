//! Hot files cost no disk, changed files are seen, and large ones are read no faster than they are taken.

use std::fs;
use std::time::Duration;

use http_body_util::BodyExt;

use super::super::StaticOptions;
use super::super::asset::MEMORY_BYTES_MAX;
use super::super::body::CHUNK_BYTES;
use super::{Site, pattern};

async fn believed() {
    tokio::time::advance(Duration::from_millis(200)).await;
}

#[tokio::test(start_paused = true)]
async fn a_hot_file_is_answered_without_the_disk() {
    let site = Site::new(&[("a.txt", "first")], StaticOptions::default());
    assert_eq!(site.get("/a.txt").await.unwrap().text(), "first");
    fs::remove_file(site.path("a.txt")).unwrap();
    assert_eq!(site.get("/a.txt").await.unwrap().text(), "first");
    believed().await;
    assert!(
        site.get("/a.txt").await.is_none(),
        "and its end is seen in time"
    );
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_seen_and_has_another_tag() {
    let site = Site::new(&[("a.txt", "first")], StaticOptions::default());
    let first = site.get("/a.txt").await.unwrap();
    site.write("a.txt", "second");
    believed().await;
    let second = site.get("/a.txt").await.unwrap();
    assert_eq!(second.text(), "second");
    assert_ne!(first.etag(), second.etag());
}

#[tokio::test(start_paused = true)]
async fn a_file_replaced_by_one_of_the_same_length_and_time_is_seen() {
    let site = Site::new(&[("a.txt", "first")], StaticOptions::default());
    let first = site.get("/a.txt").await.unwrap();
    let time = fs::metadata(site.path("a.txt"))
        .unwrap()
        .modified()
        .unwrap();
    site.write("new.txt", "other");
    let file = fs::File::options()
        .write(true)
        .open(site.path("new.txt"))
        .unwrap();
    file.set_modified(time).unwrap();
    fs::rename(site.path("new.txt"), site.path("a.txt")).unwrap();
    believed().await;
    let second = site.get("/a.txt").await.unwrap();
    assert_eq!(second.text(), "other");
    assert_ne!(first.etag(), second.etag(), "the tag is of the content");
}

#[tokio::test(start_paused = true)]
async fn a_coding_that_appears_is_seen() {
    let site = Site::new(&[("a.js", "plain")], StaticOptions::default());
    let accepts = &["accept-encoding: br"];
    assert_eq!(
        site.ask("GET /a.js", accepts).await.unwrap().text(),
        "plain"
    );
    site.write("a.js.br", "brotli");
    believed().await;
    assert_eq!(
        site.ask("GET /a.js", accepts).await.unwrap().text(),
        "brotli"
    );
    fs::remove_file(site.path("a.js.br")).unwrap();
    believed().await;
    assert_eq!(
        site.ask("GET /a.js", accepts).await.unwrap().text(),
        "plain"
    );
}

#[tokio::test(start_paused = true)]
async fn a_large_file_replaced_while_it_is_believed_is_sent_whole() {
    let site = Site::new(&[], StaticOptions::default());
    let (old, new) = (
        pattern(MEMORY_BYTES_MAX as usize + 1),
        pattern(MEMORY_BYTES_MAX as usize * 2),
    );
    site.write("large.bin", &old);
    assert_eq!(site.get("/large.bin").await.unwrap().body.len(), old.len());
    site.write("large.bin", &new);
    let answer = site.get("/large.bin").await.unwrap();
    assert_eq!(
        answer.header("content-length"),
        Some(new.len().to_string().as_str())
    );
    assert!(answer.body == new);
    fs::remove_file(site.path("large.bin")).unwrap();
    assert!(site.get("/large.bin").await.is_none());
}

#[tokio::test]
async fn a_large_file_is_read_chunk_by_chunk() {
    let site = Site::new(&[], StaticOptions::default());
    site.write("large.bin", pattern(CHUNK_BYTES * 8));
    let mut body = site
        .respond("GET /large.bin", &[])
        .await
        .unwrap()
        .into_body();
    let mut chunks = 0;
    while let Some(frame) = body.frame().await {
        assert!(frame.unwrap().data_ref().unwrap().len() <= CHUNK_BYTES);
        chunks += 1;
    }
    assert!(chunks >= 8);
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_sent_breaks_the_response() {
    let site = Site::new(&[], StaticOptions::default());
    site.write("large.bin", pattern(CHUNK_BYTES * 8));
    let mut body = site
        .respond("GET /large.bin", &[])
        .await
        .unwrap()
        .into_body();
    assert!(body.frame().await.unwrap().is_ok());
    let file = fs::File::options()
        .write(true)
        .open(site.path("large.bin"))
        .unwrap();
    file.set_len(CHUNK_BYTES as u64).unwrap();
    assert!(
        body.collect().await.is_err(),
        "an early end must not look like the true one"
    );
}
