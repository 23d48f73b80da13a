//! What is on disk and cannot be served, as a request that leads there and nowhere else finds it.
//!
//! **Invariant:** nothing in it names an absolute path.
//! **Absent on purpose:** folders without anything to serve: to a client those are no apps.

use std::sync::Arc;

use rookery_bundle::parse_version;
use rookery_routing::Table;
use semver::Version;

use crate::catalog::{FieldFault, Report};
use crate::revision::State;
use crate::roster::Record;
use crate::tags::Tags;

/// Why a version does not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its manifest is wrong.
    Manifest {
        /// `name@version`, or the name where the version is not known.
        label: Arc<str>,
        /// Never empty.
        faults: Arc<[FieldFault]>,
    },
    /// It is valid, and could not be prepared.
    Preparation {
        /// `name@version`.
        label: Arc<str>,
        /// In a line or a few.
        reason: Arc<str>,
        /// What has to be installed, if that is why. Strangers may read it.
        lacks: Option<Arc<str>>,
    },
}

/// The table of what is refused, with the tags that lead there.
pub fn build<'a>(
    reports: &[Report],
    records: impl Iterator<Item = &'a Record>,
    tags: &Tags,
) -> Table<Refused> {
    let mut table = Table::builder();
    for report in reports {
        let Some(app) = report.app.as_deref().filter(|_| !report.faults.is_empty()) else {
            continue;
        };
        let version = report.version.as_deref();
        let label = match version {
            Some(version) => format!("{app}@{version}"),
            None => app.to_owned(),
        };
        let refused = Refused::Manifest {
            label: label.into(),
            faults: report.faults.as_slice().into(),
        };
        // A folder that does not say its version has this one elsewhere, too.
        let version = version.and_then(parse_version);
        table.insert(app, version.unwrap_or(Version::new(0, 0, 0)), refused);
    }
    for record in records {
        let waits = matches!(
            record.state,
            State::Staged | State::Warming | State::Refused(_)
        );
        let Some(refusal) = record.refused.as_ref().filter(|_| waits) else {
            continue;
        };
        let refused = Refused::Preparation {
            label: Arc::clone(&record.label),
            reason: Arc::clone(&refusal.reason),
            lacks: refusal.lacks.clone(),
        };
        table.insert(record.key.app.as_str(), record.key.version.clone(), refused);
    }
    for ((app, tag), version) in tags {
        table.tag(app.as_str(), tag, version.clone());
    }
    table.build()
}
