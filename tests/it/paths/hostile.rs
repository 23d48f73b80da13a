//! Paths that nobody would type, from a seed, against a live server.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rookery_tests::{Apps, Bundle, Raw, Server, kitchen};
use tokio::runtime::Handle;

const SECRET: &str = "the secret outside";
/// Bounded: each is a connection of its own.
const CASES: u32 = 192;

/// Pieces that mean something to somebody on the way, put together at random.
fn path() -> impl Strategy<Value = String> {
    let telling = prop::sample::select(vec![
        "/",
        "//",
        "/./",
        "/..",
        "/../",
        "..",
        "...",
        "\\",
        "%2f",
        "%2F",
        "%5c",
        "%2e",
        "%2e%2e",
        "%252e",
        "%00",
        "%ff",
        "%zz",
        "%",
        "@",
        "@@",
        "@1",
        "@^1",
        "@%5E1.0.0",
        "@*",
        "@latest",
        "@9",
        "@>=1 <2",
        "@scope",
        "site",
        "kitchen",
        "path",
        "secret.txt",
        "link",
        ".env",
        "worker.config.json",
        "manifest.yaml",
        "package.json",
        "~",
        ":",
        ";",
        "?",
        "#",
        "&",
        "_",
        "é",
        " ",
        "\u{7f}",
        "http://x/",
        "CON",
        "1.0.0",
    ]);
    let any = "[!-~]{1,6}";
    let piece = prop_oneof![6 => telling.prop_map(str::to_owned), 1 => any];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// Buntime 9, 10, 13, 14. No path makes the server fail, shows what is not served, or leaves an answer without an id.
#[tokio::test(flavor = "multi_thread")]
async fn no_path_fails_the_server_or_shows_what_is_private() {
    let site = Bundle::site("the page")
        .file(".env", SECRET)
        .file("package.json", format!("{{\"description\":\"{SECRET}\"}}"))
        .file("manifest.yaml", format!("# {SECRET}"));
    let apps = Apps::new()
        .with("site/1.0.0", site)
        .with("kitchen/1.0.0", Bundle::component(kitchen()));
    std::fs::write(apps.outside().join("secret.txt"), SECRET).unwrap();
    std::fs::write(apps.dir().join("secret.txt"), SECRET).unwrap();
    std::os::unix::fs::symlink(apps.outside(), apps.path("site/1.0.0/link")).unwrap();
    let server = Server::start(apps).await;
    let address = server.address();
    let runtime = Handle::current();
    let tried = tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new(Config {
            cases: CASES,
            // The seed and the path are printed; there is no file to keep them in.
            failure_persistence: None,
            ..Config::default()
        });
        runner.run(&path(), |path| {
            let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let answer = runtime.block_on(Raw::exchange(address, request));
            prop_assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
            prop_assert!(!answer.starts_with("HTTP/1.1 5"), "{answer}");
            prop_assert!(!answer.contains(SECRET), "{answer}");
            Ok(())
        })
    });
    tried.await.unwrap().unwrap();
    for path in ["/site/", "/kitchen/hello"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
}
