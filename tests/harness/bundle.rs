//! The files of one version of an app, before they are put anywhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What makes a bundle from its sources; no part of what is deployed.
const SOURCES: [&str; 4] = ["src", "target", "Cargo.toml", "Cargo.lock"];

/// A bundle in the making.
#[derive(Clone, Default)]
pub struct Bundle {
    files: BTreeMap<String, Content>,
}

#[derive(Clone)]
enum Content {
    Bytes(Vec<u8>),
    CopyOf(PathBuf),
}

impl Bundle {
    /// A bundle with an empty manifest and nothing to serve.
    pub fn empty() -> Bundle {
        Bundle::default().file("worker.config.json", "{}")
    }

    /// A site of one page.
    pub fn site(page: &str) -> Bundle {
        Bundle::empty().file("index.html", page)
    }

    /// An app made of this component.
    pub fn component(wasm: &Path) -> Bundle {
        let mut bundle = Bundle::empty();
        bundle
            .files
            .insert("app.wasm".into(), Content::CopyOf(wasm.to_owned()));
        bundle
    }

    /// What is deployed of a folder: all of it but the sources.
    pub fn of_folder(dir: &Path) -> Bundle {
        let mut bundle = Bundle::default();
        bundle.take(dir, "");
        bundle
    }

    /// The same bundle with this manifest.
    #[must_use]
    pub fn manifest(self, manifest: Value) -> Bundle {
        self.file("worker.config.json", manifest.to_string())
    }

    /// The same bundle with one more file.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Bundle {
        let content = Content::Bytes(content.into());
        self.files.insert(path.to_owned(), content);
        self
    }

    /// The same bundle with a copy of a file, which keeps its permissions.
    #[must_use]
    pub fn copy(mut self, path: &str, source: &Path) -> Bundle {
        let content = Content::CopyOf(source.to_owned());
        self.files.insert(path.to_owned(), content);
        self
    }

    /// Writes it into a folder that is not there yet.
    pub(crate) fn write(&self, dir: &Path) {
        fs::create_dir_all(dir).unwrap();
        for (path, content) in &self.files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match content {
                Content::Bytes(bytes) => fs::write(path, bytes).unwrap(),
                Content::CopyOf(source) => {
                    fs::copy(source, path).unwrap();
                }
            }
        }
    }

    fn take(&mut self, dir: &Path, prefix: &str) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = format!("{prefix}{name}");
            if SOURCES.contains(&name.as_str()) {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                self.take(&entry.path(), &format!("{path}/"));
            } else {
                self.files.insert(path, Content::CopyOf(entry.path()));
            }
        }
    }
}
