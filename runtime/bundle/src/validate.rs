//! From the bytes of a manifest to a checked [`Manifest`], or to everything that is wrong with it.
//!
//! **Invariant:** the answer has no fault, or every fault: those of single values and those between them.
//! **Absent on purpose:** the bundle's folder. Whether the paths exist is `entrypoint`'s question.

use serde_json::{Map, Value};

use crate::error::BundleError;
use crate::manifest::Manifest;
use crate::object::{self, Notes};
use crate::open::MANIFEST_FILE;
use crate::version::parse_version;
use crate::yaml;

/// A manifest and what its author should know although it is valid.
#[derive(Clone, PartialEq, Debug)]
pub struct Parsed {
    /// The manifest.
    pub manifest: Manifest,
    /// A line each.
    pub warnings: Vec<String>,
}

/// A manifest that may still have faults, so that those of the folder can join them.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) manifest: Manifest,
    pub(crate) notes: Notes,
    /// Where the manifest was found, for messages.
    pub(crate) file: &'static str,
}

impl Draft {
    /// What a bundle without a manifest has.
    pub(crate) fn absent(file: &'static str) -> Self {
        Self {
            manifest: Manifest::default(),
            notes: Notes::default(),
            file,
        }
    }

    /// Reads the object of `worker.config.json`.
    pub(crate) fn read(file: &'static str, json: &Map<String, Value>) -> Self {
        let mut notes = Notes::default();
        let manifest = object::read(json, &mut notes, Manifest::read);
        check_between(&manifest, &mut notes);
        Self {
            manifest,
            notes,
            file,
        }
    }

    /// Reads what `package.json` has for `workerConfig`.
    pub(crate) fn read_value(file: &'static str, json: &Value) -> Self {
        if let Value::Object(json) = json {
            return Self::read(file, json);
        }
        let mut draft = Self::absent(file);
        draft.notes.fault("workerConfig", "expected an object");
        draft
    }

    pub(crate) fn finish(self) -> Result<Parsed, BundleError> {
        if self.notes.faults.is_empty() {
            return Ok(Parsed {
                manifest: self.manifest,
                warnings: self.notes.warnings,
            });
        }
        Err(BundleError::Invalid {
            file: self.file.to_owned(),
            faults: self.notes.faults,
        })
    }
}

/// Reads the bytes of a `worker.config.json` on their own.
pub fn parse_manifest(bytes: &[u8]) -> Result<Parsed, BundleError> {
    Draft::read(MANIFEST_FILE, &parse_object(MANIFEST_FILE, bytes)?).finish()
}

/// The object that a file holds. A byte order mark is left out: Windows editors write it.
pub(crate) fn parse_object(
    file: &'static str,
    bytes: &[u8],
) -> Result<Map<String, Value>, BundleError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let syntax = |reason: String, line, column| BundleError::Syntax {
        file: file.to_owned(),
        language: "JSON",
        reason,
        line,
        column,
    };
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(syntax("expected an object".to_owned(), 1, 1)),
        Err(error) => {
            let message = error.to_string();
            // serde_json puts the place at the end of its text; here it has fields of its own.
            let reason = message.split(" at line ").next().unwrap_or_default();
            Err(syntax(reason.to_owned(), error.line(), error.column()))
        }
    }
}

/// The object that a YAML file holds; an empty one for a file that says nothing.
pub(crate) fn parse_yaml_object(
    file: &'static str,
    bytes: &[u8],
) -> Result<Map<String, Value>, BundleError> {
    let syntax = |reason: String, line, column| BundleError::Syntax {
        file: file.to_owned(),
        language: "YAML as it is read here",
        reason,
        line,
        column,
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n');
        syntax("it is not UTF-8".to_owned(), line.count(), 1)
    })?;
    match yaml::parse(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(syntax("expected an object".to_owned(), 1, 1)),
        Err(defect) => Err(syntax(defect.reason, defect.line, defect.column)),
    }
}

/// What a `package.json` says of a bundle.
pub(crate) struct Package {
    pub(crate) version: Option<semver::Version>,
    pub(crate) worker_config: Option<Value>,
}

impl Package {
    /// Takes what it needs and asks nothing of the rest: the file belongs to other tools.
    pub(crate) fn read(mut json: Map<String, Value>) -> Self {
        let version = json
            .get("version")
            .and_then(Value::as_str)
            .and_then(parse_version);
        Self {
            version,
            worker_config: json
                .remove("workerConfig")
                .filter(|config| !config.is_null()),
        }
    }
}

fn check_between(manifest: &Manifest, notes: &mut Notes) {
    let Manifest {
        workers, sessions, ..
    } = manifest;
    if let Some(max) = workers.max.filter(|max| *max < workers.min) {
        notes.fault(
            "workers.min",
            format!("is {}, more than workers.max, {max}", workers.min),
        );
    }
    if manifest.command.is_some() && manifest.entrypoint.is_some() {
        notes.fault("command", "cannot stand beside entrypoint: set one of them");
    }
    if manifest.command.is_some() && manifest.runtime.is_some() {
        notes.warn("runtime", "has no effect beside command");
    }
    if sessions.outbox < sessions.max_message_size {
        notes.warn(
            "sessions.outbox",
            "is smaller than sessions.maxMessageSize: a message that large cannot be passed on",
        );
    }
    if !manifest.jobs.is_empty() && !manifest.grants.jobs {
        notes.fault("jobs", "are listed, but grants.jobs is false");
    }
    for (index, job) in manifest.jobs.iter().enumerate() {
        if manifest.jobs[..index]
            .iter()
            .any(|earlier| earlier.name == job.name)
        {
            notes.fault("jobs", format!("has two of the name \"{}\"", job.name));
        }
    }
    for rule in &manifest.proxy {
        if rule.engine() == rookery_proxy_rules::Engine::Bounded {
            let pattern = crate::shape::quoted(rule.pattern.as_str());
            notes.warn(
                "proxy",
                format_args!(
                    "\"{pattern}\" needs the engine that counts its steps, which is slower"
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests;
