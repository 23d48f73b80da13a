//! `rookery.toml`: found, read, and flattened to dotted keys.
//!
//! **Invariant:** every key of the file is a setting's; one that is not is an error that names the nearest.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::nearest::nearest;
use super::setting::SETTINGS;
use super::source::Sources;

/// The file that is read when nobody names one, and that may be missing.
const DEFAULT_FILE: &str = "rookery.toml";

/// What a file sets.
#[derive(Debug, Default)]
pub(super) struct File {
    /// How errors call it.
    pub name: String,
    /// Where its relative paths start.
    pub folder: PathBuf,
    /// Dotted keys and their values.
    pub values: BTreeMap<String, toml::Value>,
}

/// Reads the file that `--config` or `ROOKERY_CONFIG` names, else `./rookery.toml` when it is there.
pub(super) fn read(sources: &Sources, errors: &mut Vec<String>) -> File {
    let named = sources
        .file
        .clone()
        .or_else(|| sources.env("ROOKERY_CONFIG").map(PathBuf::from));
    let path = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    let name = path.display().to_string();
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text, name, path.parent().unwrap_or(Path::new("")), errors),
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => File::default(),
        Err(error) => {
            errors.push(format!("{name}: cannot be read: {error}"));
            File::default()
        }
    }
}

fn parse(text: &str, name: String, folder: &Path, errors: &mut Vec<String>) -> File {
    let mut values = BTreeMap::new();
    match text.parse::<toml::Table>() {
        Ok(table) => flatten("", table, &mut values),
        Err(error) => {
            let line = error
                .span()
                .map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            errors.push(format!(
                "{name}: line {line}: {}",
                error.message().replace('\n', "; ")
            ));
        }
    }
    values.retain(|key, _| {
        let known = SETTINGS.iter().any(|setting| setting.key == key);
        if !known {
            errors.push(unknown(key, &name));
        }
        known
    });
    File {
        name,
        folder: folder.to_owned(),
        values,
    }
}

fn flatten(prefix: &str, table: toml::Table, values: &mut BTreeMap<String, toml::Value>) {
    for (key, value) in table {
        let key = if prefix.is_empty() {
            key
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            toml::Value::Table(inner) => flatten(&key, inner, values),
            value => drop(values.insert(key, value)),
        }
    }
}

fn unknown(key: &str, file: &str) -> String {
    match nearest(key, SETTINGS.iter().map(|setting| setting.key)) {
        Some(meant) => format!("{key} ({file}): is not a setting; did you mean {meant}?"),
        None => format!("{key} ({file}): is not a setting"),
    }
}
