//! Which bundles are built together: those of one cargo workspace, by one call of cargo.
//!
//! **Invariant:** every crate of a workspace is in one call, so that what they share is compiled once and cargo's own lock
//! on the target folder is never waited for.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use rookery_bundle::read_manifest;
use serde::Deserialize;

use super::environment;
use crate::cli::discover::Found;

/// Where a component goes when the manifest does not say.
const DEFAULT_ENTRY: &str = "app.wasm";

/// What is to be built.
#[derive(Debug, Default)]
pub struct Plan {
    /// One call of cargo each.
    pub workspaces: Vec<Workspace>,
    /// Bundles that have a `Cargo.toml`, but cannot be built, and why.
    pub refused: Vec<(Found, String)>,
}

/// The bundles of one cargo workspace.
#[derive(Debug)]
pub struct Workspace {
    /// Where cargo is started: its configuration and its toolchain file are searched from here.
    pub root: PathBuf,
    /// A target folder of its own, when the usual one is shared with other workspaces.
    pub target_dir: Option<PathBuf>,
    /// The bundles. Never empty.
    pub crates: Vec<Crate>,
}

/// One bundle that cargo builds.
#[derive(Debug)]
pub struct Crate {
    /// The bundle.
    pub found: Found,
    /// What cargo calls the package.
    pub package_id: String,
    /// Its `Cargo.toml`.
    pub manifest_path: PathBuf,
    /// Where the component goes.
    pub entry: PathBuf,
    /// The folders of the package and of the packages beside it that it depends on.
    pub sources: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    path: Option<PathBuf>,
}

impl Workspace {
    /// All bundles by name.
    pub fn label(&self) -> String {
        self.crates
            .iter()
            .map(|built| built.found.label())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Sorts bundles into workspaces. Bundles without a `Cargo.toml` are left out.
pub fn plan(found: &[Found]) -> Plan {
    let mut plan = Plan::default();
    let mut known: Vec<Metadata> = Vec::new();
    for bundle in found
        .iter()
        .filter(|bundle| bundle.dir.join("Cargo.toml").is_file())
    {
        match place(bundle, &mut known) {
            Ok(None) => {}
            Ok(Some((root, target_dir, built))) => {
                match plan.workspaces.iter_mut().find(|one| one.root == root) {
                    Some(workspace) => workspace.crates.push(built),
                    None => plan.workspaces.push(Workspace {
                        root,
                        target_dir,
                        crates: vec![built],
                    }),
                }
            }
            Err(reason) => plan.refused.push((bundle.clone(), reason)),
        }
    }
    plan
}

type Placed = (PathBuf, Option<PathBuf>, Crate);

/// None for a bundle whose entrypoint is not a component: its `Cargo.toml` is its own affair.
fn place(bundle: &Found, known: &mut Vec<Metadata>) -> Result<Option<Placed>, String> {
    let Some(entry) = entry(&bundle.dir)? else {
        return Ok(None);
    };
    let manifest_path = bundle.dir.join("Cargo.toml");
    let has = |metadata: &Metadata| {
        metadata
            .packages
            .iter()
            .any(|package| package.manifest_path == manifest_path)
    };
    let index = match known.iter().position(has) {
        Some(index) => index,
        None => {
            known.push(metadata(&bundle.dir)?);
            known.len() - 1
        }
    };
    let metadata = &known[index];
    let package = metadata
        .packages
        .iter()
        .find(|package| package.manifest_path == manifest_path)
        .ok_or("its Cargo.toml has no [package]")?;
    let built = Crate {
        found: bundle.clone(),
        package_id: package.id.clone(),
        entry,
        sources: sources(metadata, package),
        manifest_path,
    };
    Ok(Some((
        metadata.workspace_root.clone(),
        own_target_dir(metadata),
        built,
    )))
}

/// Where the manifest expects the component.
fn entry(dir: &Path) -> Result<Option<PathBuf>, String> {
    let manifest = read_manifest(dir)
        .map_err(|error| error.to_string())?
        .manifest;
    let entry = PathBuf::from(
        manifest
            .entrypoint
            .unwrap_or_else(|| DEFAULT_ENTRY.to_owned()),
    );
    if manifest.command.is_some()
        || entry
            .extension()
            .is_none_or(|extension| extension != "wasm")
    {
        return Ok(None);
    }
    let is_inside = entry
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if is_inside {
        Ok(Some(dir.join(entry)))
    } else {
        Err("entrypoint: must lie inside the bundle".to_owned())
    }
}

fn metadata(dir: &Path) -> Result<Metadata, String> {
    let mut cargo = Command::new("cargo");
    cargo
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--color",
            "never",
        ])
        .current_dir(dir);
    environment::apply(&mut cargo);
    let output = cargo
        .output()
        .map_err(|error| environment::not_started("cargo", &error))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata cannot be read: {error}"))
}

/// Cargo tells two cdylibs of one name apart only by their workspace: in a target folder that several workspaces share
/// (`CARGO_TARGET_DIR`), hello 0.2.0 that was copied from hello 0.1.0 would be given the component of 0.1.0.
fn own_target_dir(metadata: &Metadata) -> Option<PathBuf> {
    if metadata
        .target_directory
        .starts_with(&metadata.workspace_root)
    {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    metadata.workspace_root.hash(&mut hasher);
    Some(
        metadata
            .target_directory
            .join(format!("rookery-{:016x}", hasher.finish())),
    )
}

/// The package and what it depends on by path, as far as the workspace knows.
fn sources(metadata: &Metadata, package: &Package) -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = package
        .manifest_path
        .parent()
        .map(Path::to_owned)
        .into_iter()
        .collect();
    let mut next = 0;
    while let Some(dir) = dirs.get(next) {
        let manifest_path = dir.join("Cargo.toml");
        let here = metadata
            .packages
            .iter()
            .find(|package| package.manifest_path == manifest_path);
        let paths = here
            .into_iter()
            .flat_map(|package| &package.dependencies)
            .filter_map(|on| on.path.clone());
        let new: Vec<PathBuf> = paths.filter(|path| !dirs.contains(path)).collect();
        dirs.extend(new);
        next += 1;
    }
    dirs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(dir: &str, paths: &[&str]) -> Package {
        let dependencies = paths
            .iter()
            .map(|path| Dependency {
                path: Some(path.into()),
            })
            .collect();
        Package {
            id: dir.to_owned(),
            manifest_path: Path::new(dir).join("Cargo.toml"),
            dependencies,
        }
    }

    #[test]
    fn a_bundle_is_watched_with_everything_beside_it_that_it_depends_on() {
        let metadata = Metadata {
            packages: vec![
                package("/w/apps/chat/1", &["/w/apps/chat/protocol", "/w/sdk"]),
                package("/w/apps/chat/protocol", &["/w/sdk", "/w/apps/chat/1"]),
                package("/w/server", &[]),
            ],
            workspace_root: "/w".into(),
            target_directory: "/w/target".into(),
        };
        let dirs = sources(&metadata, &metadata.packages[0]);
        assert_eq!(
            dirs,
            ["/w/apps/chat/1", "/w/apps/chat/protocol", "/w/sdk"].map(PathBuf::from)
        );
    }

    #[test]
    fn a_shared_target_folder_is_divided_by_workspace() {
        let of = |root: &str, target: &str| {
            own_target_dir(&Metadata {
                packages: Vec::new(),
                workspace_root: root.into(),
                target_directory: target.into(),
            })
        };
        assert_eq!(of("/apps/hello/0.1.0", "/apps/hello/0.1.0/target"), None);
        let (first, second) = (
            of("/apps/hello/0.1.0", "/shared"),
            of("/apps/hello/0.2.0", "/shared"),
        );
        assert!(first.as_ref().is_some_and(|dir| dir.starts_with("/shared")));
        assert_ne!(first, second);
    }
}
