//! Opens a bundle's folder: its manifest, its version, its entry, its digest.
//!
//! **Invariant:** no file outside the folder is read, and nothing is waited for: a pipe in place of a manifest is refused.
//! **Absent on purpose:** watching, publishing and the folder's place among others; the catalog knows those.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use semver::Version;

use crate::digest::{self, Digest};
use crate::entrypoint::{self, Entry, Escape, Kind};
use crate::error::BundleError;
use crate::manifest::Manifest;
use crate::name::{AppName, Namespace};
use crate::object::Notes;
use crate::validate::{Draft, Package, Parsed, parse_object};

/// The file that describes a bundle.
pub const MANIFEST_FILE: &str = "worker.config.json";
/// The file whose `workerConfig` describes a bundle that has no [`MANIFEST_FILE`].
pub const PACKAGE_FILE: &str = "package.json";
/// The largest manifest or `package.json`, in bytes.
pub const MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// What a folder's place says about the bundle in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expect {
    /// The app whose folder it is.
    pub name: AppName,
    /// The version in the folder's name; None in the layout with one bundle per app.
    pub version: Option<Version>,
}

/// A valid bundle.
#[derive(Clone, PartialEq, Debug)]
pub struct Bundle {
    /// The app.
    pub name: AppName,
    /// The version.
    pub version: Version,
    /// The folder, absolute and without links.
    pub dir: PathBuf,
    /// The author's description.
    pub manifest: Manifest,
    /// What to serve or run.
    pub entry: Entry,
    /// What was found, as one number.
    pub digest: Digest,
    /// What the author should know although the bundle is valid; a line each.
    pub warnings: Vec<String>,
    static_dir: Option<PathBuf>,
}

impl Bundle {
    /// Whose data the app works on.
    pub fn namespace(&self) -> Namespace {
        self.manifest
            .namespace
            .clone()
            .unwrap_or_else(|| Namespace::of(&self.name, &self.version))
    }

    /// The folder whose files are served, if there is one; absolute and without links.
    pub fn static_root(&self) -> Option<&Path> {
        match &self.entry {
            Entry::Static { root, .. } => Some(root),
            _ => self.static_dir.as_deref(),
        }
    }

    /// `name@version`.
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// Which kind of worker it needs.
    pub fn kind(&self) -> Kind {
        self.entry.kind()
    }
}

/// Opens a bundle, or says everything that is wrong with it.
pub fn open(dir: &Path, expect: Expect) -> Result<Bundle, BundleError> {
    let dir = dir.canonicalize().map_err(BundleError::Folder)?;
    let mut read = Files::read(&dir)?;
    let needs_package = expect.version.is_none() && read.draft.manifest.version.is_none();
    if needs_package && read.package.is_none() {
        read.package = read_package(&dir)?;
    }

    let draft = &mut read.draft;
    check_expected(&draft.manifest, &expect, &mut draft.notes);
    let found = entrypoint::find(&dir, &draft.manifest, &mut draft.notes);
    let package_version = read
        .package
        .as_ref()
        .and_then(|(_, package)| package.version.clone());
    let Parsed {
        manifest,
        mut warnings,
    } = read.draft.finish()?;
    if !manifest.proxy.is_empty() {
        warnings.push(
            "`proxy` is checked but not applied yet: its paths go to files and workers".to_owned(),
        );
    }

    let version = expect
        .version
        .or_else(|| manifest.version.clone())
        .or(package_version);
    let version = version.ok_or_else(|| BundleError::NoVersion {
        app: expect.name.clone(),
    })?;
    let entry = found.entry.ok_or_else(|| BundleError::NoEntrypoint {
        candidates: entrypoint::searched(&manifest),
    })?;
    let package_bytes = read.package.as_ref().map(|(bytes, _)| bytes.as_slice());
    let manifests = [read.bytes.as_deref(), package_bytes].map(Option::unwrap_or_default);
    let digest = digest::digest(&dir, &manifests, &entry)?;
    Ok(Bundle {
        name: expect.name,
        version,
        dir,
        manifest,
        entry,
        digest,
        warnings,
        static_dir: found.static_dir,
    })
}

/// Reads the manifest of a folder alone, as `open` does; a folder without one has the defaults.
pub fn read_manifest(dir: &Path) -> Result<Parsed, BundleError> {
    let dir = dir.canonicalize().map_err(BundleError::Folder)?;
    Files::read(&dir)?.draft.finish()
}

/// The describing files of a bundle.
struct Files {
    draft: Draft,
    /// Of `worker.config.json`, if it is there.
    bytes: Option<Vec<u8>>,
    /// Read when it is asked for.
    package: Option<(Vec<u8>, Package)>,
}

impl Files {
    /// `worker.config.json`, else the `workerConfig` of `package.json`, else the defaults.
    fn read(dir: &Path) -> Result<Self, BundleError> {
        if let Some(bytes) = read_file(dir, MANIFEST_FILE)? {
            let draft = Draft::read(MANIFEST_FILE, &parse_object(MANIFEST_FILE, &bytes)?);
            return Ok(Self {
                draft,
                bytes: Some(bytes),
                package: None,
            });
        }
        let package = read_package(dir)?;
        let draft = match package
            .as_ref()
            .and_then(|(_, package)| package.worker_config.as_ref())
        {
            None => Draft::absent(MANIFEST_FILE),
            Some(config) => Draft::read_value(PACKAGE_FILE, config),
        };
        Ok(Self {
            draft,
            bytes: None,
            package,
        })
    }
}

fn read_package(dir: &Path) -> Result<Option<(Vec<u8>, Package)>, BundleError> {
    let Some(bytes) = read_file(dir, PACKAGE_FILE)? else {
        return Ok(None);
    };
    let package = Package::read(parse_object(PACKAGE_FILE, &bytes)?);
    Ok(Some((bytes, package)))
}

fn read_file(dir: &Path, name: &'static str) -> Result<Option<Vec<u8>>, BundleError> {
    let unreadable = |source| BundleError::Unreadable {
        file: name.to_owned(),
        source,
    };
    let path = match entrypoint::contained(dir, &dir.join(name)) {
        Ok(Some(path)) => path,
        Ok(None) => return Ok(None),
        Err(Escape::Unreadable(error)) => return Err(unreadable(error)),
        Err(escape @ Escape::Outside) => return Err(unreadable(io::Error::other(escape))),
    };
    // Looked at before it is opened: opening a pipe would wait for its writer.
    if !path.is_file() {
        return Err(unreadable(io::Error::other("it is not a file")));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MANIFEST_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MANIFEST_BYTES_MAX {
        return Err(BundleError::TooLarge {
            file: name.to_owned(),
            bytes_max: MANIFEST_BYTES_MAX,
        });
    }
    Ok(Some(bytes))
}

/// A manifest that contradicts the folder's name was put into the wrong folder.
fn check_expected(manifest: &Manifest, expect: &Expect, notes: &mut Notes) {
    if let Some(name) = manifest.name.as_ref().filter(|name| **name != expect.name) {
        notes.fault(
            "name",
            format!("is {name}, but the folder is {}'s", expect.name),
        );
    }
    if let (Some(version), Some(expected)) = (&manifest.version, &expect.version)
        && version != expected
    {
        notes.fault(
            "version",
            format!("is {version}, but the folder is of {expected}"),
        );
    }
}

#[cfg(test)]
mod tests;
