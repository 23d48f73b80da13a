//! What the operator should know about a folder that is not served, or not as its author may think.
//!
//! **Invariant:** a report names folders relative to the apps directory, never an absolute path.

use rookery_bundle::{Fault, MANIFEST_FILE};
use serde::Serialize;

/// One folder, and what is the matter with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Relative to the apps directory; `.` is the apps directory itself.
    pub folder: String,
    /// The app, when the place says which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The version, when the place says which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// For the operator; a line for each thing that is wrong.
    pub reason: String,
    /// What is wrong with the manifest, one by one, where that is what is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FieldFault>,
}

/// One thing that is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FieldFault {
    /// The field, as a path into the manifest; or the manifest's own name.
    pub field: String,
    /// What is wrong, in one line.
    pub reason: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// As it is on disk it is not served. An earlier state of it may still be.
    Broken,
    /// It is served, and something about it is odd.
    Warning,
}

impl Report {
    pub(crate) fn broken(folder: &str, reason: impl Into<String>) -> Report {
        Report::new(folder, Severity::Broken, reason.into())
    }

    pub(crate) fn warning(folder: &str, reason: impl Into<String>) -> Report {
        Report::new(folder, Severity::Warning, reason.into())
    }

    pub(crate) fn of(self, app: impl ToString) -> Report {
        Report {
            app: Some(app.to_string()),
            ..self
        }
    }

    pub(crate) fn at(self, version: Option<impl ToString>) -> Report {
        Report {
            version: version.map(|version| version.to_string()),
            ..self
        }
    }

    pub(crate) fn because_of(self, faults: Vec<Fault>) -> Report {
        let faults = faults.into_iter().map(|Fault { field, reason }| {
            let field = if field.is_empty() {
                MANIFEST_FILE.to_owned()
            } else {
                field
            };
            FieldFault { field, reason }
        });
        Report {
            faults: faults.collect(),
            ..self
        }
    }

    fn new(folder: &str, severity: Severity, reason: String) -> Report {
        Report {
            folder: folder.to_owned(),
            app: None,
            version: None,
            severity,
            reason,
            faults: Vec::new(),
        }
    }
}
