//! The path of a file as a client asks for it: decoded once, and nothing but plain names.
//!
//! **Invariant:** an [`AskedPath`] has only normal components, so joining it to a root stays below that root.
//! **Absent on purpose:** the file system. Symbolic links are `asset`'s business.

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;

/// Files that describe a bundle rather than belong to its site. Compared without case, since some file systems do so.
const DESCRIPTIONS: [&str; 6] = [
    "cargo.lock",
    "cargo.toml",
    "manifest.yaml",
    "manifest.yml",
    "package.json",
    "worker.config.json",
];

/// A path below the root of static files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AskedPath {
    relative: PathBuf,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `/a/b`
    File,
    /// `/a/b/` or `/`
    Directory,
}

impl AskedPath {
    /// Parses a raw path. `None` is a path that no file may answer: one that climbs, hides a separator behind an
    /// encoding, names a private file, or is not UTF-8.
    pub(super) fn parse(tail: &str) -> Option<AskedPath> {
        let raw = tail.strip_prefix('/').unwrap_or(tail);
        let mut relative = PathBuf::new();
        if raw.is_empty() {
            let form = Form::Directory;
            return Some(AskedPath { relative, form });
        }
        let (raw, form) = match raw.strip_suffix('/') {
            Some(directory) => (directory, Form::Directory),
            None => (raw, Form::File),
        };
        for segment in raw.split('/') {
            let name = percent_decode_str(segment).decode_utf8().ok()?;
            relative.push(plain_name(&name)?);
        }
        (!is_private(&relative)).then_some(AskedPath { relative, form })
    }

    /// The file to look for: the path itself, or a directory's page. `entry` is the page of the root.
    pub(super) fn file(&self, entry: &str) -> PathBuf {
        match self.form {
            Form::File => self.relative.clone(),
            Form::Directory if self.relative.as_os_str().is_empty() => PathBuf::from(entry),
            Form::Directory => self.relative.join("index.html"),
        }
    }

    /// Whether the path looks like a page rather than an asset: its last name has no extension.
    pub(super) fn looks_like_a_page(&self) -> bool {
        self.form == Form::Directory || self.relative.extension().is_none()
    }
}

/// A name that is one component of a path, on every system.
fn plain_name(name: &str) -> Option<&str> {
    let odd = |c: char| matches!(c, '/' | '\\') || c.is_control();
    if name.contains(odd) {
        return None;
    }
    let mut components = Path::new(name).components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(_)), None) => Some(name),
        _ => None,
    }
}

/// Whether a path below the root is not for clients: a dotfile, or a description of the bundle.
pub(super) fn is_private(relative: &Path) -> bool {
    relative.iter().enumerate().any(|(depth, name)| {
        let name = name.to_string_lossy().to_ascii_lowercase();
        // RFC 8615 gives this one directory to the public.
        let well_known = depth == 0 && name == ".well-known";
        (name.starts_with('.') && !well_known) || DESCRIPTIONS.contains(&name.as_str())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_is_decoded_once_and_names_one_file() {
        for (tail, expected) in [
            ("/", "main.html"),
            ("", "main.html"),
            ("/a/b.txt", "a/b.txt"),
            ("/sp%20ace.txt", "sp ace.txt"),
            ("/100%25.txt", "100%.txt"),
            ("/%2541", "%41"),
            ("/%zz", "%zz"),
            ("/gr%C3%BC%C3%9Fe", "grüße"),
            ("/docs/", "docs/index.html"),
            ("/.well-known/security.txt", ".well-known/security.txt"),
            ("/a..b/c..", "a..b/c.."),
        ] {
            let asked = AskedPath::parse(tail).unwrap();
            assert_eq!(asked.file("main.html"), PathBuf::from(expected), "{tail}");
        }
    }

    #[test]
    fn no_file_answers_a_path_that_climbs_hides_or_is_private() {
        for tail in [
            "/..",
            "/../",
            "/../etc/passwd",
            "/a/../../b",
            "/%2e%2e/x",
            "/%2E./x",
            "/.",
            "/a/./b",
            "/..%2f..%2fetc/passwd",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/..%5c..%5cx",
            "/a%00.txt",
            "/a%0ab",
            "//",
            "//etc/passwd",
            "/a//b",
            "/%ff",
            "/%c0%ae%c0%ae/x",
            "/.env",
            "/a/.git/config",
            "/%2eenv",
            "/a/.well-known/x",
            "/worker.config.json",
            "/Package.JSON",
            "/manifest.yaml",
            "/sub/Cargo.toml",
        ] {
            assert_eq!(AskedPath::parse(tail), None, "{tail}");
        }
    }

    #[test]
    fn a_page_has_no_extension() {
        for (tail, page) in [
            ("/", true),
            ("/a/b", true),
            ("/a.b/", true),
            ("/a.js", false),
            ("/a.b/c", true),
        ] {
            assert_eq!(
                AskedPath::parse(tail).unwrap().looks_like_a_page(),
                page,
                "{tail}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_stays_below_the_root(tail in "(/|%2[eEfF]|%5c|%00|\\.|\\\\|[a-c%]|\\PC){0,40}") {
            if let Some(path) = AskedPath::parse(&tail) {
                let file = path.file("index.html");
                prop_assert!(file.components().all(|part| matches!(part, Component::Normal(_))), "{:?}", file);
                prop_assert!(Path::new("/root").join(&file).starts_with("/root"));
            }
        }
    }
}
