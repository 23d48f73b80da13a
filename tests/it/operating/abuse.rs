//! Archives that were made to do harm, and servers that die in the middle of a deploy.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use rookery_tests::{Answer, Apps, Bundle, Options, Raw, Reading, Server, kitchen, until};
use serde_json::Value;

/// A block of a tar archive.
const BLOCK: usize = 512;

/// The head of an entry (POSIX `ustar`).
fn head(name: &str, kind: u8, link: &str, size: usize) -> Vec<u8> {
    let mut head = vec![0; BLOCK];
    let mut put =
        |at: usize, text: &str| head[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(124, &format!("{size:011o}\0"));
    put(136, "00000000000\0");
    put(148, "        ");
    put(157, link);
    put(257, "ustar\x0000");
    head[156] = kind;
    let sum: u32 = head.iter().copied().map(u32::from).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    head
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    let mut entry = head(name, b'0', "", content.len());
    entry.extend_from_slice(content);
    entry.resize(entry.len().next_multiple_of(BLOCK), 0);
    entry
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = Command::new("gzip")
        .args(["-9", "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, bytes) = (gzip.stdin.take().unwrap(), bytes.to_vec());
    let writing = std::thread::spawn(move || input.write_all(&bytes).unwrap());
    let packed = gzip.wait_with_output().unwrap().stdout;
    writing.join().unwrap();
    packed
}

fn tar_gz(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut tar = entries.concat();
    tar.extend_from_slice(&[0; 2 * BLOCK]);
    gzip(&tar)
}

/// A zip archive of one file that is not compressed (APPNOTE 4.3), with a Unix mode.
fn zip(name: &str, content: &[u8], mode: u32) -> Vec<u8> {
    let (crc, size) = (crc32(content), u32::try_from(content.len()).unwrap());
    let mut fields = Vec::new();
    for number in [10_u16, 0, 0, 0, 0] {
        fields.extend_from_slice(&number.to_le_bytes());
    }
    for number in [crc, size, size] {
        fields.extend_from_slice(&number.to_le_bytes());
    }
    let length = u16::try_from(name.len()).unwrap().to_le_bytes();
    fields.extend_from_slice(&length);
    fields.extend_from_slice(&[0, 0]);
    let local = [b"PK\x03\x04", &fields[..], name.as_bytes(), content].concat();
    let mut directory = [b"PK\x01\x02", &[10, 3][..], &fields[..]].concat();
    // No comment, the first disk, no inner attributes; the mode, and where the file begins.
    directory.extend_from_slice(&[0; 6]);
    directory.extend_from_slice(&(mode << 16).to_le_bytes());
    directory.extend_from_slice(&0_u32.to_le_bytes());
    directory.extend_from_slice(name.as_bytes());
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    for length in [directory.len(), local.len()] {
        end.extend_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
    }
    end.extend_from_slice(&[0, 0]);
    [local, directory, end].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

async fn put(server: &Server, label: &str, archive: Vec<u8>) -> Answer {
    let call = server.call("PUT", &format!("/_/deployments/{label}"));
    call.body(archive).send().await
}

/// The archives of this file are sound: what is refused is refused for its harm.
#[tokio::test]
async fn the_same_archives_without_their_harm_are_deployed() {
    let server = Server::start(Apps::new()).await;
    let archives = [
        tar_gz(&[page(), file("more/x", &noise())]),
        zip("index.html", b"<p>bait", 0o100_644),
    ];
    for (at, archive) in archives.into_iter().enumerate() {
        let deployed = put(&server, &format!("bait/{at}.0.0"), archive).await;
        assert_eq!(deployed.status, 201, "{}", deployed.text());
        let served = server.get(&format!("/bait@{at}.0.0/")).await;
        assert_eq!(served.text(), "<p>bait");
    }
}

/// Nothing of a refused deploy is anywhere.
async fn left_nothing(server: &Server) {
    let apps = server.apps();
    until("what was staged is removed", async || {
        let staging = fs::read_dir(apps.path(".rookery-staging"));
        (staging.map_or(0, Iterator::count) == 0).then_some(())
    })
    .await;
    let entries = fs::read_dir(apps.dir()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names.filter(|name| name != ".rookery-staging").collect();
    assert!(names.is_empty(), "{names:?}");
    let around = fs::read_dir(apps.outside()).unwrap();
    let planted = around.filter(|entry| entry.as_ref().unwrap().file_name() == "planted");
    assert_eq!(planted.count(), 0);
}

/// An app that an archive is made of whose other entry is the harm.
fn page() -> Vec<u8> {
    file("index.html", b"<p>bait")
}

#[tokio::test]
async fn no_archive_leads_out_of_its_folder() {
    let server = Server::start(Apps::new()).await;
    for (name, reason) in [
        ("../planted", "leads out of the folder"),
        ("../../planted", "leads out of the folder"),
        ("a/../../../planted", "leads out of the folder"),
        ("./../planted", "leads out of the folder"),
        ("/planted", "is an absolute path"),
        ("..\\planted", "a character that no name may have"),
    ] {
        for archive in [
            tar_gz(&[page(), file(name, b"x")]),
            zip(name, b"x", 0o100_644),
        ] {
            let refused = put(&server, "bait/1.0.0", archive).await;
            let told = refused.json();
            assert_eq!(refused.status, 422, "{name}: {told}");
            assert_eq!(told["code"], "ARCHIVE_REFUSED", "{name}");
            assert!(told["error"].as_str().unwrap().contains(reason), "{told}");
        }
    }
    left_nothing(&server).await;
}

#[tokio::test]
async fn links_devices_and_pipes_are_refused_whatever_they_lead_to() {
    let server = Server::start(Apps::new()).await;
    for (kind, link, what) in [
        (b'2', "/etc/passwd", "a symbolic link"),
        (b'2', "index.html", "a symbolic link"),
        (b'2', "..", "a symbolic link"),
        (b'1', "index.html", "a hard link"),
        (b'1', "/etc/passwd", "a hard link"),
        (b'3', "", "a device"),
        (b'4', "", "a device"),
        (b'6', "", "a pipe"),
    ] {
        let archive = tar_gz(&[page(), head("harm", kind, link, 0), file("harm/x", b"x")]);
        let refused = put(&server, "bait/1.0.0", archive).await;
        let told = refused.json();
        assert_eq!(told["code"], "ARCHIVE_REFUSED", "{told}");
        assert!(told["error"].as_str().unwrap().contains(what), "{told}");
    }
    for mode in [0o120_777, 0o020_666, 0o060_666, 0o010_644, 0o140_644] {
        let refused = put(
            &server,
            "bait/1.0.0",
            zip("index.html", b"/etc/passwd", mode),
        )
        .await;
        let told = refused.json();
        assert_eq!(told["code"], "ARCHIVE_REFUSED", "{mode:o}");
        let error = told["error"].as_str().unwrap();
        assert!(
            error.contains("only files and folders are taken"),
            "{mode:o}: {told}"
        );
    }
    left_nothing(&server).await;
}

/// 160 files of 64 MiB, each of zeros.
fn bomb() -> Vec<u8> {
    const FILE_BYTES: usize = 64 << 20;
    let zeros = gzip(&vec![0; FILE_BYTES]);
    let files = (0..160).map(|n| {
        // Members of one archive follow each other (RFC 1952, 2.2).
        let head = gzip(&head(&format!("zeros-{n}"), b'0', "", FILE_BYTES));
        [head, zeros.clone()].concat()
    });
    files.collect::<Vec<_>>().concat()
}

/// The disk's worth of a bomb is told by its first pieces.
#[tokio::test]
async fn a_bomb_of_10_gb_is_known_for_one() {
    let server = Server::start(Apps::new()).await;
    let bomb = bomb();
    assert!(bomb.len() < 12 << 20, "{}", bomb.len());
    let refused = put(&server, "bomb/1.0.0", bomb).await;
    let told = refused.json();
    assert_eq!(told["code"], "ARCHIVE_REFUSED", "{told}");
    assert!(
        told["error"]
            .as_str()
            .unwrap()
            .contains("100 times its size"),
        "{told}"
    );
    assert!(server.memory_peak_bytes() < 1 << 30);
    left_nothing(&server).await;
}

#[tokio::test]
async fn half_an_upload_is_none() {
    let server = Server::start(Apps::new()).await;
    let archive = tar_gz(&[page(), file("noise", &noise())]);
    // The client is gone before it sent what it announced.
    let mut raw = Raw::connect(server.address()).await;
    let start = format!(
        "PUT /_/deployments/half/1.0.0 HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
        archive.len()
    );
    raw.send(start).await;
    raw.send(&archive[..archive.len() / 2]).await;
    until("it is being written", async || {
        let staging = fs::read_dir(server.apps().path(".rookery-staging"));
        (staging.map_or(0, Iterator::count) > 0).then_some(())
    })
    .await;
    drop(raw);
    left_nothing(&server).await;
    // A proxy on the way cut it, and said a length that fits.
    for end in [1, archive.len() / 2, archive.len() - 1] {
        let refused = put(&server, "half/1.0.0", archive[..end].to_vec()).await;
        assert_eq!(refused.json()["code"], "ARCHIVE_REFUSED", "{end}");
    }
    left_nothing(&server).await;
    assert_eq!(server.get("/half/").await.status, 404);
}

/// What does not get smaller.
fn noise() -> Vec<u8> {
    let noise = (0..20_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23));
    noise.flat_map(u64::to_le_bytes).collect()
}

/// Reads until the deploy has come to this step.
async fn until_step(reading: &mut Reading, wanted: &str) {
    let mut text = String::new();
    loop {
        let chunk = reading.chunk().await.unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        let mut lines = text.lines();
        let is_there = lines.any(|line| {
            let step = serde_json::from_str::<Value>(line).unwrap_or_default();
            step["step"] == wanted
        });
        if is_there {
            return;
        }
    }
}

fn packed(dir: &Path) -> Vec<u8> {
    let mut tar = Command::new("tar");
    let packed = tar.args(["czf", "-", "-C"]).arg(dir).arg(".").output();
    packed.unwrap().stdout
}

/// Killed at each step, with an older build of the version in the place: what is there afterwards is one of the two,
/// whole, and the next server throws away what is half done.
#[tokio::test]
async fn a_server_that_is_killed_in_a_deploy_leaves_one_of_two_whole_builds() {
    let (old, new) = ("<p>the old build", "<p>the new build");
    let build = |page: &str| Bundle::component(kitchen()).file("public/index.html", page);
    let manifest = serde_json::json!({ "static": "public", "ttl": 60 });
    let sources = Apps::new();
    sources.publish("new", &build(new).manifest(manifest.clone()));
    let archive = packed(&sources.path("new"));
    for step in ["received", "unpacked", "compiled", "health", "live"] {
        let apps = Apps::new().with("kitchen/1.0.0", build(old).manifest(manifest.clone()));
        let mut server = Server::start(apps).await;
        let call = server.call("PUT", "/_/deployments/kitchen/1.0.0?replace=true");
        let call = call.header("accept", "application/x-ndjson");
        let mut reading = call.body(archive.clone()).open().await;
        until_step(&mut reading, step).await;
        server.signal("KILL");
        server.exited().await;
        drop(reading);

        let server = server.again(Options::new()).await;
        let staging = fs::read_dir(server.apps().path(".rookery-staging"));
        assert_eq!(staging.map_or(0, Iterator::count), 0, "{step}");
        let served = server.get("/kitchen@1.0.0/").await;
        let page = served.text().to_owned();
        assert!([old, new].contains(&page.as_str()), "{step}: {page}");
        if step == "live" {
            assert_eq!(page, new);
        }
        assert_eq!(
            server.get("/kitchen@1.0.0/hello").await.status,
            200,
            "{step}"
        );
        let folder = server.apps().path("kitchen/1.0.0");
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["app.wasm", "public", "worker.config.json"],
            "{step}"
        );
    }
}

/// The same for the first version of an app: it is there whole, or nothing is, not even the app's folder.
#[tokio::test]
async fn a_server_that_is_killed_in_a_first_deploy_leaves_a_whole_app_or_none() {
    let sources = Apps::new().with("new", Bundle::component(kitchen()));
    let archive = packed(&sources.path("new"));
    let mut server = Server::start(Apps::new()).await;
    for round in 0..6 {
        let app = format!("kitchen-{round}");
        let call = server.call("PUT", &format!("/_/deployments/{app}/1.0.0"));
        let call = call.header("accept", "application/x-ndjson");
        let mut reading = call.body(archive.clone()).open().await;
        until_step(&mut reading, "health").await;
        server.signal("KILL");
        server.exited().await;
        drop(reading);
        server = server.again(Options::new()).await;
        let told = server.get("/_/deployments").await.json();
        assert_eq!(told["reports"], serde_json::json!([]), "{told}");
        let is_there = server.apps().path(&app).exists();
        let status = server.get(&format!("/{app}/hello")).await.status.as_u16();
        assert_eq!(status, if is_there { 200 } else { 404 });
        let staging = fs::read_dir(server.apps().path(".rookery-staging"));
        assert_eq!(staging.map_or(0, Iterator::count), 0);
    }
}

/// A client that connects and says nothing has no turn: uploads of others go on.
#[tokio::test]
async fn silent_connections_keep_nobody_from_deploying() {
    let server = Server::start(Apps::new()).await;
    let silent: Vec<_> = (0..64)
        .map(|_| TcpStream::connect(server.address()).unwrap())
        .collect();
    let deployed = put(&server, "site/1.0.0", tar_gz(&[page()])).await;
    assert_eq!(deployed.status, 201, "{}", deployed.text());
    drop(silent);
}
