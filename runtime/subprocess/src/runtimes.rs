//! What runs a script: Bun, Deno or Node, found on the PATH.
//!
//! **Invariant:** a runtime that was found is not searched for again; one that was missing is, so that installing it is
//! enough.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use parking_lot::Mutex;
use rookery_bundle::{Bundle, RuntimeKind};

use crate::error::StartError;

/// The order in which they are looked for when the manifest names none.
const IN_ORDER: [RuntimeKind; 3] = [RuntimeKind::Bun, RuntimeKind::Deno, RuntimeKind::Node];

/// A runtime that is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Runtime {
    /// Which one.
    pub kind: RuntimeKind,
    /// Where it is.
    pub program: PathBuf,
    /// What it can do with TypeScript.
    pub types: Types,
}

/// What a runtime does with TypeScript.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Types {
    /// It runs it.
    Runs,
    /// It runs it when it is asked to.
    WithFlag,
    /// It does not, being of this version.
    No(String),
}

/// The runtimes of this machine.
#[derive(Default)]
pub(crate) struct Runtimes {
    found: Mutex<HashMap<RuntimeKind, Runtime>>,
}

impl Runtimes {
    /// The one that is asked for, or the first that there is in the folders of `path`. May start a program and wait for it.
    pub fn find(&self, wanted: Option<RuntimeKind>, path: &OsStr) -> Result<Runtime, StartError> {
        let Some(kind) = wanted else {
            let first = IN_ORDER.into_iter().find_map(|kind| self.get(kind, path));
            return first.ok_or(StartError::NoRuntime)?;
        };
        self.get(kind, path).ok_or_else(|| missing(kind))?
    }

    /// That nothing is there that could run a script; `None` when something is, whatever it can do.
    pub fn lacking(wanted: Option<RuntimeKind>, path: &OsStr) -> Option<StartError> {
        let is_there = |kind| on_path(name(kind), path).is_some();
        match wanted {
            Some(kind) => (!is_there(kind)).then(|| missing(kind)),
            None => (!IN_ORDER.into_iter().any(is_there)).then_some(StartError::NoRuntime),
        }
    }

    /// `None` when it is not there; an error when it is and cannot be used.
    fn get(&self, kind: RuntimeKind, path: &OsStr) -> Option<Result<Runtime, StartError>> {
        if let Some(runtime) = self.found.lock().get(&kind) {
            return Some(Ok(runtime.clone()));
        }
        let program = on_path(name(kind), path)?;
        let types = match kind {
            RuntimeKind::Bun | RuntimeKind::Deno => Ok(Types::Runs),
            RuntimeKind::Node => types_of_node(&program),
        };
        Some(types.map(|types| {
            let runtime = Runtime {
                kind,
                program,
                types,
            };
            self.found.lock().insert(kind, runtime.clone());
            runtime
        }))
    }
}

impl Runtime {
    /// Program and arguments that run the shim for a bundle's entrypoint; `src/shim/PROTOCOL.md` says why these.
    pub fn argv(
        &self,
        shim: &Path,
        bundle: &Bundle,
        entrypoint: &Path,
    ) -> Result<Vec<OsString>, StartError> {
        let mut argv = vec![self.program.clone().into_os_string()];
        let low_memory = bundle.manifest.low_memory;
        match self.kind {
            RuntimeKind::Bun => {
                argv.extend(low_memory.then(|| "--smol".into()));
                argv.push("--no-install".into());
            }
            RuntimeKind::Deno => argv.extend(deno_flags(&bundle.dir)),
            RuntimeKind::Node => argv.extend(low_memory.then(|| "--optimize-for-size".into())),
        }
        if is_typescript(entrypoint) {
            match &self.types {
                Types::Runs => {}
                Types::WithFlag => argv.push("--experimental-strip-types".into()),
                Types::No(version) => {
                    let version = version.clone();
                    return Err(StartError::NoTypes { version });
                }
            }
        }
        argv.push(shim.into());
        Ok(argv)
    }
}

/// Deno looks for its settings beside the shim, where none are.
fn deno_flags(dir: &Path) -> Vec<OsString> {
    const ALWAYS: [&str; 5] = [
        "run",
        "--allow-all",
        "--no-prompt",
        "--no-lock",
        "--unstable-no-legacy-abort",
    ];
    let mut flags = ALWAYS.map(OsString::from).to_vec();
    let settings = ["deno.json", "deno.jsonc"].map(|name| dir.join(name));
    if let Some(settings) = settings.into_iter().find(|path| path.is_file()) {
        flags.extend(["--config".into(), settings.into_os_string()]);
    }
    if dir.join("node_modules").is_dir() {
        flags.push("--node-modules-dir=manual".into());
    }
    flags
}

fn is_typescript(entrypoint: &Path) -> bool {
    let extension = entrypoint.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| matches!(extension, "ts" | "tsx" | "mts" | "cts"))
}

fn missing(kind: RuntimeKind) -> StartError {
    StartError::RuntimeMissing {
        name: name(kind),
        home: home(kind),
    }
}

fn name(kind: RuntimeKind) -> &'static str {
    match kind {
        RuntimeKind::Bun => "bun",
        RuntimeKind::Deno => "deno",
        RuntimeKind::Node => "node",
    }
}

fn home(kind: RuntimeKind) -> &'static str {
    match kind {
        RuntimeKind::Bun => "https://bun.sh",
        RuntimeKind::Deno => "https://deno.com",
        RuntimeKind::Node => "https://nodejs.org",
    }
}

/// The first file of this name that may be run.
pub(crate) fn on_path(name: &str, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| {
            let found = file.metadata();
            found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        })
}

fn types_of_node(program: &Path) -> Result<Types, StartError> {
    let unversioned = |reason: String| StartError::Unversioned {
        program: program.display().to_string(),
        reason,
    };
    let said = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| unversioned(error.to_string()))?;
    let said = String::from_utf8_lossy(&said.stdout);
    types_of(said.trim()).ok_or_else(|| unversioned(format!("it says \"{}\"", said.trim())))
}

/// Node strips types with a flag since 22.6, and without one since 22.18 and 23.6.
fn types_of(version: &str) -> Option<Types> {
    let mut numbers = version.strip_prefix('v')?.split('.');
    let mut number = || numbers.next()?.parse::<u32>().ok();
    let (major, minor) = (number()?, number()?);
    Some(match (major, minor) {
        (24.., _) | (23, 6..) | (22, 18..) => Types::Runs,
        (23, _) | (22, 6..) => Types::WithFlag,
        _ => Types::No(version.trim_start_matches('v').to_owned()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rookery_bundle::{AppName, Expect, parse_version};

    use super::*;

    #[test]
    fn a_version_of_node_says_what_it_does_with_types() {
        let no = |version: &str| Some(Types::No(version.to_owned()));
        for (version, expected) in [
            ("v20.20.2", no("20.20.2")),
            ("v22.5.1", no("22.5.1")),
            ("v22.6.0", Some(Types::WithFlag)),
            ("v22.17.9", Some(Types::WithFlag)),
            ("v22.18.0", Some(Types::Runs)),
            ("v23.5.0", Some(Types::WithFlag)),
            ("v23.6.0", Some(Types::Runs)),
            ("v24.0.0-rc.1", Some(Types::Runs)),
            ("v100.1.0", Some(Types::Runs)),
            ("20", None),
            ("", None),
        ] {
            assert_eq!(types_of(version), expected, "{version}");
        }
    }

    #[test]
    fn typescript_on_a_node_that_cannot_is_an_error_that_says_what_to_install() {
        let node = Runtime {
            kind: RuntimeKind::Node,
            program: "/usr/bin/node".into(),
            types: Types::No("20.20.2".into()),
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("index.mjs"), "").unwrap();
        let expect = Expect {
            name: AppName::parse("app").unwrap(),
            version: parse_version("1.0.0"),
        };
        let bundle = rookery_bundle::open(folder.path(), expect).unwrap();
        let argv = |entrypoint: &str| {
            let argv = node.argv(Path::new("/w/main.mjs"), &bundle, Path::new(entrypoint));
            argv.map_err(|error| error.to_string())
        };
        assert_eq!(
            argv("/b/index.mjs").unwrap(),
            ["/usr/bin/node", "/w/main.mjs"]
        );
        let refused = argv("/b/index.ts").unwrap_err();
        assert!(
            refused.contains("Node 20.20.2") && refused.contains("22.18"),
            "{refused}"
        );
    }

    #[test]
    fn only_a_file_that_may_be_run_is_a_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("bun")).unwrap();
        std::fs::write(path("deno"), "").unwrap();
        std::fs::write(path("node"), "").unwrap();
        std::fs::set_permissions(path("node"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let find = |name| on_path(name, folder.path().as_os_str());
        assert_eq!((find("bun"), find("deno")), (None, None));
        assert_eq!(find("node"), Some(path("node")));
    }
}
