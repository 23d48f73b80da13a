//! Claims about what of a folder is a migration.

#![allow(clippy::unwrap_used)]
use super::*;

fn bundle(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join("migrations").join(name), text).unwrap();
    }
    folder
}

#[test]
fn migrations_come_in_the_order_of_their_numbers() {
    let folder = bundle(&[
        ("0010_add_index.up.sql", "ten"),
        ("0002_add_column.up.sql", "two"),
        ("0002_add_column.down.sql", "back"),
        (".keep", ""),
    ]);
    let read = read_migrations(folder.path()).unwrap();
    let labels: Vec<_> = read.iter().map(Migration::label).collect();
    assert_eq!(labels, ["0002_add_column", "0010_add_index"]);
    assert_eq!(read[0].down.as_deref(), Some("back"));
    assert_eq!(read[1].down, None);
    assert_ne!(read[0].digest(), read[1].digest());
}

#[test]
fn a_bundle_without_the_folder_has_none() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read_migrations(folder.path()), Ok(vec![]));
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let folder = bundle(&[
        ("0001_a.up.sql", ""),
        ("0001_b.up.sql", ""),
        ("0002_gone.down.sql", ""),
        ("1_short.up.sql", ""),
        ("notes.txt", ""),
    ]);
    std::os::unix::fs::symlink(
        "/dev/zero",
        folder.path().join("migrations/0003_link.up.sql"),
    )
    .unwrap();
    std::fs::write(
        folder.path().join("migrations/0004_bytes.up.sql"),
        [0xff, 0xfe],
    )
    .unwrap();
    let faults = read_migrations(folder.path()).unwrap_err();
    let texts: Vec<_> = faults.iter().map(ToString::to_string).collect();
    for expected in [
        "0001_b.up.sql: there is another migration",
        "0002_gone.down.sql: there is no 0002_gone.up.sql",
        "0003_link.up.sql: is no file",
        "0004_bytes.up.sql: is no text",
        "1_short.up.sql: a migration is called",
        "notes.txt: a migration is called",
    ] {
        assert!(
            texts.iter().any(|text| text.contains(expected)),
            "{expected}: {texts:?}"
        );
    }
    assert_eq!(texts.len(), 6, "{texts:?}");
}
