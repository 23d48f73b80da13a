//! What a bundle serves or runs, found on disk.
//!
//! **Invariant:** every path of an [`Entry`] is absolute, has no link in it, and lies in the bundle's folder.
//! **Absent on purpose:** reading the files, and the files below a static folder: whoever serves those looks at each.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::manifest::Manifest;
use crate::object::Notes;
use crate::shape::quoted;

/// What is searched for when the manifest names nothing, in this order.
pub(crate) const CANDIDATES: [&str; 6] = [
    "index.html",
    "index.wasm",
    "app.wasm",
    "index.ts",
    "index.js",
    "index.mjs",
];

/// What a bundle serves or runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Files, served by the host alone.
    Static {
        /// The page for `/`, somewhere below `root`; None when the static folder has no `index.html`.
        index: Option<PathBuf>,
        /// The folder whose files are served.
        root: PathBuf,
    },
    /// A wasm component, run as an isolate.
    Component {
        /// The component.
        path: PathBuf,
    },
    /// A script, run by a runtime as a process.
    Script {
        /// The script.
        path: PathBuf,
    },
    /// A process.
    Command {
        /// Program and arguments; never empty.
        argv: Vec<String>,
    },
    /// Nothing of its own: every request goes to another server.
    Rules,
}

/// Which kind of worker a bundle needs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// None: files and proxy rules are the host's work.
    Static,
    /// An isolate.
    Wasm,
    /// A child process.
    Process,
}

impl Entry {
    /// Which kind of worker it needs.
    pub fn kind(&self) -> Kind {
        match self {
            Entry::Static { .. } | Entry::Rules => Kind::Static,
            Entry::Component { .. } => Kind::Wasm,
            Entry::Script { .. } | Entry::Command { .. } => Kind::Process,
        }
    }
}

/// What was found in a bundle's folder.
#[derive(Debug)]
pub(crate) struct Found {
    /// None when there is nothing to serve, or a fault says why.
    pub(crate) entry: Option<Entry>,
    /// The folder of the manifest's `static`.
    pub(crate) static_dir: Option<PathBuf>,
}

/// Finds the entry and the static folder; what is wrong with them joins the manifest's own faults.
pub(crate) fn find(dir: &Path, manifest: &Manifest, notes: &mut Notes) -> Found {
    let static_dir = manifest
        .static_dir
        .as_deref()
        .and_then(|path| static_folder(dir, path, notes));
    let entry = match &manifest.command {
        Some(argv) => Some(Entry::Command { argv: argv.clone() }),
        None => entry_file(dir, static_dir.as_deref(), manifest, notes)
            .and_then(|path| entry_of(path, static_dir.as_deref(), notes))
            .or_else(|| static_dir.as_deref().map(|root| static_entry(root, notes)))
            .or_else(|| (!manifest.proxy.is_empty()).then_some(Entry::Rules)),
    };
    Found { entry, static_dir }
}

/// What was searched for, as a message says it.
pub(crate) fn searched(manifest: &Manifest) -> String {
    let names = manifest.entrypoint.as_deref().into_iter().chain(CANDIDATES);
    names.map(quoted).collect::<Vec<_>>().join(", ")
}

/// Takes a path that stays in the bundle as far as its text tells.
pub(crate) fn bundle_path(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains('\0') {
        return Err("must be a path relative to the bundle".to_owned());
    }
    let stays = |part: Component| matches!(part, Component::Normal(_) | Component::CurDir);
    if !Path::new(text).components().all(stays) {
        return Err("must stay in the bundle: no absolute path and no \"..\"".to_owned());
    }
    Ok(text.to_owned())
}

/// Why a path of the manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Escape {
    #[error("leaves its folder through a link")]
    Outside,
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
}

/// Follows every link of a path and looks whether it ends below `dir`, which has no link in its own path. None when nothing is
/// there.
pub(crate) fn contained(dir: &Path, path: &Path) -> Result<Option<PathBuf>, Escape> {
    match path.canonicalize() {
        Ok(path) if path.starts_with(dir) => Ok(Some(path)),
        Ok(_) => Err(Escape::Outside),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(Escape::Unreadable(error)),
    }
}

fn static_folder(dir: &Path, relative: &str, notes: &mut Notes) -> Option<PathBuf> {
    match contained(dir, &dir.join(relative)) {
        Ok(Some(path)) if path.is_dir() => return Some(path),
        Ok(Some(_)) => notes.fault("static", "is not a folder"),
        Ok(None) => notes.fault("static", "is not in the bundle"),
        Err(escape) => notes.fault("static", escape.to_string()),
    }
    None
}

/// The configured file if it is there, else the first candidate that is (Buntime's rule). A component that is not there
/// is a fault.
fn entry_file(
    dir: &Path,
    static_dir: Option<&Path>,
    manifest: &Manifest,
    notes: &mut Notes,
) -> Option<PathBuf> {
    if let Some(relative) = &manifest.entrypoint {
        match contained(dir, &dir.join(relative)) {
            Ok(Some(path)) if path.is_file() => return Some(path),
            Ok(Some(_)) => {
                notes.fault("entrypoint", "is not a file");
                return None;
            }
            // Something has to be built first. Its pages alone would look like the app and be none.
            Ok(None) if relative.ends_with(".wasm") => {
                notes.fault(
                    "entrypoint",
                    format!("{relative} is not in the bundle; `rookery build` makes it"),
                );
                return None;
            }
            Ok(None) => {}
            Err(escape) => {
                notes.fault("entrypoint", escape.to_string());
                return None;
            }
        }
    }
    // A page beside the static folder is a source that some tool builds the folder from (Vite's index.html is one).
    let is_source =
        |name: &str| name.ends_with(".html") && static_dir.is_some_and(|root| root != dir);
    let found = CANDIDATES
        .iter()
        .filter(|name| !is_source(name))
        .find_map(|name| match contained(dir, &dir.join(name)) {
            Ok(path) => path.filter(|path| path.is_file()).map(|path| (*name, path)),
            Err(escape) => {
                notes.fault("entrypoint", format!("{name} {escape}"));
                None
            }
        });
    if let (Some(_), Some((name, _))) = (&manifest.entrypoint, &found) {
        notes.warn(
            "entrypoint",
            format_args!("is not in the bundle; {name} is used"),
        );
    }
    found.map(|(_, path)| path)
}

/// The entry that a file is, by its extension.
fn entry_of(path: PathBuf, static_dir: Option<&Path>, notes: &mut Notes) -> Option<Entry> {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" => {
            let folder = path.parent().expect("a file has a folder");
            let root = static_dir.unwrap_or(folder).to_owned();
            if !path.starts_with(&root) {
                notes.fault(
                    "entrypoint",
                    "is a page outside of the folder that static names",
                );
                return None;
            }
            Some(Entry::Static {
                index: Some(path),
                root,
            })
        }
        "wasm" => Some(Entry::Component { path }),
        "ts" | "tsx" | "mts" | "js" | "jsx" | "mjs" | "cjs" => Some(Entry::Script { path }),
        _ => {
            notes.fault("entrypoint", "must end in .html, .wasm, .ts, .js or .mjs");
            None
        }
    }
}

fn static_entry(root: &Path, notes: &mut Notes) -> Entry {
    let index = contained(root, &root.join("index.html")).unwrap_or_else(|escape| {
        notes.fault("static", format!("index.html {escape}"));
        None
    });
    Entry::Static {
        index: index.filter(|path| path.is_file()),
        root: root.to_owned(),
    }
}

#[cfg(test)]
mod tests;
