//! What is found in a bundle's folder, and what is refused.

#![allow(clippy::unwrap_used)]

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::validate::parse_manifest;

/// A bundle's folder with these files, beside a folder that is none of its business.
fn folder(files: &[&str]) -> (TempDir, PathBuf) {
    let temp = TempDir::new().unwrap();
    let root = temp.path().canonicalize().unwrap();
    let dir = root.join("bundle");
    fs::create_dir_all(&dir).unwrap();
    fs::create_dir_all(root.join("outside")).unwrap();
    fs::write(root.join("outside/index.html"), "secret").unwrap();
    for file in files {
        let path = dir.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    (temp, dir)
}

/// `static public/index.html in public`, `wasm app.wasm` or the faults.
fn outcome(dir: &Path, manifest: &Value) -> Result<String, Vec<String>> {
    let manifest = parse_manifest(manifest.to_string().as_bytes())
        .unwrap()
        .manifest;
    let mut notes = Notes::default();
    let found = find(dir, &manifest, &mut notes);
    if !notes.faults.is_empty() {
        return Err(notes.faults.iter().map(ToString::to_string).collect());
    }
    let shown = |path: &Path| path.strip_prefix(dir).unwrap().display().to_string();
    Ok(match found.entry {
        None => "nothing".to_owned(),
        Some(Entry::Static { index, root }) => {
            let index = index.as_deref().map_or("nothing".to_owned(), shown);
            format!("static {index} in {}", shown(&root))
        }
        Some(Entry::Component { path }) => format!("wasm {}", shown(&path)),
        Some(Entry::Script { path }) => format!("script {}", shown(&path)),
        Some(Entry::Command { argv }) => format!("command {}", argv.join(" ")),
        Some(Entry::Rules) => "rules".to_owned(),
    })
}

#[track_caller]
fn check(files: &[&str], manifest: Value, expected: &str) {
    let (_temp, dir) = folder(files);
    assert_eq!(
        outcome(&dir, &manifest),
        Ok(expected.to_owned()),
        "{files:?} {manifest}"
    );
}

#[test]
fn candidates_are_searched_in_order() {
    let all = [
        "index.mjs",
        "index.js",
        "index.ts",
        "app.wasm",
        "index.wasm",
        "index.html",
    ];
    for (count, expected) in [
        (1, "script index.mjs"),
        (2, "script index.js"),
        (3, "script index.ts"),
        (4, "wasm app.wasm"),
        (5, "wasm index.wasm"),
        (6, "static index.html in "),
    ] {
        check(&all[..count], json!({}), expected);
    }
    check(&["README.md"], json!({}), "nothing");
    check(&["index.html/x", "index.js"], json!({}), "script index.js");
}

#[test]
fn the_configured_entrypoint_wins_when_it_is_there() {
    check(
        &["index.html", "src/server.ts"],
        json!({"entrypoint": "src/server.ts"}),
        "script src/server.ts",
    );
    check(
        &["public/index.html"],
        json!({"entrypoint": "public/index.html"}),
        "static public/index.html in public",
    );
    check(
        &["index.js"],
        json!({"entrypoint": "gone.ts"}),
        "script index.js",
    );
    check(
        &["APP.WASM"],
        json!({"entrypoint": "APP.WASM"}),
        "wasm APP.WASM",
    );
}

#[test]
fn a_component_that_was_not_built_is_not_replaced_by_its_pages() {
    let (_temp, dir) = folder(&["public/index.html", "index.html"]);
    let manifest = json!({ "entrypoint": "app.wasm", "static": "public" });
    let faults = outcome(&dir, &manifest).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("rookery build"), "{faults:?}");
}

#[test]
fn a_static_folder_stands_alone_or_beside_a_worker() {
    check(
        &["public/index.html"],
        json!({"static": "public"}),
        "static public/index.html in public",
    );
    check(
        &["public/a.css"],
        json!({"static": "public"}),
        "static nothing in public",
    );
    check(
        &["public/a.css", "app.wasm"],
        json!({"static": "public"}),
        "wasm app.wasm",
    );
    check(
        &["public/a.css", "index.html"],
        json!({"static": "public"}),
        "static nothing in public",
    );
    check(
        &["a.css", "index.html"],
        json!({"static": "."}),
        "static index.html in ",
    );
    let nested = json!({"static": "public", "entrypoint": "public/en/index.html"});
    check(
        &["public/en/index.html"],
        nested,
        "static public/en/index.html in public",
    );
}

#[test]
fn a_command_or_rules_need_no_file() {
    check(
        &["index.html"],
        json!({"command": "./server -p 1"}),
        "command ./server -p 1",
    );
    check(
        &[],
        json!({"proxy": {"^/": {"target": "http://b"}}}),
        "rules",
    );
    check(
        &["app.wasm"],
        json!({"proxy": {"^/": {"target": "http://b"}}}),
        "wasm app.wasm",
    );
}

#[track_caller]
fn refuse(dir: &Path, manifest: Value, expected: &[&str]) {
    let expected = expected.iter().map(ToString::to_string).collect();
    assert_eq!(outcome(dir, &manifest), Err(expected), "{manifest}");
}

#[test]
fn what_is_no_entrypoint_is_refused() {
    let (_temp, dir) = folder(&["main.py", "src/x.ts", "file", "page.html"]);
    refuse(
        &dir,
        json!({"entrypoint": "main.py"}),
        &["entrypoint: must end in .html, .wasm, .ts, .js or .mjs"],
    );
    refuse(
        &dir,
        json!({"entrypoint": "page.html", "static": "src"}),
        &["entrypoint: is a page outside of the folder that static names"],
    );
    refuse(
        &dir,
        json!({"entrypoint": "src"}),
        &["entrypoint: is not a file"],
    );
    refuse(
        &dir,
        json!({"static": "file"}),
        &["static: is not a folder"],
    );
    refuse(
        &dir,
        json!({"static": "gone", "entrypoint": "src"}),
        &["static: is not in the bundle", "entrypoint: is not a file"],
    );
}

#[cfg(unix)]
#[test]
fn a_link_that_leaves_the_bundle_is_refused() {
    let (_temp, dir) = folder(&["real.html"]);
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, dir.join(name)).unwrap();
    link("../outside/index.html", "out.html");
    link("../outside", "out");
    link("real.html", "in.html");
    link("loop.html", "loop.html");
    link("../outside/gone.html", "gone.html");
    let leaves = "leaves its folder through a link";
    refuse(
        &dir,
        json!({"entrypoint": "out.html"}),
        &[&format!("entrypoint: {leaves}")],
    );
    refuse(
        &dir,
        json!({"entrypoint": "out/index.html"}),
        &[&format!("entrypoint: {leaves}")],
    );
    refuse(
        &dir,
        json!({"static": "out"}),
        &[&format!("static: {leaves}")],
    );
    assert_eq!(
        outcome(&dir, &json!({"entrypoint": "in.html"})),
        Ok("static real.html in ".to_owned())
    );
    assert_eq!(
        outcome(&dir, &json!({"entrypoint": "gone.html"})),
        Ok("nothing".to_owned())
    );
    assert!(outcome(&dir, &json!({"entrypoint": "loop.html"})).is_err());

    link("../outside/index.html", "index.html");
    refuse(
        &dir,
        json!({}),
        &[&format!("entrypoint: index.html {leaves}")],
    );
    fs::create_dir(dir.join("public")).unwrap();
    link("../../outside/index.html", "public/index.html");
    fs::remove_file(dir.join("index.html")).unwrap();
    refuse(
        &dir,
        json!({"static": "public"}),
        &[&format!("static: index.html {leaves}")],
    );
}
