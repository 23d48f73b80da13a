//! What changes a bundle's digest.

use std::fs;

use serde_json::{Value, json};

use super::*;

#[test]
fn the_digest_changes_with_what_is_served() {
    let digest = |files: &[(&str, Value)]| opened(files).digest;
    let plain = digest(&[("app.wasm", json!("a"))]);
    assert_eq!(plain, digest(&[("app.wasm", json!("a"))]));
    assert_ne!(plain, digest(&[("app.wasm", json!("b"))]));
    assert_ne!(plain, digest(&[("index.wasm", json!("a"))]));
    assert_ne!(
        plain,
        digest(&[("app.wasm", json!("a")), (MANIFEST_FILE, json!({"ttl": 1}))])
    );
    assert_eq!(
        plain,
        digest(&[("app.wasm", json!("a")), ("README.md", json!("x"))])
    );
    assert_eq!(plain.to_string().len(), 64);
}

#[test]
fn a_processes_digest_sees_the_code_that_it_may_load_and_not_what_it_writes() {
    let command = (MANIFEST_FILE, json!({ "command": ["./app", "start"] }));
    for first in [("index.js", json!("x")), command] {
        let temp = folder(&[first, ("app", json!("one")), ("lib/a.ts", json!("a"))]);
        let digest = || open(temp.path(), expect(Some("1.2.0"))).unwrap().digest;
        let before = digest();
        for written in ["data/chat.sqlite", "node_modules/x/a.js", ".cache/a.js"] {
            let path = temp.path().join(written);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
            assert_eq!(before, digest(), "{written}");
        }
        fs::write(temp.path().join("lib/a.ts"), "ab").unwrap();
        assert_ne!(before, digest());
    }
    let program = |text: &str| {
        let command = (MANIFEST_FILE, json!({ "command": "./app" }));
        opened(&[command, ("app", json!(text))]).digest
    };
    assert_ne!(program("one"), program("two"));
}

#[test]
fn a_static_bundles_digest_sees_every_file() {
    let temp = folder(&[("index.html", json!("x")), ("css/a.css", json!("x"))]);
    let digest = || open(temp.path(), expect(Some("1.2.0"))).unwrap().digest;
    let first = digest();
    assert_eq!(first, digest());
    fs::write(temp.path().join("css/a.css"), "xy").unwrap();
    let longer = digest();
    assert_ne!(first, longer);
    fs::rename(temp.path().join("css/a.css"), temp.path().join("css/b.css")).unwrap();
    let renamed = digest();
    assert_ne!(longer, renamed);
    let file = fs::File::options()
        .write(true)
        .open(temp.path().join("css/b.css"))
        .unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    assert_ne!(renamed, digest());
}
