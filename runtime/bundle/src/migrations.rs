//! A bundle's SQL migrations: `migrations/0001_name.up.sql` and, to go back, `0001_name.down.sql`.
//!
//! **Invariant:** numbers are unique and in order; every migration has an `up`.
//! **Absent on purpose:** SQL. What the scripts say is the database's affair.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

/// The folder within a bundle.
const FOLDER: &str = "migrations";
/// The largest script, in bytes.
const SCRIPT_BYTES_MAX: u64 = 1024 * 1024;
/// The most migrations of a bundle.
const MIGRATIONS_MAX: usize = 1000;

/// One step of a schema.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Migration {
    /// Its place in the order.
    pub number: u32,
    /// What it is called: `create_messages`.
    pub name: String,
    /// The script that makes the step.
    pub up: String,
    /// The script that takes it back, if there is one.
    pub down: Option<String>,
}

/// What is wrong with a bundle's migrations.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MigrationFault {
    /// A file's name does not say which migration it is.
    #[error("migrations/{0}: a migration is called 0001_name.up.sql or 0001_name.down.sql")]
    Name(String),
    /// Two files are the same step.
    #[error("migrations/{0}: there is another migration with this number")]
    Twice(String),
    /// There is a way back from a step that there is not.
    #[error("migrations/{0}: there is no {1} beside it")]
    NoUp(String, String),
    /// The file is too large, or no text, or cannot be read.
    #[error("migrations/{0}: {1}")]
    Unreadable(String, String),
    /// There are more of them than there may be.
    #[error("migrations: there are more than {MIGRATIONS_MAX}")]
    TooMany,
}

impl Migration {
    /// What tells whether a migration is still the one that was run: the SHA-256 of its script, in hexadecimal.
    pub fn digest(&self) -> String {
        let digest = Sha256::digest(self.up.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// How it is called in reports: `0001_create_messages`.
    pub fn label(&self) -> String {
        format!("{:04}_{}", self.number, self.name)
    }
}

/// Reads the migrations of the bundle in this folder, in order. A bundle without the folder has none.
///
/// # Errors
/// Everything that is wrong with them.
pub fn read_migrations(bundle: &Path) -> Result<Vec<Migration>, Vec<MigrationFault>> {
    let Ok(entries) = std::fs::read_dir(bundle.join(FOLDER)) else {
        return Ok(Vec::new());
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    if names.len() > 2 * MIGRATIONS_MAX {
        return Err(vec![MigrationFault::TooMany]);
    }
    let mut faults = Vec::new();
    let mut ups: BTreeMap<u32, Migration> = BTreeMap::new();
    let mut downs = Vec::new();
    for file in names {
        match read_one(bundle, &file) {
            Ok((Way::Up, migration)) => {
                if ups.insert(migration.number, migration).is_some() {
                    faults.push(MigrationFault::Twice(file));
                }
            }
            Ok((Way::Down, migration)) => downs.push((file, migration)),
            Err(fault) => faults.push(fault),
        }
    }
    for (file, down) in downs {
        match ups.get_mut(&down.number).filter(|up| up.name == down.name) {
            Some(up) => up.down = Some(down.up),
            None => faults.push(MigrationFault::NoUp(
                file,
                format!("{}.up.sql", down.label()),
            )),
        }
    }
    if faults.is_empty() {
        Ok(ups.into_values().collect())
    } else {
        Err(faults)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Up,
    Down,
}

fn read_one(bundle: &Path, file: &str) -> Result<(Way, Migration), MigrationFault> {
    let (way, number, name) = parse(file).ok_or_else(|| MigrationFault::Name(file.to_owned()))?;
    let unreadable = |why: &str| MigrationFault::Unreadable(file.to_owned(), why.to_owned());
    let path = bundle.join(FOLDER).join(file);
    // A link could lead to any file of the machine.
    let about = std::fs::symlink_metadata(&path).map_err(|_| unreadable("cannot be read"))?;
    if !about.is_file() {
        return Err(unreadable("is no file"));
    }
    if about.len() > SCRIPT_BYTES_MAX {
        return Err(unreadable("is larger than 1 MiB"));
    }
    let script = std::fs::read_to_string(&path).map_err(|_| unreadable("is no text"))?;
    let migration = Migration {
        number,
        name: name.to_owned(),
        up: script,
        down: None,
    };
    Ok((way, migration))
}

fn parse(file: &str) -> Option<(Way, u32, &str)> {
    let (way, stem) = match file.strip_suffix(".up.sql") {
        Some(stem) => (Way::Up, stem),
        None => (Way::Down, file.strip_suffix(".down.sql")?),
    };
    let (number, name) = stem.split_once('_')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let valid = number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    (valid && !name.is_empty() && name.chars().all(plain)).then_some(())?;
    Some((way, number.parse().ok()?, name))
}

#[cfg(test)]
mod tests;
