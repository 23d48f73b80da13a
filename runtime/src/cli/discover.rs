//! Which bundles lie below a folder, and what their places say about them.
//!
//! **Invariant:** a bundle is not searched for further bundles, and no link is followed.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rookery_bundle::{AppName, Expect, MANIFEST_FILE, PACKAGE_FILE, YAML_FILE, parse_version};
use rookery_routing::LATEST;

use super::Failure;

/// A scope, an app and a version, with room for a folder or two around them.
const DEPTH_MAX: usize = 8;

/// A folder that describes itself as a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The folder, absolute.
    pub dir: PathBuf,
    /// What its place says: name and version. None when it is not named after an app.
    pub expect: Option<Expect>,
}

impl Found {
    /// `chat@1.0.0`, or `chat` where the version stands in the manifest.
    pub fn label(&self) -> String {
        match &self.expect {
            Some(Expect {
                name,
                version: Some(version),
            }) => format!("{name}@{version}"),
            Some(Expect {
                name,
                version: None,
            }) => name.to_string(),
            None => self.dir.display().to_string(),
        }
    }
}

/// Finds the bundles at and below `roots`, each once, by name and version.
pub fn discover(roots: &[PathBuf]) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    for root in roots {
        let dir = root.canonicalize().map_err(|error| {
            Failure::Usage(format!("{} cannot be opened: {error}", root.display()))
        })?;
        search(&dir, 0, &mut found).map_err(|error| {
            Failure::Failed(format!("{} cannot be listed: {error}", root.display()))
        })?;
    }
    let order = |found: &Found| {
        let place = found
            .expect
            .clone()
            .map(|expect| (expect.name, expect.version));
        (place, found.dir.clone())
    };
    found.sort_by_cached_key(order);
    found.dedup();
    if found.is_empty() {
        let roots: Vec<String> = roots
            .iter()
            .map(|root| root.display().to_string())
            .collect();
        return Err(Failure::Failed(format!(
            "there is no bundle in {}: a bundle is a folder with {MANIFEST_FILE}; `rookery new NAME` makes one",
            roots.join(", ")
        )));
    }
    Ok(found)
}

fn search(dir: &Path, depth: usize, found: &mut Vec<Found>) -> io::Result<()> {
    if is_bundle(dir) {
        found.push(Found {
            dir: dir.to_owned(),
            expect: expect(dir),
        });
        return Ok(());
    }
    if depth == DEPTH_MAX {
        return Ok(());
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && !is_skipped(&entry.file_name()) {
            search(&entry.path(), depth + 1, found)?;
        }
    }
    Ok(())
}

/// Whether the folder describes itself: by a manifest in either language, or by a `package.json` that has one in it.
fn is_bundle(dir: &Path) -> bool {
    if [MANIFEST_FILE, YAML_FILE]
        .iter()
        .any(|name| dir.join(name).is_file())
    {
        return true;
    }
    let package = fs::read(dir.join(PACKAGE_FILE)).ok();
    let package: Option<serde_json::Value> =
        package.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    package.is_some_and(|package| package.get("workerConfig").is_some())
}

fn is_skipped(name: &OsStr) -> bool {
    name == "target" || name == "node_modules" || name.as_encoded_bytes().starts_with(b".")
}

/// Reads `app/1.2.3`, `app@1.2.3` or `app` off the end of a path, each with a scope before it or without. `latest` in a
/// version's place leaves the version to the manifest.
fn expect(dir: &Path) -> Option<Expect> {
    let name_at = |dir: &Path, last: &str| {
        let scope = dir
            .parent()
            .and_then(file_name)
            .filter(|scope| scope.starts_with('@'));
        AppName::parse(&scope.map_or_else(|| last.to_owned(), |scope| format!("{scope}/{last}")))
            .ok()
    };
    let last = file_name(dir)?;
    let is_version = |text: &str| text == LATEST || parse_version(text).is_some();
    if is_version(last) {
        let app = dir.parent()?;
        return Some(Expect {
            name: name_at(app, file_name(app)?)?,
            version: parse_version(last),
        });
    }
    if let Some((name, text)) = last.split_once('@')
        && is_version(text)
    {
        return Some(Expect {
            name: name_at(dir, name)?,
            version: parse_version(text),
        });
    }
    Some(Expect {
        name: name_at(dir, last)?,
        version: None,
    })
}

fn file_name(dir: &Path) -> Option<&str> {
    dir.file_name()?.to_str()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, r#"{"workerConfig":{}}"#).unwrap();
        }
        root
    }

    fn labels(root: &Path) -> Vec<String> {
        discover(&[root.to_owned()])
            .unwrap()
            .iter()
            .map(Found::label)
            .collect()
    }

    #[test]
    fn every_layout_is_found() {
        let root = tree(&[
            "apps/chat/1.0.0/worker.config.json",
            "apps/chat/2.0.0-rc.1/worker.config.json",
            "apps/chat/v0.9.0/worker.config.json",
            "apps/hello@1.2.3/worker.config.json",
            "apps/shop/package.json",
            "apps/@acme/site/worker.config.json",
            "apps/news/latest/manifest.yaml",
            "apps/talk@latest/worker.config.json",
            "apps/@acme/api/1.0.0/worker.config.json",
        ]);
        assert_eq!(
            labels(root.path()),
            [
                "@acme/api@1.0.0",
                "@acme/site",
                "chat@0.9.0",
                "chat@1.0.0",
                "chat@2.0.0-rc.1",
                "hello@1.2.3",
                "news",
                "shop",
                "talk"
            ]
        );
    }

    #[test]
    fn what_is_not_a_bundle_is_passed_over() {
        let root = tree(&[
            "chat/1.0.0/worker.config.json",
            "chat/1.0.0/public/worker.config.json",
            "chat/1.1.0/src/lib.rs",
            "chat/.staging/worker.config.json",
            "chat/target/worker.config.json",
            "node_modules/x/package.json",
        ]);
        fs::create_dir_all(root.path().join("plain")).unwrap();
        fs::write(root.path().join("plain/package.json"), "{}").unwrap();
        assert_eq!(labels(root.path()), ["chat@1.0.0"]);
    }

    #[test]
    fn a_bundle_is_found_from_itself_and_only_once() {
        let root = tree(&["chat/1.0.0/worker.config.json"]);
        let bundle = root.path().join("chat/1.0.0");
        let found = discover(&[bundle.clone(), root.path().to_owned()]).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].dir, bundle.canonicalize().unwrap());
    }

    #[test]
    fn a_bundle_in_a_folder_that_cannot_be_an_app_is_not_lost() {
        let root = tree(&["_drafts/worker.config.json"]);
        let found = discover(&[root.path().to_owned()]).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].expect, None);
        assert!(found[0].label().ends_with("_drafts"));
    }

    #[test]
    fn an_empty_folder_says_what_to_do() {
        let root = tree(&[]);
        let failure = discover(&[root.path().to_owned()]).unwrap_err();
        assert!(failure.to_string().contains("rookery new"), "{failure}");
        assert!(matches!(
            discover(&[root.path().join("nowhere")]),
            Err(Failure::Usage(_))
        ));
    }
}
