//! One call of cargo, and what it says about each crate.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde::Deserialize;

use super::environment;
use super::plan::Workspace;
use super::target::TARGET;
use crate::progress::Step;

/// A crate's component, or why there is none.
pub type Built = Result<Component, String>;

/// What cargo made of a crate.
#[derive(Debug, PartialEq, Eq)]
pub struct Component {
    /// Where it lies; the next call of cargo may write it anew.
    pub path: PathBuf,
    /// What the compiler thinks of the crate, as it would print it.
    pub warnings: String,
}

/// What cargo tells of what it does, and not of what went wrong.
const CHATTER: [&str; 11] = [
    "Compiling",
    "Checking",
    "Fresh",
    "Finished",
    "Updating",
    "Locking",
    "Adding",
    "Downloading",
    "Downloaded",
    "Building",
    "Removed",
];

/// Another cargo has the target folder, or the registry.
const WAITING: &str = "Blocking";

/// A line of cargo's standard output.
#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-artifact")]
    Artifact {
        manifest_path: PathBuf,
        target: Target,
        filenames: Vec<PathBuf>,
    },
    #[serde(rename = "compiler-message")]
    Diagnostic {
        manifest_path: PathBuf,
        message: Diagnostic,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Diagnostic {
    rendered: Option<String>,
    level: String,
}

/// What was said, by `Cargo.toml`.
#[derive(Default)]
struct Said {
    components: HashMap<PathBuf, PathBuf>,
    errors: HashMap<PathBuf, String>,
    warnings: HashMap<PathBuf, String>,
    /// What cargo itself complained about.
    complaints: String,
}

/// Builds the crates of a workspace; one answer each, in their order.
///
/// # Errors
/// When cargo could not be started.
pub fn build(workspace: &Workspace, step: &Step) -> Result<Vec<Built>, String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--keep-going", "--target", TARGET]);
    if std::io::stderr().is_terminal() {
        cargo.arg("--message-format=json-diagnostic-rendered-ansi");
    } else {
        cargo.arg("--message-format=json");
    }
    for built in &workspace.crates {
        cargo.args(["--package", &built.package_id]);
    }
    if let Some(dir) = &workspace.target_dir {
        cargo.arg("--target-dir").arg(dir);
    }
    cargo
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    environment::apply(&mut cargo);
    let said = listen(cargo, step).map_err(|error| environment::not_started("cargo", &error))?;
    Ok(workspace
        .crates
        .iter()
        .map(|built| said.of(&built.manifest_path))
        .collect())
}

fn listen(mut cargo: Command, step: &Step) -> io::Result<Said> {
    let mut child = cargo.spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut said = Said::default();
    thread::scope(|scope| {
        let complaints = scope.spawn(|| {
            stderr
                .map(|stderr| follow(stderr, step))
                .unwrap_or_default()
        });
        for line in stdout
            .into_iter()
            .flat_map(|stdout| BufReader::new(stdout).lines())
            .map_while(Result::ok)
        {
            if let Ok(message) = serde_json::from_str(&line) {
                said.take(message);
            }
        }
        said.complaints = complaints.join().unwrap_or_default();
    });
    child.wait()?;
    Ok(said)
}

/// Shows what cargo is at, and keeps the rest.
fn follow(stderr: impl Read, step: &Step) -> String {
    let mut complaints = String::new();
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        let said = line.trim_start();
        if said.starts_with(WAITING) {
            step.waits(said);
        } else if CHATTER.iter().any(|word| said.starts_with(word)) {
            step.at(said);
        } else {
            complaints.push_str(&line);
            complaints.push('\n');
        }
    }
    complaints
}

impl Said {
    fn take(&mut self, message: Message) {
        match message {
            Message::Artifact {
                manifest_path,
                target,
                filenames,
            } => {
                let component = filenames
                    .into_iter()
                    .find(|file| file.extension().is_some_and(|e| e == "wasm"));
                let is_library = target.kind.iter().any(|kind| kind == "cdylib");
                if let Some(component) = component
                    && (is_library || !self.components.contains_key(&manifest_path))
                {
                    self.components.insert(manifest_path, component);
                }
            }
            Message::Diagnostic {
                manifest_path,
                message,
            } => {
                let kept = if message.level == "error" {
                    &mut self.errors
                } else {
                    &mut self.warnings
                };
                kept.entry(manifest_path)
                    .or_default()
                    .push_str(&message.rendered.unwrap_or_default());
            }
            Message::Other => {}
        }
    }

    /// A crate that did not build has errors of its own; else the errors are those of a crate that it depends on; else
    /// cargo did not come as far as compiling.
    fn of(&self, manifest_path: &Path) -> Built {
        if let Some(errors) = self.errors.get(manifest_path) {
            return Err(errors.clone());
        }
        if let Some(component) = self.components.get(manifest_path) {
            let warnings = self
                .warnings
                .get(manifest_path)
                .cloned()
                .unwrap_or_default();
            return Ok(Component {
                path: component.clone(),
                warnings,
            });
        }
        let mut elsewhere: Vec<&str> = self.errors.values().map(String::as_str).collect();
        elsewhere.sort_unstable();
        if !elsewhere.is_empty() {
            return Err(elsewhere.concat());
        }
        if !self.complaints.trim().is_empty() {
            return Err(self.complaints.clone());
        }
        Err("cargo made no component of it; its Cargo.toml needs\n\n    [lib]\n    crate-type = [\"cdylib\"]\n".to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn said(lines: &[&str], complaints: &str) -> Said {
        let mut said = Said {
            complaints: complaints.to_owned(),
            ..Said::default()
        };
        lines
            .iter()
            .for_each(|line| said.take(serde_json::from_str(line).unwrap()));
        said
    }

    const ARTIFACT: &str = r#"{"reason":"compiler-artifact","manifest_path":"/a/Cargo.toml","target":{"kind":["cdylib"]},
        "filenames":["/t/a.d","/t/a.wasm"],"fresh":true}"#;
    const BINARY: &str = r#"{"reason":"compiler-artifact","manifest_path":"/a/Cargo.toml","target":{"kind":["bin"]},
        "filenames":["/t/tool.wasm"]}"#;
    const ERROR: &str = r#"{"reason":"compiler-message","manifest_path":"/b/Cargo.toml",
        "message":{"level":"error","rendered":"error: no\n"}}"#;
    const WARNING: &str = r#"{"reason":"compiler-message","manifest_path":"/a/Cargo.toml",
        "message":{"level":"warning","rendered":"warning: hm\n"}}"#;

    #[test]
    fn a_crate_with_a_component_is_built() {
        let said = said(
            &[
                BINARY,
                ARTIFACT,
                WARNING,
                r#"{"reason":"build-finished","success":true}"#,
            ],
            "",
        );
        let component = said.of(Path::new("/a/Cargo.toml")).unwrap();
        assert_eq!(
            component,
            Component {
                path: "/t/a.wasm".into(),
                warnings: "warning: hm\n".into()
            }
        );
    }

    #[test]
    fn a_crate_fails_by_its_own_errors_and_others_stand() {
        let said = said(&[ARTIFACT, ERROR], "error: could not compile `b`\n");
        assert!(said.of(Path::new("/a/Cargo.toml")).is_ok());
        assert_eq!(
            said.of(Path::new("/b/Cargo.toml")),
            Err("error: no\n".into())
        );
        assert_eq!(
            said.of(Path::new("/depends-on-b/Cargo.toml")),
            Err("error: no\n".into())
        );
    }

    #[test]
    fn without_compiling_the_complaint_is_cargos_own() {
        let said = said(&[], "error: no matching package named `serdee` found\n");
        assert!(
            said.of(Path::new("/a/Cargo.toml"))
                .unwrap_err()
                .contains("serdee")
        );
    }

    #[test]
    fn a_crate_that_is_no_component_is_told_how_to_become_one() {
        let said = said(&[r#"{"reason":"build-finished","success":true}"#], "");
        assert!(
            said.of(Path::new("/a/Cargo.toml"))
                .unwrap_err()
                .contains("cdylib")
        );
    }
}
