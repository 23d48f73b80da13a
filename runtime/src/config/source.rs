//! Where a setting's value comes from, and the value as it was written there.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// A setting that was given on the command line, still as text.
#[derive(Clone, Debug)]
pub struct Flag {
    /// The setting's key: `log.format`.
    pub key: &'static str,
    /// What stood behind the flag.
    pub value: String,
}

/// All sources, read once before anything is decided.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// The other flags.
    pub flags: Vec<Flag>,
    /// The environment. Names and values that are not text are left out.
    pub env: BTreeMap<String, String>,
}

/// Who set a value, as an error names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Source {
    Flag(&'static str),
    Env(String),
    File { file: String, key: String },
}

/// A value as its source has it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Raw<'a> {
    /// From a flag or the environment: always text.
    Text(&'a str),
    /// From a file, whose relative paths start in its own folder.
    Toml {
        value: &'a toml::Value,
        folder: &'a Path,
    },
}

impl Sources {
    /// Reads the environment of this process.
    pub fn from_process(file: Option<PathBuf>, flags: Vec<Flag>) -> Sources {
        let env = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Sources { file, flags, env }
    }

    /// A variable that has a value. An empty one is as good as none, which is what `NAME= rookery serve` means.
    pub(super) fn env(&self, name: &str) -> Option<&str> {
        self.env
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Flag(key) => write!(f, "{} (flag)", flag_name(key)),
            Source::Env(name) => write!(f, "{name} (environment)"),
            Source::File { file, key } => write!(f, "{key} ({file})"),
        }
    }
}

/// `log.format` → `--log-format`.
pub(super) fn flag_name(key: &str) -> String {
    format!("--{}", key.replace(['.', '_'], "-"))
}

/// `log.format` → `ROOKERY_LOG_FORMAT`.
pub(super) fn env_name(key: &str) -> String {
    format!("ROOKERY_{}", key.replace('.', "_").to_ascii_uppercase())
}
