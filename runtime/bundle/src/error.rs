//! Why a bundle was refused, in words for its author.
//!
//! **Invariant:** files are named relative to the bundle, so that a message can be shown to anybody who may deploy.

use std::fmt;
use std::io;

use crate::name::AppName;

/// One thing that is wrong with a manifest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The field, as a path into the manifest: `workers.min`, `grants.hosts[2]`; empty for the manifest as a whole.
    pub field: String,
    /// What is wrong, in one line.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            return f.write_str(&self.reason);
        }
        write!(f, "{}: {}", self.field, self.reason)
    }
}

/// Why a bundle cannot be served. `file` is a path relative to the bundle's folder.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The bundle's folder cannot be read.
    #[error("the bundle's folder cannot be read: {0}")]
    Folder(#[source] io::Error),
    /// A file cannot be read.
    #[error("{file} cannot be read: {source}")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why not.
        source: io::Error,
    },
    /// A file is larger than the server reads.
    #[error("{file} is larger than {bytes_max} bytes")]
    TooLarge {
        /// Which file.
        file: String,
        /// The bound, in bytes.
        bytes_max: u64,
    },
    /// A folder holds more files than the server lists.
    #[error("the bundle has more than {files_max} static files")]
    TooManyFiles {
        /// The bound.
        files_max: usize,
    },
    /// A file is not written in its language.
    #[error("{file} is not {language}: {reason} (line {line}, column {column})")]
    Syntax {
        /// Which file.
        file: String,
        /// What it should be written in.
        language: &'static str,
        /// What the parser met.
        reason: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1; 0 when the line has not begun.
        column: usize,
    },
    /// The manifest has faults: all of them, a line each.
    #[error("{file} is invalid:{}", lines(.faults))]
    Invalid {
        /// Which file.
        file: String,
        /// Never empty.
        faults: Vec<Fault>,
    },
    /// Neither the folder's name nor the manifest nor `package.json` has a version.
    #[error(
        "{app} has no version: name the folder after it, or set \"version\" in worker.config.json or package.json"
    )]
    NoVersion {
        /// Whose bundle it is.
        app: AppName,
    },
    /// There is nothing to serve.
    #[error(
        "the bundle has no entrypoint: none of {candidates} is there, and no command, static or proxy is set"
    )]
    NoEntrypoint {
        /// What was searched for, in order.
        candidates: String,
    },
}

impl BundleError {
    /// What is wrong with what the manifest says, file by file or field by field; empty when the fault is elsewhere.
    pub fn faults(&self) -> Vec<Fault> {
        let whole = |file: &str, reason: String| Fault {
            field: file.to_owned(),
            reason,
        };
        match self {
            BundleError::Invalid { faults, .. } => faults.clone(),
            BundleError::Unreadable { file, source } => {
                vec![whole(file, format!("cannot be read: {source}"))]
            }
            BundleError::TooLarge { file, bytes_max } => {
                vec![whole(file, format!("is larger than {bytes_max} bytes"))]
            }
            BundleError::Syntax {
                file,
                language,
                reason,
                line,
                column,
            } => {
                let reason = format!("is not {language}: {reason} (line {line}, column {column})");
                vec![whole(file, reason)]
            }
            BundleError::Folder(_)
            | BundleError::TooManyFiles { .. }
            | BundleError::NoVersion { .. }
            | BundleError::NoEntrypoint { .. } => Vec::new(),
        }
    }
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}
