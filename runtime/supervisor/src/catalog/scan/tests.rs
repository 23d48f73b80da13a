//! Claims about which folders are bundles.

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::symlink;

use super::*;

/// Makes an apps directory: a path that ends in `/` is a folder, `a -> b` a link, any other a file.
fn apps(items: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for item in items {
        let (path, target) = item.split_once(" -> ").unwrap_or((item, ""));
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match target {
            "" if item.ends_with('/') => fs::create_dir_all(&path).unwrap(),
            "" => fs::write(&path, "{}").unwrap(),
            target => symlink(target, &path).unwrap(),
        }
    }
    root
}

fn scanned(root: &Path) -> Scan {
    scan(&fs::canonicalize(root).unwrap()).unwrap()
}

/// `expected`: `folder = app@version`, with `?` or a tag for a version that stands in the bundle, `app@tag -> version`,
/// or `folder: reason`, of which only the beginning counts. Candidates come first, then tags, then reports.
#[track_caller]
fn check(items: &[&str], expected: &[&str]) {
    let root = apps(items);
    let scan = scanned(root.path());
    let candidates = scan.candidates.iter().map(|candidate| {
        let unknown = || candidate.tag.unwrap_or("?").to_owned();
        let version = candidate.version.as_ref();
        let version = version.map_or_else(unknown, Version::to_string);
        format!("{} = {}@{version}", candidate.folder, candidate.app)
    });
    let tags = scan.tags.iter();
    let tags = tags.map(|((app, tag), version)| format!("{app}@{tag} -> {version}"));
    let reports = scan.reports.iter();
    let reports = reports.map(|report| format!("{}: {}", report.folder, report.reason));
    let found: Vec<String> = candidates.chain(tags).chain(reports).collect();
    let matches = |(found, expected): (&String, &&str)| found.starts_with(expected);
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(matches),
        "{items:?} gave {found:#?}, not {expected:#?}"
    );
}

#[test]
fn every_layout_is_found() {
    check(&["chat/1.2.3/"], &["chat/1.2.3 = chat@1.2.3"]);
    check(&["chat/v1.2.3/"], &["chat/v1.2.3 = chat@1.2.3"]);
    check(&["chat@1.2.3/"], &["chat@1.2.3 = chat@1.2.3"]);
    check(&["chat@v1.2.3/"], &["chat@v1.2.3 = chat@1.2.3"]);
    check(&["chat/worker.config.json"], &["chat = chat@?"]);
    check(&["chat/package.json"], &["chat = chat@?"]);
    check(
        &["@acme/chat/1.0.0/"],
        &["@acme/chat/1.0.0 = @acme/chat@1.0.0"],
    );
    check(
        &["@acme/chat@1.0.0/"],
        &["@acme/chat@1.0.0 = @acme/chat@1.0.0"],
    );
    check(&["@acme/chat/package.json"], &["@acme/chat = @acme/chat@?"]);
    check(
        &["chat/1.0.0/", "chat/2.0.0-rc.1+b7/", "chat@3.0.0/"],
        &[
            "chat/1.0.0 = chat@1.0.0",
            "chat/2.0.0-rc.1+b7 = chat@2.0.0-rc.1+b7",
            "chat@3.0.0 = chat@3.0.0",
        ],
    );
    check(&[], &[]);
}

#[test]
fn what_is_no_version_is_ignored_below_an_app() {
    check(
        &[
            "chat/1.0.0/",
            "chat/tmp/",
            "chat/1.0/",
            "chat/v1/",
            "chat/01.0.0/",
            "chat/src/",
            "chat/client/",
            "chat/.1.0.1/",
            "chat/1.0.2",
            "chat/current -> tmp",
            "chat/outside -> /",
        ],
        &["chat/1.0.0 = chat@1.0.0"],
    );
}

/// Buntime 18.
#[test]
fn a_link_to_a_version_is_a_tag_of_it() {
    check(
        &[
            "chat/1.0.0/",
            "chat/v2.0.0/",
            "chat/latest -> 1.0.0",
            "chat/canary -> v2.0.0/",
            "chat/next -> canary",
            "chat/1.x -> 1.0.0",
        ],
        &[
            "chat/1.0.0 = chat@1.0.0",
            "chat/v2.0.0 = chat@2.0.0",
            "chat@canary -> 2.0.0",
            "chat@latest -> 1.0.0",
            "chat@next -> 2.0.0",
        ],
    );
    // A version that is a link itself is the version that its name says.
    check(
        &[".r/7/", "chat/1.0.0 -> ../.r/7", "chat/latest -> 1.0.0"],
        &["chat/1.0.0 = chat@1.0.0", "chat@latest -> 1.0.0"],
    );
    check(
        &[
            "@acme/chat@1.0.0/",
            "@acme/chat@latest -> chat@1.0.0",
            "news@beta -> news/2.0.0",
            "news/2.0.0/",
        ],
        &[
            "@acme/chat@1.0.0 = @acme/chat@1.0.0",
            "news/2.0.0 = news@2.0.0",
            "@acme/chat@latest -> 1.0.0",
            "news@beta -> 2.0.0",
        ],
    );
    check(
        &["chat/1.0.0/", "chat/latest -> 1.0.1"],
        &[
            "chat/1.0.0 = chat@1.0.0",
            "chat/latest: is a tag of 1.0.1, which is not there",
        ],
    );
    // Another app's version is none of this one's.
    check(
        &["chat/1.0.0/", "news/2.0.0/", "chat/canary -> ../news/2.0.0"],
        &["chat/1.0.0 = chat@1.0.0", "news/2.0.0 = news@2.0.0"],
    );
    check(
        &["chat/1.0.0/", "chat/a -> b", "chat/b -> a"],
        &["chat/1.0.0 = chat@1.0.0"],
    );
}

/// Buntime 18.
#[test]
fn a_folder_named_latest_is_a_bundle_with_that_tag() {
    check(
        &["chat/1.0.0/", "chat/latest/"],
        &["chat/1.0.0 = chat@1.0.0", "chat/latest = chat@latest"],
    );
    check(&["chat/latest/"], &["chat/latest = chat@latest"]);
    check(&["chat@latest/"], &["chat@latest = chat@latest"]);
    // In a bundle it is a folder like any other.
    check(&["chat/latest/", "chat/package.json"], &["chat = chat@?"]);
    check(&["chat/manifest.yaml"], &["chat = chat@?"]);
}

#[test]
fn files_and_names_with_a_dot_are_nobodys_business() {
    check(
        &[
            "README.md",
            ".staging/1.0.0/",
            ".git/",
            "@acme/.x/1.0.0/",
            "@acme/notes",
            "link -> README.md",
        ],
        &[],
    );
}

#[test]
fn version_folders_win_over_a_manifest_beside_them() {
    check(
        &["chat/1.0.0/", "chat/package.json"],
        &[
            "chat/1.0.0 = chat@1.0.0",
            "chat: its package.json is not used",
        ],
    );
    check(
        &[
            "chat/1.0.0/",
            "chat/worker.config.json",
            "chat/package.json",
        ],
        &[
            "chat/1.0.0 = chat@1.0.0",
            "chat: its worker.config.json is not used",
        ],
    );
    check(&["chat/1.0.0", "chat/package.json"], &["chat = chat@?"]);
}

#[test]
fn what_cannot_be_an_app_is_reported() {
    check(&["chat/"], &["chat: holds neither"]);
    check(&["chat/index.html"], &["chat: holds neither"]);
    check(&["chat/package.json/"], &["chat: holds neither"]);
    check(
        &["chat@stable/"],
        &["chat@stable: `stable` is not a version"],
    );
    check(&["chat@/"], &["chat@: `` is not a version"]);
    check(&["chat@1@2/"], &["chat@1@2: `1@2` is not a version"]);
    check(&["my chat/1.0.0/"], &["my chat: is not an app"]);
    check(&["@/chat/1.0.0/"], &["@/chat: is not an app"]);
    check(&["@acme/@acme/1.0.0/"], &["@acme/@acme: "]);
    check(&["_/1.0.0/"], &["_: is not an app"]);
}

#[test]
fn a_link_inside_is_followed_to_where_it_leads() {
    let root = apps(&[
        "chat/1.0.0 -> ../.releases/7",
        ".releases/7/",
        "talk -> chat",
    ]);
    let scan = scanned(root.path());
    let release = fs::canonicalize(root.path().join(".releases/7")).unwrap();
    let found: Vec<_> = scan
        .candidates
        .iter()
        .map(|c| (&*c.folder, &c.dir))
        .collect();
    assert_eq!(found, [("chat/1.0.0", &release), ("talk/1.0.0", &release)]);
    assert_eq!(scan.reports, []);
}

#[test]
fn a_link_that_leaves_is_refused() {
    let outside = apps(&["1.0.0/"]);
    let to = |path: &str| format!("{path} -> {}", outside.path().display());
    check(
        &[&to("chat")],
        &["chat: is a link that leaves the apps directory"],
    );
    check(&[&to("chat@1.0.0")], &["chat@1.0.0: is a link that leaves"]);
    check(&[&to("@acme")], &["@acme: is a link that leaves"]);
    check(&[&to("chat/1.0.0")], &["chat/1.0.0: is a link that leaves"]);
    check(&["up -> .."], &["up: is a link that leaves"]);
    // A link to a link, and a neighbour whose name begins like the apps directory's.
    check(
        &[&to("a/x"), "chat@1.0.0 -> a/x"],
        &["a: holds neither", "chat@1.0.0: is a link that leaves"],
    );
    let root = apps(&["chat/"]);
    let neighbour = format!("{}-more", root.path().display());
    fs::create_dir(&neighbour).unwrap();
    symlink(&neighbour, root.path().join("chat/1.0.0")).unwrap();
    let scan = scanned(root.path());
    fs::remove_dir(&neighbour).unwrap();
    assert_eq!(scan.candidates, []);
}

#[test]
fn loops_end() {
    check(
        &["a -> b", "b -> a"],
        &[
            "a: is a link that leads nowhere",
            "b: is a link that leads nowhere",
        ],
    );
    check(&["a -> a"], &["a: is a link that leads nowhere"]);
    check(&["a -> gone"], &["a: is a link that leads nowhere"]);
    check(
        &["chat/1.0.0 -> ."],
        &["chat/1.0.0: is a link to a folder that holds it"],
    );
    check(
        &["chat/1.0.0 -> .."],
        &["chat/1.0.0: is a link to a folder that holds it"],
    );
    check(
        &["@all -> ."],
        &["@all: is a link to a folder that holds it"],
    );
}

#[test]
fn a_folder_that_may_not_be_listed_is_noted() {
    use std::os::unix::fs::PermissionsExt;
    let root = apps(&["chat/1.0.0/", "news/1.0.0/"]);
    let chat = root.path().join("chat");
    fs::set_permissions(&chat, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything, and then this says nothing.
    if fs::read_dir(&chat).is_err() {
        let scan = scanned(root.path());
        assert_eq!(scan.unreadable, ["chat"]);
        assert_eq!(scan.candidates.len(), 1);
    }
    fs::set_permissions(&chat, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_apps_directory_that_is_not_there_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    assert!(scan(&root.path().join("gone")).is_err());
}

mod weird_names {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use proptest::prelude::*;

    use super::*;

    /// Bytes that a file system takes, with those that mean something here more often.
    fn name() -> impl Strategy<Value = Vec<u8>> {
        let telling = prop::sample::select(b"@.v10-+ \\%\xff\n".to_vec());
        let byte = prop_oneof![3 => telling, 1 => 1..=255_u8];
        let bytes = prop::collection::vec(byte, 1..12);
        let version = prop::sample::select(vec!["1.0.0", "v2.0.0", "a@1.0.0", "@s", "a", ".x"]);
        let version = version.prop_map(|text| text.as_bytes().to_vec());
        prop_oneof![bytes, version].prop_filter("is one name", |name| {
            !name.contains(&b'/') && name != b"." && name != b".."
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn never_panic_and_never_lead_outside(
            paths in prop::collection::vec(prop::collection::vec(name(), 1..4), 0..8),
        ) {
            let root = tempfile::tempdir().unwrap();
            for path in paths {
                let names = path.iter().map(|name| OsStr::from_bytes(name));
                let _ = fs::create_dir_all(root.path().join(names.collect::<PathBuf>()));
            }
            let root = fs::canonicalize(root.path()).unwrap();
            for candidate in scan(&root).unwrap().candidates {
                prop_assert!(candidate.dir.starts_with(&root) && candidate.dir != root);
            }
        }
    }
}
