//! Claims about what `rookery new` leaves on disk.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::cli::check;
use crate::cli::discover::discover;

fn name(text: &str) -> AppName {
    AppName::parse(text).unwrap()
}

fn verdicts(apps: &Path) -> Vec<(String, Vec<String>)> {
    let found = discover(&[apps.to_owned()]).unwrap();
    let verdicts = found.iter().map(|bundle| check::check(bundle, &|_| Ok(())));
    verdicts
        .map(|verdict| (verdict.label, verdict.faults))
        .collect()
}

#[test]
fn what_is_new_is_accepted() {
    let root = tempfile::tempdir().unwrap();
    let apps = root.path().join("apps");
    create(&name("site"), Kind::Static, &apps).unwrap();
    create(&name("@acme/api"), Kind::Typescript, &apps).unwrap();
    let wasm = create(&name("hello"), Kind::Wasm, &apps).unwrap();
    // As after a build: the component itself is not what is checked here.
    fs::write(wasm.join("app.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
    let none = Vec::<String>::new;
    assert_eq!(
        verdicts(&apps),
        [
            ("@acme/api@0.1.0".into(), none()),
            ("hello@0.1.0".into(), none()),
            ("site@0.1.0".into(), none())
        ]
    );
}

#[test]
fn nothing_is_written_over() {
    let root = tempfile::tempdir().unwrap();
    let bundle = create(&name("site"), Kind::Static, root.path()).unwrap();
    fs::write(bundle.join("index.html"), "mine").unwrap();
    let failure = create(&name("site"), Kind::Wasm, root.path()).unwrap_err();
    assert!(
        failure.to_string().contains("is there already"),
        "{failure}"
    );
    assert_eq!(
        fs::read_to_string(bundle.join("index.html")).unwrap(),
        "mine"
    );
    let beside: Vec<_> = fs::read_dir(root.path().join("site"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(beside, ["0.1.0"], "nothing is left over");
}

#[test]
fn away_from_the_checkout_the_sdk_is_copied_and_refreshed() {
    let root = tempfile::tempdir().unwrap();
    let bundle = create(&name("hello"), Kind::Wasm, &root.path().join("apps")).unwrap();
    let copy = root.path().join(".rookery/sdk");
    let manifest = fs::read_to_string(bundle.join("Cargo.toml")).unwrap();
    assert!(
        manifest.contains(r#"path = "../../../.rookery/sdk""#),
        "{manifest}"
    );
    assert!(bundle.join("../../../.rookery/sdk/Cargo.toml").is_file());
    assert!(copy.join("src/lib.rs").is_file() && copy.join("wit/app.wit").is_file());
    fs::write(copy.join("src/lib.rs"), "old").unwrap();
    fs::remove_file(copy.join("wit/app.wit")).unwrap();
    refresh_sdk(&bundle).unwrap();
    assert_ne!(fs::read_to_string(copy.join("src/lib.rs")).unwrap(), "old");
    assert!(copy.join("wit/app.wit").is_file());
}

#[test]
fn in_a_checkout_the_sdk_is_the_checkouts() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("sdk")).unwrap();
    fs::write(
        root.path().join("sdk/Cargo.toml"),
        "[package]\nname = \"rookery-sdk\"",
    )
    .unwrap();
    let bundle = create(&name("@acme/hello"), Kind::Wasm, &root.path().join("apps")).unwrap();
    let manifest = fs::read_to_string(bundle.join("Cargo.toml")).unwrap();
    assert!(
        manifest.contains(r#"path = "../../../../sdk""#),
        "{manifest}"
    );
    assert!(bundle.join("../../../../sdk/Cargo.toml").is_file());
    assert!(!root.path().join(".rookery").exists());
}

#[test]
fn nothing_is_left_open_in_a_new_bundle() {
    let root = tempfile::tempdir().unwrap();
    let bundle = create(&name("hello"), Kind::Wasm, root.path()).unwrap();
    for file in [
        "Cargo.toml",
        "src/lib.rs",
        "public/index.html",
        "worker.config.json",
        ".gitignore",
    ] {
        let text = fs::read_to_string(bundle.join(file)).unwrap();
        assert!(!text.contains("{{"), "{file}: {text}");
    }
}
