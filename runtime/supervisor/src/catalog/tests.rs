//! Claims about changes on disk, and when they count.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use rookery_bundle::{AppName, Expect};
use semver::Version;

use super::slot::SETTLE_STEP;
use super::*;

/// An apps directory, and a clock that moves when it is told to.
struct Disk {
    root: tempfile::TempDir,
    catalog: Catalog,
    now: Instant,
}

impl Disk {
    fn new(files: &[(&str, &str)]) -> Disk {
        let root = tempfile::tempdir().unwrap();
        let catalog = Catalog::new(&[root.path().to_owned()], &[], BrokenManifest::Refused);
        let disk = Disk {
            root,
            catalog,
            now: Instant::now(),
        };
        disk.write(files);
        disk
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn write(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = self.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn look_after(&mut self, pause: Duration) -> Look {
        self.now += pause;
        self.catalog.look(self.now)
    }

    /// Looks until everything has come to rest.
    fn settled(&mut self) -> Look {
        loop {
            let look = self.look_after(SETTLE_STEP);
            if look.unsettled == 0 {
                return look;
            }
        }
    }
}

fn keys(look: &Look) -> Vec<String> {
    let label = |key: &Key| format!("{}@{}", key.app, key.version);
    look.found.keys().map(label).collect()
}

fn reasons(look: &Look) -> Vec<String> {
    let line = |report: &Report| format!("{}: {}", report.folder, report.reason);
    look.reports.iter().map(line).collect()
}

fn opened(look: &Look) -> Vec<u64> {
    look.found.values().map(|found| found.opened).collect()
}

#[test]
fn a_bundle_is_found_once_it_looked_the_same_for_the_settle_time() {
    let mut disk = Disk::new(&[("chat/1.0.0/index.html", "one")]);
    let look = disk.look_after(Duration::ZERO);
    assert_eq!((keys(&look).len(), look.unsettled), (0, 1));
    for _ in 0..3 {
        let look = disk.look_after(SETTLE_STEP / 2);
        assert_eq!((keys(&look).len(), look.unsettled), (0, 1));
    }
    let look = disk.look_after(SETTLE_STEP / 2);
    assert_eq!(keys(&look), ["chat@1.0.0"]);
    assert_eq!(look.unsettled, 0);
}

#[test]
fn a_copy_in_progress_is_never_found() {
    let mut disk = Disk::new(&[]);
    for length in 1..10 {
        disk.write(&[("chat/1.0.0/index.html", &"x".repeat(length))]);
        let look = disk.look_after(SETTLE);
        assert_eq!((keys(&look).len(), look.unsettled), (0, 1));
    }
    assert_eq!(keys(&disk.settled()), ["chat@1.0.0"]);
}

#[test]
fn an_entrypoint_that_lies_deeper_comes_to_rest_too() {
    let manifest = r#"{"entrypoint": "dist/page.html"}"#;
    let mut disk = Disk::new(&[
        ("chat/1.0.0/worker.config.json", manifest),
        ("chat/1.0.0/dist/page.html", "half"),
    ]);
    disk.look_after(SETTLE_STEP);
    for length in 1..10 {
        // Nothing else moves, and this file is known only since the manifest was read.
        disk.write(&[("chat/1.0.0/dist/page.html", &"x".repeat(length))]);
        let look = disk.look_after(SETTLE_STEP);
        assert_eq!((keys(&look).len(), look.unsettled), (0, 1));
    }
    let look = disk.settled();
    assert_eq!(keys(&look), ["chat@1.0.0"]);
    let dist = fs::canonicalize(disk.path("chat/1.0.0/dist")).unwrap();
    assert!(look.listed.contains(&dist));
}

#[test]
fn an_entrypoint_that_comes_late_and_lies_deeper_is_waited_for() {
    let manifest = r#"{"entrypoint": "dist/app.wasm"}"#;
    let mut disk = Disk::new(&[
        ("chat/1.0.0/worker.config.json", manifest),
        ("chat/1.0.0/dist/readme", ""),
    ]);
    let look = disk.settled();
    assert_eq!((keys(&look).len(), look.reports.len()), (0, 1));
    disk.write(&[("chat/1.0.0/dist/app.wasm", "wasm")]);
    let look = disk.settled();
    assert_eq!((keys(&look).len(), look.reports.len()), (1, 0));
}

#[test]
fn files_below_a_static_folder_come_to_rest_before_the_bundle_is_found() {
    let mut disk = Disk::new(&[("chat/1.0.0/index.html", "one")]);
    disk.look_after(SETTLE_STEP);
    disk.write(&[("chat/1.0.0/assets/deep/0.js", "")]);
    disk.look_after(SETTLE_STEP);
    for length in 1..10 {
        disk.write(&[("chat/1.0.0/assets/deep/0.js", &"x".repeat(length))]);
        assert_eq!(disk.look_after(SETTLE_STEP).unsettled, 1);
    }
    assert_eq!(keys(&disk.settled()), ["chat@1.0.0"]);
}

#[test]
fn what_is_at_rest_is_not_read_again() {
    let mut disk = Disk::new(&[("a/1.0.0/index.html", "a"), ("b/1.0.0/index.html", "b")]);
    assert_eq!(opened(&disk.settled()), [1, 2]);
    assert_eq!(opened(&disk.settled()), [1, 2]);
    disk.write(&[("a/1.0.0/index.html", "other")]);
    assert_eq!(opened(&disk.settled()), [3, 2]);
}

#[test]
fn a_bundle_that_is_being_changed_stays_as_it_was() {
    let mut disk = Disk::new(&[("chat/1.0.0/index.html", "one")]);
    let before = disk.settled();
    disk.write(&[("chat/1.0.0/index.html", "two!")]);
    let during = disk.look_after(Duration::ZERO);
    assert_eq!(during.unsettled, 1);
    assert_eq!(opened(&during), opened(&before));
    assert_ne!(opened(&disk.settled()), opened(&before));
}

#[test]
fn a_bundle_that_breaks_stays_as_it_was_and_is_reported() {
    let mut disk = Disk::new(&[("chat/1.0.0/index.html", "one")]);
    disk.settled();
    disk.write(&[("chat/1.0.0/worker.config.json", "{")]);
    let look = disk.settled();
    assert_eq!(keys(&look), ["chat@1.0.0"]);
    assert_eq!(look.reports.len(), 1);
    assert_eq!(look.reports[0].app.as_deref(), Some("chat"));
    assert_eq!(look.reports[0].version.as_deref(), Some("1.0.0"));
    fs::remove_file(disk.path("chat/1.0.0/worker.config.json")).unwrap();
    assert_eq!(reasons(&disk.settled()), [""; 0]);
}

#[test]
fn a_folder_without_an_entrypoint_is_reported_until_it_has_one() {
    let mut disk = Disk::new(&[("chat/1.0.0/worker.config.json", "{}")]);
    let look = disk.settled();
    assert_eq!(keys(&look), [""; 0]);
    assert!(reasons(&look)[0].starts_with("chat/1.0.0: "));
    let shown = disk.root.path().to_string_lossy().into_owned();
    assert!(!reasons(&look)[0].contains(&shown), "{look:?}");
    disk.write(&[("chat/1.0.0/index.html", "one")]);
    let look = disk.settled();
    assert_eq!(keys(&look), ["chat@1.0.0"]);
    assert_eq!(reasons(&look), [""; 0]);
}

#[test]
fn a_folder_that_is_removed_is_gone_after_the_settle_time() {
    let mut disk = Disk::new(&[("chat/1.0.0/index.html", "one")]);
    disk.settled();
    fs::remove_dir_all(disk.path("chat/1.0.0")).unwrap();
    let look = disk.look_after(Duration::ZERO);
    assert_eq!((keys(&look).len(), look.unsettled), (1, 1));
    let look = disk.look_after(SETTLE);
    assert_eq!((keys(&look).len(), look.unsettled), (0, 0));
}

#[test]
fn a_folder_that_is_removed_and_put_back_was_never_gone() {
    let mut disk = Disk::new(&[("chat/1.0.0/index.html", "one")]);
    disk.settled();
    fs::rename(disk.path("chat/1.0.0"), disk.path("away")).unwrap();
    assert_eq!(keys(&disk.look_after(SETTLE)), ["chat@1.0.0"]);
    disk.write(&[("chat/1.0.0/index.html", "two")]);
    for _ in 0..5 {
        assert_eq!(keys(&disk.look_after(SETTLE)), ["chat@1.0.0"]);
    }
}

#[test]
fn an_apps_directory_that_goes_away_keeps_what_was_in_it() {
    let mut disk = Disk::new(&[("chat/1.0.0/index.html", "one")]);
    disk.settled();
    let away = disk.root.path().with_extension("away");
    fs::rename(disk.root.path(), &away).unwrap();
    for _ in 0..3 {
        let look = disk.look_after(SETTLE);
        assert_eq!(keys(&look), ["chat@1.0.0"]);
        assert_eq!((look.unlisted_roots, look.unsettled), (1, 0));
        assert!(reasons(&look)[0].starts_with(".: the apps directory cannot be listed"));
    }
    fs::rename(&away, disk.root.path()).unwrap();
    let look = disk.settled();
    assert_eq!((opened(&look), look.unlisted_roots), (vec![1], 0));
}

#[test]
fn of_two_folders_of_one_version_the_first_by_name_is_used() {
    let mut disk = Disk::new(&[
        ("chat/v1.0.0/index.html", "v"),
        ("chat/1.0.0/index.html", "plain"),
        ("chat@1.0.0/index.html", "flat"),
    ]);
    let look = disk.settled();
    let folders: Vec<&str> = look.found.values().map(|found| &*found.folder).collect();
    assert_eq!(folders, ["chat/1.0.0"]);
    assert_eq!(
        reasons(&look),
        [
            "chat/v1.0.0: is not used: chat/1.0.0 is the same version",
            "chat@1.0.0: is not used: chat/1.0.0 is the same version",
        ]
    );
    fs::remove_dir_all(disk.path("chat/1.0.0")).unwrap();
    let look = disk.settled();
    let folders: Vec<&str> = look.found.values().map(|found| &*found.folder).collect();
    assert_eq!(folders, ["chat/v1.0.0"]);
}

#[test]
fn the_earlier_apps_directory_wins() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (root, app) in [(&one, "chat"), (&two, "chat"), (&two, "news")] {
        let dir = root.path().join(app).join("1.0.0");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("index.html"), app).unwrap();
    }
    let mut catalog = Catalog::new(
        &[one.path().to_owned(), two.path().to_owned()],
        &[],
        BrokenManifest::Refused,
    );
    let now = Instant::now();
    catalog.look(now);
    catalog.look(now + SETTLE_STEP);
    let look = catalog.look(now + SETTLE);
    assert_eq!(keys(&look), ["chat@1.0.0", "news@1.0.0"]);
    let chat = look.found.values().next().unwrap();
    assert!(
        chat.bundle
            .dir
            .starts_with(fs::canonicalize(one.path()).unwrap())
    );
    assert_eq!(look.reports.len(), 1);
}

#[test]
fn a_flat_bundle_has_the_version_that_stands_in_it() {
    let mut disk = Disk::new(&[
        ("chat/worker.config.json", r#"{"version": "1.2.3"}"#),
        ("chat/index.html", "one"),
        ("@acme/news/package.json", r#"{"version": "4.5.6"}"#),
        ("@acme/news/index.html", "one"),
        ("plain/package.json", "{}"),
        ("plain/index.html", "one"),
    ]);
    let others = ["@acme/news@4.5.6", "plain@0.0.0"];
    assert_eq!(keys(&disk.settled()), [others[0], "chat@1.2.3", others[1]]);
    disk.write(&[("chat/worker.config.json", r#"{"version": "1.2.4"}"#)]);
    assert_eq!(keys(&disk.settled()), [others[0], "chat@1.2.4", others[1]]);
}

#[test]
fn a_link_that_is_swapped_is_another_bundle() {
    let mut disk = Disk::new(&[
        (".releases/1/index.html", "one"),
        (".releases/2/index.html", "two"),
    ]);
    fs::create_dir(disk.path("chat")).unwrap();
    std::os::unix::fs::symlink("../.releases/1", disk.path("chat/1.0.0")).unwrap();
    let before = disk.settled();
    std::os::unix::fs::symlink("../.releases/2", disk.path("chat/new")).unwrap();
    fs::rename(disk.path("chat/new"), disk.path("chat/1.0.0")).unwrap();
    let after = disk.settled();
    let dir = |look: &Look| look.found.values().next().unwrap().bundle.dir.clone();
    assert!(dir(&before).ends_with(".releases/1"));
    assert!(dir(&after).ends_with(".releases/2"));
}

#[test]
fn what_lies_in_a_folder_that_cannot_be_listed_stays_known() {
    let mut disk = Disk::new(&[
        ("chat/1.0.0/index.html", "a"),
        ("chats/1.0.0/index.html", "b"),
    ]);
    disk.settled();
    for _ in 0..3 {
        disk.now += SETTLE;
        let scan = Scan {
            unreadable: vec!["chat".to_owned()],
            ..Scan::default()
        };
        let root = &mut disk.catalog.roots[0];
        let broken = BrokenManifest::Refused;
        root.absorb(scan, disk.now, broken, &mut 0, &mut Look::default());
    }
    let known: Vec<&String> = disk.catalog.roots[0].slots.keys().collect();
    assert_eq!(known, ["chat/1.0.0"]);
}

#[test]
fn a_manifest_that_cannot_be_read_is_tried_again_at_leisure() {
    let mut disk = Disk::new(&[
        ("chat/1.0.0/index.html", "one"),
        ("chat/1.0.0/worker.config.json/file", ""),
    ]);
    for _ in 0..3 {
        assert_eq!(disk.settled().reports.len(), 1);
    }
    fs::remove_dir_all(disk.path("chat/1.0.0/worker.config.json")).unwrap();
    assert_eq!(keys(&disk.settled()), ["chat@1.0.0"]);
}

#[test]
fn a_bundle_alone_is_found_where_it_lies_and_nothing_beside_it() {
    let disk = Disk::new(&[
        ("chat/1.0.0/index.html", "one"),
        ("chat/1.1.0/index.html", "two"),
        ("news/1.0.0/index.html", "three"),
    ]);
    let expect = Expect {
        name: AppName::parse("chat").unwrap(),
        version: Some(Version::new(1, 0, 0)),
    };
    let bundles = [(disk.path("chat/1.0.0"), expect)];
    let mut alone = Disk {
        catalog: Catalog::new(&[], &bundles, BrokenManifest::Refused),
        ..disk
    };
    let look = alone.settled();
    assert_eq!(keys(&look), ["chat@1.0.0"]);
    assert_eq!(look.reports, []);
    fs::remove_dir_all(alone.path("chat/1.0.0")).unwrap();
    assert!(keys(&alone.settled()).is_empty());
}

#[test]
fn a_thousand_bundles_are_found_and_then_left_alone() {
    let mut disk = Disk::new(&[]);
    for app in 0..100 {
        for version in 0..10 {
            let page = format!("app{app}/1.{version}.0/index.html");
            disk.write(&[(&page, "one")]);
        }
    }
    let look = disk.settled();
    assert_eq!(look.found.len(), 1000);
    assert_eq!(look.reports, []);
    let reads = disk.catalog.serial;
    disk.settled();
    assert_eq!(disk.catalog.serial, reads);
}
