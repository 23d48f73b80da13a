//! One rename, and what has to be known before it.

use std::io;
use std::sync::Arc;

use cap_std::fs::Dir;
use parking_lot::Mutex;
use rookery_bundle::{MANIFEST_FILE, PACKAGE_FILE, YAML_FILE};

use super::same::same;
use super::take::{BUNDLE, Taken};
use super::{Deploys, Existing, Label};
use crate::folder::{Folder, Staged, blocking, move_new, swap, sync};
use crate::refusal::Refusal;

/// What an app's folder is called in the staging folder.
const APP: &str = "app";

/// A version in its place.
pub(super) struct Published {
    /// Relative to the apps directory.
    pub folder: String,
    app: String,
    apps: Arc<Folder>,
    staged: Arc<Staged>,
    parent: Dir,
    name: String,
    before: Before,
    publishing: Arc<Mutex<()>>,
}

/// What was in its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// It lies in the staging folder now.
    Another,
}

/// A version that is on disk.
struct There {
    parent: Dir,
    name: String,
    folder: String,
}

/// Where the same content lies already, if it does. Other content is a conflict, unless it gives way.
pub(super) async fn find_same(
    folder: &Arc<Folder>,
    label: &Label,
    existing: Existing,
    taken: &Taken,
) -> Result<Option<String>, Refusal> {
    let (folder, label) = (Arc::clone(folder), label.clone());
    let staged = Arc::clone(&taken.staged);
    blocking(move || {
        let Some(there) = find(&folder, &label)? else {
            return Ok(None);
        };
        judge(&there, &staged, &label, existing)
    })
    .await
}

impl Deploys {
    /// Puts it in its place. `None` when somebody else has just put the same there.
    pub(super) async fn publish(
        &self,
        folder: Arc<Folder>,
        label: &Label,
        existing: Existing,
        taken: &Taken,
    ) -> Result<Option<Published>, Refusal> {
        let (staged, label) = (Arc::clone(&taken.staged), label.clone());
        let publishing = Arc::clone(&self.publishing);
        blocking(move || {
            sync(&staged.dir).map_err(Refusal::of)?;
            let guard = publishing.lock();
            let published = publish(&folder, &label, existing, staged, &publishing);
            drop(guard);
            published
        })
        .await
    }
}

impl Published {
    /// Takes it back. Blocks on the disk.
    pub fn undo(self) -> Result<(), Refusal> {
        let _guard = self.publishing.lock();
        self.take_back().map_err(Refusal::of)
    }

    fn take_back(&self) -> io::Result<()> {
        let (staged, name) = (&self.staged.dir, &self.name);
        match self.before {
            Before::Nothing => {
                self.parent.rename(name, staged, BUNDLE)?;
                vacate(self.apps.dir(), &self.app);
                Ok(())
            }
            Before::Another => swap(staged, BUNDLE, &self.parent, name),
        }
    }

    /// On the disk for good, or not there at all.
    fn kept(self) -> Result<Option<Published>, Refusal> {
        match sync(&self.parent) {
            Ok(()) => Ok(Some(self)),
            Err(error) => {
                if let Err(error) = self.take_back() {
                    tracing::warn!(%error, folder = self.folder, "what the disk did not keep is in its place");
                }
                Err(Refusal::of(error))
            }
        }
    }
}

/// Where a version is put that is nowhere yet.
pub(super) fn usual_folder(label: &Label) -> String {
    format!("{}/{}", label.app, label.version)
}

/// Removes an app's folder that is empty, and its scope's: an app without a version is none, and would be reported as a
/// broken one.
fn vacate(apps: &Dir, app: &str) {
    // One that is not empty stays.
    let _ = apps.remove_dir(app);
    if let Some((scope, _)) = app.rsplit_once('/') {
        let _ = apps.remove_dir(scope);
    }
}

fn publish(
    folder: &Arc<Folder>,
    label: &Label,
    existing: Existing,
    staged: Arc<Staged>,
    publishing: &Arc<Mutex<()>>,
) -> Result<Option<Published>, Refusal> {
    let published = |there: There, before| Published {
        folder: there.folder,
        app: label.app.to_string(),
        apps: Arc::clone(folder),
        staged: Arc::clone(&staged),
        parent: there.parent,
        name: there.name,
        before,
        publishing: Arc::clone(publishing),
    };
    if let Some(there) = find(folder, label)? {
        if judge(&there, &staged, label, existing)?.is_some() {
            return Ok(None);
        }
        swap(&staged.dir, BUNDLE, &there.parent, &there.name).map_err(Refusal::of)?;
        return published(there, Before::Another).kept();
    }
    let app = label.app.as_str();
    let dir = folder.dir();
    // A folder that is one bundle would not be one any more with a version in it.
    if [MANIFEST_FILE, PACKAGE_FILE, YAML_FILE]
        .iter()
        .any(|file| dir.exists(format!("{app}/{file}")))
        && !has_versions(dir, app)
    {
        let message = format!("`{app}` is one bundle; versions need a folder without a manifest");
        return Err(Refusal::Conflict(message));
    }
    let there = move_in(dir, label, &staged).inspect_err(|_| vacate(dir, app))?;
    published(there, Before::Nothing).kept()
}

/// Moves it to where its version is put that is nowhere yet; with the app's folder, where that is not there either, so that
/// nobody ever sees that one empty.
fn move_in(apps: &Dir, label: &Label, staged: &Staged) -> Result<There, Refusal> {
    let (app, name) = (label.app.as_str(), label.version.to_string());
    let moved = match apps.symlink_metadata(app) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            move_app(apps, app, &name, &staged.dir)
        }
        Err(error) => Err(error),
        Ok(_) => {
            let parent = apps.open_dir(app).map_err(Refusal::of)?;
            move_new(&staged.dir, BUNDLE, &parent, &name)
        }
    };
    if !moved.map_err(Refusal::of)? {
        // Somebody copied a folder there by hand, a moment ago.
        return Err(Refusal::Deployed(label.to_string()));
    }
    Ok(There {
        parent: apps.open_dir(app).map_err(Refusal::of)?,
        name,
        folder: usual_folder(label),
    })
}

fn move_app(apps: &Dir, app: &str, version: &str, staged: &Dir) -> io::Result<bool> {
    if let Some((scope, _)) = app.rsplit_once('/') {
        apps.create_dir_all(scope)?;
    }
    staged.create_dir(APP)?;
    staged.rename(BUNDLE, &staged.open_dir(APP)?, version)?;
    move_new(staged, APP, apps, app)
}

/// The folder of a version that is there, when it holds what was taken.
fn judge(
    there: &There,
    staged: &Staged,
    label: &Label,
    existing: Existing,
) -> Result<Option<String>, Refusal> {
    let alike = || -> io::Result<bool> {
        same(
            &staged.dir.open_dir(BUNDLE)?,
            &there.parent.open_dir(&there.name)?,
        )
    };
    match (alike().map_err(Refusal::of)?, existing) {
        (true, _) => Ok(Some(there.folder.clone())),
        (false, Existing::Replaced) => Ok(None),
        (false, Existing::Kept) => Err(Refusal::Deployed(label.to_string())),
    }
}

/// Finds a version in any of the layouts that name it.
fn find(folder: &Folder, label: &Label) -> Result<Option<There>, Refusal> {
    let (app, version) = (label.app.as_str(), &label.version);
    let (scope, plain) = match app.rsplit_once('/') {
        Some((scope, plain)) => (scope, plain),
        None => ("", app),
    };
    let places = [
        (app, version.to_string()),
        (app, format!("v{version}")),
        (scope, format!("{plain}@{version}")),
        (scope, format!("{plain}@v{version}")),
    ];
    for (parent, name) in places {
        let opened = folder
            .dir()
            .open_dir(if parent.is_empty() { "." } else { parent });
        let dir = match opened {
            Ok(dir) => dir,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Refusal::of(error)),
        };
        if dir.symlink_metadata(&name).is_ok() {
            let folder = if parent.is_empty() {
                name.clone()
            } else {
                format!("{parent}/{name}")
            };
            return Ok(Some(There {
                parent: dir,
                name,
                folder,
            }));
        }
    }
    Ok(None)
}

fn has_versions(dir: &Dir, app: &str) -> bool {
    let Ok(entries) = dir.read_dir(app) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let is_version = name.to_str().and_then(rookery_bundle::parse_version);
        is_version.is_some() && entry.file_type().is_ok_and(|kind| !kind.is_file())
    })
}

/// Moves a version out of sight; its folder. `None` when there is none.
pub(super) fn withdraw(
    folder: &Folder,
    label: &Label,
    known: Option<String>,
) -> Result<Option<String>, Refusal> {
    let there = match find(folder, label)? {
        Some(there) => Some(there),
        None => known.and_then(|known| {
            let (parent, name) = known.rsplit_once('/').unwrap_or((".", &known));
            let parent = folder.dir().open_dir(parent).ok()?;
            parent.symlink_metadata(name).ok()?;
            let name = name.to_owned();
            Some(There {
                parent,
                name,
                folder: known,
            })
        }),
    };
    let Some(there) = there else { return Ok(None) };
    let staged = folder.stage()?;
    let moved = there.parent.rename(&there.name, &staged.dir, BUNDLE);
    moved.map_err(Refusal::of)?;
    vacate(folder.dir(), label.app.as_str());
    Ok(Some(there.folder))
}
