//! Whole bundles on disk: which file describes them, which version they have.

#![allow(clippy::unwrap_used)]

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

mod digests;

/// A folder whose name would give itself away in a message.
fn folder(files: &[(&str, Value)]) -> TempDir {
    let temp = TempDir::with_prefix("do-not-show-").unwrap();
    for (name, content) in files {
        let path = temp.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content {
            Value::String(text) => fs::write(path, text).unwrap(),
            json => fs::write(path, json.to_string()).unwrap(),
        }
    }
    temp
}

fn expect(version: Option<&str>) -> Expect {
    let version = version.map(|version| Version::parse(version).unwrap());
    Expect {
        name: AppName::parse("chat").unwrap(),
        version,
    }
}

/// Opens the folder as version 1.2.0 of `chat`.
#[track_caller]
fn opened(files: &[(&str, Value)]) -> Bundle {
    let temp = folder(files);
    open(temp.path(), expect(Some("1.2.0"))).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn refuse(files: &[(&str, Value)], version: Option<&str>, expected: &str) {
    let temp = folder(files);
    let error = open(temp.path(), expect(version)).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert!(!format!("{error:?}").contains("do-not-show-"), "{error:?}");
}

const WASM: &str = "\0asm";

#[test]
fn a_bundle_without_a_manifest_has_the_defaults() {
    let bundle = opened(&[("app.wasm", json!(WASM))]);
    assert_eq!(bundle.manifest, Manifest::default());
    assert_eq!(
        (bundle.label().as_str(), bundle.kind()),
        ("chat@1.2.0", Kind::Wasm)
    );
    assert_eq!(bundle.namespace().as_str(), "chat@1");
    assert_eq!(bundle.static_root(), None);
    assert!(bundle.warnings.is_empty());
}

#[test]
fn the_manifest_wins_over_package_json() {
    let package = json!({"name": "@x/other", "version": "9.0.0", "workerConfig": {"ttl": 7}, "scripts": {"a": "b"}});
    let html = ("index.html", json!("<p>"));
    let ttl = |files: &[(&str, Value)]| opened(files).manifest.ttl.as_secs();
    assert_eq!(
        ttl(&[
            html.clone(),
            (PACKAGE_FILE, package.clone()),
            (MANIFEST_FILE, json!({"ttl": 3}))
        ]),
        3
    );
    assert_eq!(ttl(&[html.clone(), (PACKAGE_FILE, package)]), 7);
    assert_eq!(
        ttl(&[html.clone(), (PACKAGE_FILE, json!({"workerConfig": null}))]),
        0
    );
    // The manifest is enough: a package.json that nobody asks for may be broken.
    assert_eq!(
        ttl(&[
            html,
            (PACKAGE_FILE, json!("{")),
            (MANIFEST_FILE, json!({"ttl": 3}))
        ]),
        3
    );
}

#[test]
fn the_version_comes_from_the_folder_then_the_manifest_then_package_json() {
    let files = |manifest: Value, package: Value| {
        [
            ("index.html", json!("x")),
            (MANIFEST_FILE, manifest),
            (PACKAGE_FILE, package),
        ]
    };
    let version = |files: &[(&str, Value)], folder_version| {
        let temp = folder(files);
        open(temp.path(), expect(folder_version))
            .map(|bundle| bundle.version.to_string())
            .map_err(|e| e.to_string())
    };
    let both = files(json!({"version": "2.0.0"}), json!({"version": "3.0.0"}));
    assert_eq!(version(&both, None).as_deref(), Ok("2.0.0"));
    assert_eq!(version(&both, Some("2.0.0")).as_deref(), Ok("2.0.0"));
    let packaged = files(json!({}), json!({"version": "3.0.0"}));
    assert_eq!(version(&packaged, None).as_deref(), Ok("3.0.0"));
    assert_eq!(version(&packaged, Some("1.0.0")).as_deref(), Ok("1.0.0"));
    let none = "chat has no version: name the folder after it, or set \"version\" in worker.config.json or package.json";
    assert_eq!(
        version(&files(json!({}), json!({"version": "latest"})), None),
        Err(none.to_owned())
    );
    refuse(&[("index.html", json!("x"))], None, none);
}

#[test]
fn a_manifest_in_the_wrong_folder_is_refused() {
    refuse(
        &[
            (MANIFEST_FILE, json!({"name": "other", "version": "2.0.0"})),
            ("index.js", json!("x")),
        ],
        Some("1.2.0"),
        "worker.config.json is invalid:\n  name: is other, but the folder is chat's\n  version: is 2.0.0, but the folder \
         is of 1.2.0",
    );
}

#[test]
fn faults_of_the_manifest_and_of_the_folder_come_together() {
    refuse(
        &[
            (MANIFEST_FILE, json!({"timeout": "abc", "static": "public"})),
            ("index.js", json!("x")),
        ],
        Some("1.2.0"),
        "worker.config.json is invalid:\n  timeout: expected seconds, or a text like \"500ms\", \"45s\", \"2m\", \"1h\", \
         found \"abc\"\n  static: is not in the bundle",
    );
    refuse(
        &[
            (PACKAGE_FILE, json!({"workerConfig": {"ttl": -1, "tll": 1}})),
            ("index.js", json!("x")),
        ],
        Some("1.2.0"),
        "package.json is invalid:\n  ttl: expected seconds, or a text like \"500ms\", \"45s\", \"2m\", \"1h\", found -1\
         \n  tll: unknown key; the nearest known one is \"ttl\"",
    );
    refuse(
        &[
            (PACKAGE_FILE, json!({"workerConfig": []})),
            ("index.js", json!("x")),
        ],
        Some("1.2.0"),
        "package.json is invalid:\n  workerConfig: expected an object",
    );
}

#[test]
fn a_folder_with_nothing_to_serve_is_refused() {
    let candidates = "index.html, index.wasm, app.wasm, index.ts, index.js, index.mjs";
    let nothing = |names: &str| {
        format!(
            "the bundle has no entrypoint: none of {names} is there, and no command, static or proxy is set"
        )
    };
    refuse(
        &[("README.md", json!("x"))],
        Some("1.2.0"),
        &nothing(candidates),
    );
    refuse(
        &[(MANIFEST_FILE, json!({"entrypoint": "src/main.ts"}))],
        Some("1.2.0"),
        &nothing(&format!("src/main.ts, {candidates}")),
    );
}

/// Buntime 20.
#[test]
fn manifest_yaml_describes_what_no_json_describes() {
    let html = ("index.html", json!("<p>"));
    let yaml = (YAML_FILE, json!("ttl: 5s\nversion: 3.0.0\n"));
    let package = (PACKAGE_FILE, json!({"version": "9.0.0"}));
    let ttl = |files: &[(&str, Value)]| {
        let temp = folder(files);
        let bundle = open(temp.path(), expect(None)).unwrap();
        (bundle.manifest.ttl.as_secs(), bundle.version.to_string())
    };
    let version = |text: &str| text.to_owned();
    assert_eq!(ttl(&[html.clone(), yaml.clone()]), (5, version("3.0.0")));
    assert_eq!(
        ttl(&[html.clone(), yaml.clone(), package]),
        (5, version("3.0.0"))
    );
    let package = json!({"version": "9.0.0", "workerConfig": {"ttl": 7}});
    assert_eq!(
        ttl(&[html.clone(), yaml.clone(), (PACKAGE_FILE, package)]),
        (7, version("9.0.0"))
    );
    let manifest = json!({"version": "1.0.0", "ttl": 3});
    assert_eq!(
        ttl(&[html.clone(), yaml, (MANIFEST_FILE, manifest)]),
        (3, version("1.0.0"))
    );
    refuse(
        &[html.clone(), (YAML_FILE, json!("ttl: 1\ntimeout: abc\n"))],
        Some("1.2.0"),
        "manifest.yaml is invalid:\n  timeout: expected seconds, or a text like \"500ms\", \"45s\", \"2m\", \"1h\", found \"abc\"",
    );
    refuse(
        &[html, (YAML_FILE, json!("ttl: 1\nttl: 2\n"))],
        Some("1.2.0"),
        "manifest.yaml is not YAML as it is read here: \"ttl\" is there twice (line 2, column 1)",
    );
}

/// Buntime 23.
#[test]
fn a_broken_manifest_can_be_passed_over_for_the_next() {
    let read = |files: &[(&str, Value)], broken| {
        let temp = folder(files);
        open_as(temp.path(), expect(Some("1.2.0")), broken)
    };
    let html = ("index.html", json!("<p>"));
    let broken = (MANIFEST_FILE, json!("{\"ttl\": 3,}"));
    let package = (PACKAGE_FILE, json!({"workerConfig": {"ttl": 7}}));
    let both = [html.clone(), broken.clone(), package];
    assert!(read(&both, BrokenManifest::Refused).is_err());
    let bundle = read(&both, BrokenManifest::PassedOver).unwrap();
    assert_eq!(bundle.manifest.ttl.as_secs(), 7);
    assert_eq!(
        bundle.warnings,
        [
            "worker.config.json is not JSON: trailing comma (line 1, column 11); it is passed over, as the operator wants it"
        ]
    );
    let all = [
        html.clone(),
        broken.clone(),
        (PACKAGE_FILE, json!("{")),
        (YAML_FILE, json!("ttl: [")),
    ];
    let bundle = read(&all, BrokenManifest::PassedOver).unwrap();
    assert_eq!(bundle.manifest, Manifest::default());
    assert_eq!(bundle.warnings.len(), 3, "{:?}", bundle.warnings);
    // A value that is wrong is no matter of its language.
    let wrong = [html, (MANIFEST_FILE, json!({"ttl": "soon"}))];
    assert!(read(&wrong, BrokenManifest::PassedOver).is_err());
    let digest = |ttl: &str| {
        let broken = (MANIFEST_FILE, json!(format!("{{\"ttl\": {ttl},}}")));
        let files = [("index.js", json!("x")), broken];
        read(&files, BrokenManifest::PassedOver).unwrap().digest
    };
    assert_ne!(digest("3"), digest("4"), "what is touched is read again");
}

#[test]
fn broken_or_oversized_files_are_refused_by_name() {
    refuse(
        &[
            (MANIFEST_FILE, json!("{\"ttl\": }")),
            ("index.js", json!("x")),
        ],
        Some("1.2.0"),
        "worker.config.json is not JSON: expected value (line 1, column 9)",
    );
    let large = " ".repeat(1 << 20) + "{}";
    refuse(
        &[(MANIFEST_FILE, json!(large))],
        Some("1.2.0"),
        "worker.config.json is larger than 1048576 bytes",
    );
    refuse(
        &[
            ("worker.config.json/x", json!("")),
            ("index.js", json!("x")),
        ],
        Some("1.2.0"),
        "worker.config.json cannot be read: it is not a file",
    );
}

#[test]
fn a_folder_that_is_not_there_is_an_error_without_its_path() {
    let error = open(Path::new("/do-not-show-/gone"), expect(None)).unwrap_err();
    assert!(matches!(error, BundleError::Folder(_)));
    assert!(
        !format!("{error} {error:?}").contains("do-not-show-"),
        "{error:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_manifest_behind_a_link_that_leaves_is_not_read() {
    let outside = folder(&[("m.json", json!({"secret": 1}))]);
    let temp = folder(&[("index.js", json!("x"))]);
    std::os::unix::fs::symlink(
        outside.path().join("m.json"),
        temp.path().join(MANIFEST_FILE),
    )
    .unwrap();
    let error = open(temp.path(), expect(Some("1.2.0"))).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("leaves its folder"), "{text}");
    assert!(
        !text.contains("secret") && !text.contains("do-not-show-"),
        "{text}"
    );
}

#[test]
fn namespace_and_static_root_follow_the_manifest() {
    let manifest = json!({"namespace": "shared@2", "static": "public"});
    let files = [
        (MANIFEST_FILE, manifest),
        ("public/a.css", json!("x")),
        ("app.wasm", json!(WASM)),
    ];
    let temp = folder(&files);
    let bundle = open(temp.path(), expect(Some("1.2.0"))).unwrap();
    assert_eq!(bundle.namespace().as_str(), "shared@2");
    assert_eq!(
        bundle.static_root(),
        Some(bundle.dir.join("public").as_path())
    );
}

#[test]
fn read_manifest_needs_nothing_to_serve() {
    let temp = folder(&[(MANIFEST_FILE, json!({"ttl": 9, "timeout": 0}))]);
    let parsed = read_manifest(temp.path()).unwrap();
    assert_eq!(
        (parsed.manifest.ttl.as_secs(), parsed.warnings.len()),
        (9, 1)
    );
}
