//! Opens a bundle's folder: its manifest, its version, its entry, its digest.
//!
//! **Invariant:** no file outside the folder is read, and nothing is waited for: a pipe in place of a manifest is refused.
//! **Absent on purpose:** watching, publishing and the folder's place among others; the catalog knows those.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use semver::Version;
use serde_json::{Map, Value};

use crate::advice::advice;
use crate::digest::{self, Digest};
use crate::entrypoint::{self, Entry, Escape, Kind};
use crate::error::BundleError;
use crate::manifest::Manifest;
use crate::name::{AppName, Namespace};
use crate::object::Notes;
use crate::validate::{Draft, Package, Parsed, parse_object, parse_yaml_object};

/// The file that describes a bundle.
pub const MANIFEST_FILE: &str = "worker.config.json";
/// The file whose `workerConfig` describes a bundle that has no [`MANIFEST_FILE`].
pub const PACKAGE_FILE: &str = "package.json";
/// The file that describes a bundle which neither of these two describes.
pub const YAML_FILE: &str = "manifest.yaml";
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

/// What becomes of a manifest that is not written in its language.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BrokenManifest {
    /// It refuses the bundle.
    Refused,
    /// It is as if it were not there, and a warning says so: Buntime's way.
    PassedOver,
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
    open_as(dir, expect, BrokenManifest::Refused)
}

/// The same where the operator says what becomes of a broken manifest.
pub fn open_as(dir: &Path, expect: Expect, broken: BrokenManifest) -> Result<Bundle, BundleError> {
    let dir = dir.canonicalize().map_err(BundleError::Folder)?;
    let mut read = Files::read(&dir, broken)?;
    let needs_package = expect.version.is_none() && read.draft.manifest.version.is_none();
    // Not twice: a broken one that was passed over would be warned of again.
    if needs_package && read.bytes[Source::Package as usize].is_empty() {
        read.take_package(&dir, broken)?;
    }

    let draft = &mut read.draft;
    check_expected(&draft.manifest, &expect, &mut draft.notes);
    let found = entrypoint::find(&dir, &draft.manifest, &mut draft.notes);
    let package_version = read.package.and_then(|package| package.version);
    let Parsed {
        manifest,
        mut warnings,
    } = read.draft.finish()?;

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
    warnings.extend(advice(&manifest, entry.kind()));
    let manifests = read.bytes.each_ref().map(Vec::as_slice);
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
    Files::read(&dir, BrokenManifest::Refused)?.draft.finish()
}

/// A file that may describe a bundle, in the order in which they are asked.
#[derive(Clone, Copy)]
enum Source {
    Manifest,
    Package,
    Yaml,
}

impl Source {
    fn file(self) -> &'static str {
        match self {
            Source::Manifest => MANIFEST_FILE,
            Source::Package => PACKAGE_FILE,
            Source::Yaml => YAML_FILE,
        }
    }
}

/// The describing files of a bundle.
struct Files {
    draft: Draft,
    /// What was read of each [`Source`]; a broken one counts, too.
    bytes: [Vec<u8>; 3],
    /// Read when it is asked for.
    package: Option<Package>,
}

impl Files {
    /// `worker.config.json`, else the `workerConfig` of `package.json`, else `manifest.yaml`, else the defaults.
    fn read(dir: &Path, broken: BrokenManifest) -> Result<Self, BundleError> {
        let mut files = Files {
            draft: Draft::absent(MANIFEST_FILE),
            bytes: Default::default(),
            package: None,
        };
        if let Some(json) = files.object(dir, Source::Manifest, broken)? {
            files.found(|| Draft::read(MANIFEST_FILE, &json));
            return Ok(files);
        }
        files.take_package(dir, broken)?;
        let config = files
            .package
            .as_mut()
            .and_then(|package| package.worker_config.take());
        if let Some(config) = config {
            files.found(|| Draft::read_value(PACKAGE_FILE, &config));
            return Ok(files);
        }
        if let Some(yaml) = files.object(dir, Source::Yaml, broken)? {
            files.found(|| Draft::read(YAML_FILE, &yaml));
        }
        Ok(files)
    }

    fn take_package(&mut self, dir: &Path, broken: BrokenManifest) -> Result<(), BundleError> {
        let json = self.object(dir, Source::Package, broken)?;
        self.package = json.map(Package::read);
        Ok(())
    }

    /// Has the manifest that was found, after what was warned of before it.
    fn found(&mut self, read: impl FnOnce() -> Draft) {
        let passed_over = std::mem::take(&mut self.draft.notes.warnings);
        self.draft = read();
        self.draft.notes.warnings.splice(0..0, passed_over);
    }

    /// The object that a file holds, if it is there.
    fn object(
        &mut self,
        dir: &Path,
        source: Source,
        broken: BrokenManifest,
    ) -> Result<Option<Map<String, Value>>, BundleError> {
        let Some(bytes) = read_file(dir, source.file())? else {
            return Ok(None);
        };
        let parsed = match source {
            Source::Manifest | Source::Package => parse_object(source.file(), &bytes),
            Source::Yaml => parse_yaml_object(source.file(), &bytes),
        };
        self.bytes[source as usize] = bytes;
        match parsed {
            Ok(object) => Ok(Some(object)),
            Err(error) if broken == BrokenManifest::PassedOver => {
                let warning = format!("{error}; it is passed over, as the operator wants it");
                self.draft.notes.warnings.push(warning);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
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
