//! Where a bundle finds the SDK: in the checkout that it lies in, else in a copy beside the apps folder.
//!
//! **Invariant:** a copy is the one that this binary carries. `refresh` brings it up to date before a build, so that it
//! fits the server that will run what is built, and so that a fresh clone without it still builds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

static SDK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sdk");

const PACKAGE: &str = "rookery-sdk";

/// Where the copy lies, from the folder that the apps folder is in.
const COPY: &str = ".rookery/sdk";

/// Makes sure that there is an SDK for `bundle`, which need not exist yet, and gives its folder relative to the bundle's.
pub fn provide(apps_dir: &Path, bundle: &Path) -> io::Result<String> {
    let apps_dir = apps_dir.canonicalize()?;
    let app_dir = bundle.parent().unwrap_or(bundle).canonicalize()?;
    if let Some(checkout) = apps_dir
        .ancestors()
        .find(|dir| package_name(&dir.join("sdk")).as_deref() == Some(PACKAGE))
    {
        return Ok(upward(&app_dir, checkout) + "sdk");
    }
    let beside = apps_dir.parent().unwrap_or(&apps_dir);
    write(&SDK, &beside.join(COPY))?;
    Ok(upward(&app_dir, beside) + COPY)
}

/// Writes the copy that the bundle's `Cargo.toml` names anew where it is missing or another version's.
pub fn refresh(bundle: &Path) -> io::Result<()> {
    let depends_on = cargo_toml(bundle).and_then(|manifest| {
        let path = manifest
            .get("dependencies")?
            .get(PACKAGE)?
            .get("path")?
            .as_str()?;
        path.ends_with(COPY).then(|| bundle.join(path))
    });
    depends_on.map_or(Ok(()), |copy| write(&SDK, &copy))
}

fn package_name(dir: &Path) -> Option<String> {
    Some(
        cargo_toml(dir)?
            .get("package")?
            .get("name")?
            .as_str()?
            .to_owned(),
    )
}

fn cargo_toml(dir: &Path) -> Option<toml::Table> {
    fs::read_to_string(dir.join("Cargo.toml"))
        .ok()?
        .parse()
        .ok()
}

/// `../../../` from a version of the app up to `ancestor`.
fn upward(app_dir: &Path, ancestor: &Path) -> String {
    let below = app_dir
        .strip_prefix(ancestor)
        .map_or(0, |path| path.components().count());
    "../".repeat(below + 1)
}

/// Writes what differs, so that cargo sees no change where there is none.
fn write(source: &Dir<'_>, root: &Path) -> io::Result<()> {
    for file in source.files() {
        let path: PathBuf = root.join(file.path());
        if fs::read(&path).is_ok_and(|there| there == file.contents()) {
            continue;
        }
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(path, file.contents())?;
    }
    source
        .dirs()
        .filter(|inner| !inner.path().ends_with("target"))
        .try_for_each(|inner| write(inner, root))
}
