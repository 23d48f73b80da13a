//! Which folders of an apps directory claim to be a bundle, by their names and places alone.
//!
//! | layout | is |
//! | --- | --- |
//! | `app/1.2.3/`, `app/v1.2.3/` | that version of `app` |
//! | `app@1.2.3/`, `app@v1.2.3/` | the same |
//! | `app/` with a manifest or `package.json` of its own | one bundle; the version stands in it |
//! | `app/latest/`, `app@latest/` | one bundle; the version stands in it, and `latest` is a tag of it |
//! | `app/canary -> 1.2.3`, `app@canary -> app@1.2.3` | a tag: a link that leads to a version of the app |
//! | `@scope/` | a folder of any of these, of apps named `@scope/app` |
//!
//! A file `app.rollout.json`, or `@scope/app.rollout.json`, is the rollout of that app, whatever the layout of its bundles.
//!
//! A name that starts with a dot is nobody's business: that is where uploads are staged before they are renamed.
//! Below an app, whatever else is not a version is ignored: `tmp`, `1.0`, `src`, files, links to any of these. So is
//! `latest` below an app that is one bundle itself.
//!
//! **Invariant:** every folder named here lies in the apps directory, wherever links lead.
//! **Absent on purpose:** reading any file. That is `slot.rs`, once a folder is at rest.

use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use rookery_bundle::{AppName, MANIFEST_FILE, PACKAGE_FILE, YAML_FILE, parse_version};
use rookery_routing::{LATEST, Selector};
use semver::Version;

use super::link::{Place, led_to};
use super::report::Report;
use super::rollouts;
use crate::rollout::SUFFIX;
use crate::tags::Tags;

/// The files that make a folder without versions a bundle.
const MANIFESTS: [&str; 3] = [MANIFEST_FILE, PACKAGE_FILE, YAML_FILE];

/// What one pass over an apps directory found.
#[derive(Debug, Default)]
pub struct Scan {
    /// Folders to be opened, in the order of their names.
    pub candidates: Vec<Candidate>,
    /// Links that are tags.
    pub tags: Tags,
    /// Files of rollouts.
    pub rollouts: Vec<rollouts::Place>,
    /// Folders that are not, and why.
    pub reports: Vec<Report>,
    /// Folders that could not be listed, relative. What is known below them stays known: having no file handles left
    /// is no reason to take apps down.
    pub unreadable: Vec<String>,
    /// Every folder that was listed, to be watched.
    pub listed: Vec<PathBuf>,
}

/// A folder that claims to be a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Relative to the apps directory, as its author knows it.
    pub folder: String,
    /// Where it is, links resolved: a link that is swapped later does not pull the files from under what runs.
    pub dir: PathBuf,
    /// The app that its place says it is of.
    pub app: AppName,
    /// The version that its name says, if it says one.
    pub version: Option<Version>,
    /// The tag that its name says in place of a version.
    pub tag: Option<&'static str>,
}

/// What the name of a folder says of the bundle in it.
enum Named {
    Version(Version),
    Latest,
    Nothing,
}

/// Reads the names in the apps directory `root`, which must be canonical.
///
/// # Errors
/// When the apps directory itself cannot be listed. Anything below it that cannot is in the result.
pub fn scan(root: &Path) -> io::Result<Scan> {
    let mut pass = Pass {
        root,
        out: Scan::default(),
    };
    let top = pass.list(root)?;
    pass.apps(root, "", top);
    pass.out
        .candidates
        .sort_by(|a, b| a.folder.as_str().cmp(&b.folder));
    Ok(pass.out)
}

struct Pass<'a> {
    root: &'a Path,
    out: Scan,
}

struct Item {
    name: String,
    path: PathBuf,
    file_type: FileType,
}

impl Pass<'_> {
    /// The apps directory, or a scope in it. `prefix` is empty or `@scope/`, the same for names and for folders.
    fn apps(&mut self, dir: &Path, prefix: &str, items: Vec<Item>) {
        for item in items {
            let folder = format!("{prefix}{}", item.name);
            if self.is_rollout(&item, &folder) {
                continue;
            }
            if self.is_flat_tag(&item, dir, prefix, &folder) {
                continue;
            }
            let Some(path) = self.folder_of(&item, dir, &folder) else {
                continue;
            };
            match item.name.split_once('@') {
                Some(("", _)) if prefix.is_empty() => {
                    if let Some(items) = self.list_or_note(&path, &folder) {
                        self.apps(&path, &format!("{folder}/"), items);
                    }
                }
                Some((name, text)) => self.flat(path, &folder, &format!("{prefix}{name}"), text),
                None => self.app(path, folder),
            }
        }
    }

    /// `app@1.2.3/`, `app@latest/`.
    fn flat(&mut self, dir: PathBuf, folder: &str, name: &str, text: &str) {
        let Some(app) = self.app_name(name, folder) else {
            return;
        };
        let named = match parse_version(text) {
            Some(version) => Named::Version(version),
            None if text == LATEST => Named::Latest,
            None => {
                let reason = format!("`{text}` is not a version; it has to be like `{name}@1.2.3`");
                self.report(Report::broken(folder, reason).of(name));
                return;
            }
        };
        self.candidate(folder.to_owned(), dir, app, named);
    }

    /// `app/`: a folder of versions, or one bundle.
    fn app(&mut self, dir: PathBuf, folder: String) {
        let Some(app) = self.app_name(&folder, &folder) else {
            return;
        };
        let Some(items) = self.list_or_note(&dir, &folder) else {
            return;
        };
        let manifest = MANIFESTS.into_iter().find(|manifest| {
            items
                .iter()
                .any(|item| item.name == *manifest && !item.file_type.is_dir())
        });
        let (mut has_versions, mut latest) = (false, None);
        for item in items.iter().filter(|item| !item.file_type.is_file()) {
            let inner = format!("{folder}/{}", item.name);
            if let Some(version) = parse_version(&item.name) {
                has_versions = true;
                if let Some(path) = self.folder_of(item, &dir, &inner) {
                    self.candidate(inner, path, app.clone(), Named::Version(version));
                }
            } else if !self.is_tag(item, &item.name, &app, &[(&dir, "")], &inner)
                && item.name == LATEST
            {
                latest = Some((item, inner));
            }
        }
        // A bundle may well have a folder of that name, and then it is no bundle.
        if let Some((item, inner)) = latest
            && (has_versions || manifest.is_none())
        {
            has_versions = true;
            if let Some(path) = self.folder_of(item, &dir, &inner) {
                self.candidate(inner, path, app.clone(), Named::Latest);
            }
        }
        match (has_versions, manifest) {
            (false, Some(_)) => self.candidate(folder, dir, app, Named::Nothing),
            (true, Some(manifest)) => {
                let reason = format!("its {manifest} is not used, because it has version folders");
                self.report(Report::warning(&folder, reason).of(&folder));
            }
            (false, None) => {
                let reason = "holds neither a version folder such as `1.0.0` nor a worker.config.json, package.json or manifest.yaml";
                self.report(Report::broken(&folder, reason).of(&folder));
            }
            (true, None) => {}
        }
    }

    /// `app.rollout.json`.
    fn is_rollout(&mut self, item: &Item, folder: &str) -> bool {
        let Some(name) = folder.strip_suffix(SUFFIX) else {
            return false;
        };
        if item.file_type.is_dir() {
            return false;
        }
        if let Some(app) = self.app_name(name, folder) {
            self.out.rollouts.push(rollouts::Place {
                app,
                root: self.root.to_owned(),
                path: item.path.clone(),
            });
        }
        true
    }

    /// `app@canary -> app@1.2.3`.
    fn is_flat_tag(&mut self, item: &Item, dir: &Path, prefix: &str, folder: &str) -> bool {
        let Some((name, tag)) = item.name.split_once('@') else {
            return false;
        };
        let Ok(app) = AppName::parse(&format!("{prefix}{name}")) else {
            return false;
        };
        let (beside, below) = (format!("{name}@"), dir.join(name));
        let places: [Place<'_>; 2] = [(dir, &beside), (&below, "")];
        self.is_tag(item, tag, &app, &places, folder)
    }

    /// Whether an item is a link from a tag's name to a version of the app; if so, takes note of it.
    fn is_tag(
        &mut self,
        item: &Item,
        tag: &str,
        app: &AppName,
        places: &[Place<'_>],
        folder: &str,
    ) -> bool {
        let is_name = matches!(Selector::parse(tag), Ok(Selector::Tag(_)));
        if !is_name || !item.file_type.is_symlink() {
            return false;
        }
        let Some(version) = led_to(&item.path, places) else {
            return false;
        };
        if item.path.is_dir() {
            self.out.tags.insert((app.clone(), tag.into()), version);
        } else {
            let reason = format!("is a tag of {version}, which is not there");
            self.report(Report::broken(folder, reason).of(app));
        }
        true
    }

    fn candidate(&mut self, folder: String, dir: PathBuf, app: AppName, named: Named) {
        let (version, tag) = match named {
            Named::Version(version) => (Some(version), None),
            Named::Latest => (None, Some(LATEST)),
            Named::Nothing => (None, None),
        };
        self.out.listed.push(dir.clone());
        self.out.candidates.push(Candidate {
            folder,
            dir,
            app,
            version,
            tag,
        });
    }

    /// The folder that an item is or links to. Files are nothing; a link has to stay in the apps directory, and must
    /// not lead to a folder that holds it, which would be found below itself again.
    fn folder_of(&mut self, item: &Item, parent: &Path, folder: &str) -> Option<PathBuf> {
        if !item.file_type.is_symlink() {
            return item.file_type.is_dir().then(|| item.path.clone());
        }
        let reason = match fs::canonicalize(&item.path) {
            Ok(path) if !path.starts_with(self.root) => {
                "is a link that leaves the apps directory".to_owned()
            }
            Ok(path) if parent.starts_with(&path) => {
                "is a link to a folder that holds it".to_owned()
            }
            Ok(path) => return path.is_dir().then_some(path),
            Err(error) => format!("is a link that leads nowhere: {}", error.kind()),
        };
        self.report(Report::broken(folder, reason));
        None
    }

    fn app_name(&mut self, name: &str, folder: &str) -> Option<AppName> {
        match AppName::parse(name) {
            Ok(app) => Some(app),
            Err(error) => {
                let reason = format!("is not an app: a name {error}");
                self.report(Report::broken(folder, reason));
                None
            }
        }
    }

    fn list_or_note(&mut self, dir: &Path, folder: &str) -> Option<Vec<Item>> {
        match self.list(dir) {
            Ok(items) => Some(items),
            // It went away since its name was read: the next look will not see it at all.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.out.unreadable.push(folder.to_owned());
                let reason = format!("cannot be listed: {}", error.kind());
                self.report(Report::broken(folder, reason));
                None
            }
        }
    }

    /// The items of a folder by name, without those that start with a dot.
    fn list(&mut self, dir: &Path) -> io::Result<Vec<Item>> {
        let mut items = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            // What is not UTF-8 is neither an app nor a version; it only has to be shown.
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let file_type = match entry.file_type() {
                Ok(file_type) => file_type,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let path = entry.path();
            items.push(Item {
                name,
                path,
                file_type,
            });
        }
        items.sort_by(|a, b| a.name.cmp(&b.name));
        self.out.listed.push(dir.to_owned());
        Ok(items)
    }

    fn report(&mut self, report: Report) {
        self.out.reports.push(report);
    }
}

#[cfg(test)]
mod tests;
