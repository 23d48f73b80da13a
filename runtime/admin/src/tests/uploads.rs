//! Forms of files and archives, and what is left of those that are refused.

use std::fs;
use std::io::{Cursor, Write};

use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::files::{form, names, server};
use crate::folder::STAGING;

fn zip_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn files_of_a_form_come_into_their_folder() {
    let server = server();
    let answer = server
        .upload(&[
            ("files", Some("a.txt"), b"a"),
            ("files", Some("sub/b.txt"), b"b"),
            ("path", None, b"chat/1.0.0"),
            ("files", Some("index.html"), b"<h1>"),
        ])
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (200, json!({ "success": true }))
    );
    for (name, content) in [
        ("a.txt", "a"),
        ("sub/b.txt", "b"),
        ("index.html", "<h1>"),
        ("deep/x.txt", "12345"),
    ] {
        assert_eq!(server.read(&format!("chat/1.0.0/{name}")), content);
    }
    assert_eq!(server.left_over().await, Vec::<String>::new());
}

#[tokio::test]
async fn archives_of_a_form_are_unpacked_in_place() {
    let server = server();
    let archive = zip_of(&[
        ("2.0.0/index.html", "two"),
        ("1.0.0/index.html", "one again"),
    ]);
    let answer = server
        .upload(&[
            ("path", None, b"chat"),
            ("files", Some("app.ZIP"), &archive),
        ])
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        (
            server.read("chat/2.0.0/index.html"),
            server.read("chat/1.0.0/index.html")
        ),
        ("two".into(), "one again".into())
    );
    assert_eq!(
        server.read("chat/1.0.0/deep/x.txt"),
        "12345",
        "what the archive has not stays"
    );
    assert!(!server.path("chat/app.ZIP").exists());
    let in_root = server
        .upload(&[("files", Some("new.zip"), &zip_of(&[("new/1.0.0/a", "a")]))])
        .await;
    assert_eq!(
        (in_root.status.as_u16(), server.read("new/1.0.0/a")),
        (200, "a".into())
    );
}

#[tokio::test]
async fn an_archive_that_is_refused_leaves_nothing() {
    let server = server();
    let before = names(&server.path("chat"));
    for (archive, reason) in [
        (
            zip_of(&[("ok.txt", "x"), ("../../evil", "x")]),
            "leads out of the folder",
        ),
        (
            zip_of(&[("zeros", &"\0".repeat(32 << 20))]),
            "100 times its size",
        ),
        (b"PK\x03\x04 and no more".to_vec(), "damaged"),
        (b"hello".to_vec(), "neither a .tar.gz nor a .zip"),
    ] {
        let answer = server
            .upload(&[
                ("path", None, b"chat"),
                ("files", Some("good.txt"), b"x"),
                ("files", Some("x.zip"), &archive),
            ])
            .await;
        assert_eq!(answer.outcome(), (422, "ARCHIVE_REFUSED".into()));
        assert!(answer.body.contains(reason), "{}", answer.body);
    }
    assert_eq!(names(&server.path("chat")), before);
    let hidden = server
        .upload(&[(
            "files",
            Some("x.zip"),
            &zip_of(&[(".rookery-staging/x", "x")]),
        )])
        .await;
    assert_eq!(hidden.outcome(), (400, "INVALID_PATH".into()));
    let clashing = zip_of(&[("a-new.txt", "x"), ("ant.txt/x", "x")]);
    let clash = server.upload(&[("files", Some("x.zip"), &clashing)]).await;
    assert_eq!(clash.outcome(), (409, "ALREADY_EXISTS".into()));
    assert!(!server.path("a-new.txt").exists());
    assert_eq!(server.left_over().await, Vec::<String>::new());
}

#[tokio::test]
async fn half_a_form_changes_nothing() {
    let server = server();
    let whole = form(&[
        ("path", None, b"chat"),
        ("files", Some("a.txt"), &[b'a'; 10_000]),
    ]);
    let headers = ["content-type: multipart/form-data; boundary=X"];
    let half = whole[..whole.len() / 2].to_vec();
    let answer = server
        .tell("POST /_/deployments/upload", &headers, half)
        .await;
    assert_eq!(answer.outcome(), (400, "BAD_REQUEST".into()));
    assert!(!server.path("chat/a.txt").exists());
    assert_eq!(server.left_over().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_dead_server_left_is_removed_by_the_next_one_and_what_a_living_one_writes_is_not() {
    let first = server();
    let staging = first.path(STAGING);
    for (name, lock) in [("dead", true), ("older", false)] {
        fs::create_dir_all(staging.join(name)).unwrap();
        fs::write(staging.join(name).join("half"), "x").unwrap();
        if lock {
            fs::write(staging.join(format!("{name}.lock")), "").unwrap();
        }
    }
    // One that died between the two steps of beginning, or of cleaning up.
    fs::write(staging.join("alone.lock"), "").unwrap();
    fs::create_dir(staging.join("living")).unwrap();
    let lock = fs::File::create(staging.join("living.lock")).unwrap();
    lock.lock().unwrap();
    crate::folder::Folder::sweep(&first.path(""));
    let mut left = names(&staging);
    left.sort();
    assert_eq!(left, ["living", "living.lock"]);
}
