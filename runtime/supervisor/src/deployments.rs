//! What an operator sees of the deployments, at one moment.
//!
//! **Invariant:** nothing in it names an absolute path.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use rookery_bundle::Kind;
use serde::Serialize;
use tokio::time::Instant;

use crate::catalog::Report;
use crate::handle::Shared;
use crate::revision::State;
use crate::rollout::RolloutStatus;
use crate::roster::Record;
use crate::table;

/// How much of a digest is shown, in hex digits: enough to tell builds apart at a glance.
const DIGEST_DIGITS: usize = 12;

/// All deployments.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployments {
    /// Of the table.
    pub generation: u64,
    /// Whether all that was found at the start is live or refused.
    pub ready: bool,
    /// By name.
    pub apps: Vec<AppDeployment>,
    /// Folders that are not served, or not as their author may think.
    pub reports: Vec<Report>,
    /// What went wrong since the start.
    pub failures: Failures,
}

/// One app.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AppDeployment {
    /// Its name.
    pub name: String,
    /// The version that an unpinned path gets; none when nothing serves.
    pub unpinned: Option<String>,
    /// The version that each of its tags leads to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// How its requests are spread over its versions; none where nobody said anything about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutStatus>,
    /// The highest version first, and of one version the newest first.
    pub revisions: Vec<RevisionStatus>,
}

/// One revision.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionStatus {
    /// Tells it from the others of this process.
    pub id: u64,
    /// Its version.
    pub version: String,
    /// `staged`, `warming`, `live`, `draining`, `retired` or `refused`.
    pub state: &'static str,
    /// `static`, `wasm` or `process`.
    pub kind: &'static str,
    /// The first digits of its content's digest, in hex.
    pub digest: String,
    /// When it came into its state, in milliseconds since 1970.
    pub since: u64,
    /// Relative to the apps directory.
    pub folder: String,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it could not be prepared.
    pub failures: u32,
    /// In how many milliseconds that is tried again; none when only other bytes on disk would change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_in_ms: Option<u64>,
    /// What its author should look at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What went wrong since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    /// Bundles that could not be prepared, each try counted.
    pub preparations: u64,
    /// Revisions that still had invocations after their grace.
    pub drains: u64,
}

impl Deployments {
    pub(crate) fn of(shared: &Shared) -> Deployments {
        let table = shared.table.load_full();
        let mut apps: BTreeMap<String, Vec<RevisionStatus>> = BTreeMap::new();
        let roster = shared.roster.lock();
        let mut records: Vec<&Record> = roster.records().collect();
        records.sort_by(|a, b| (&b.key, b.id).cmp(&(&a.key, a.id)));
        for record in records {
            let app = apps.entry(record.key.app.to_string()).or_default();
            app.push(RevisionStatus::of(record));
        }
        drop(roster);
        let mut rollouts = shared.rollouts.lock().clone();
        let apps = apps.into_iter().map(|(name, revisions)| AppDeployment {
            unpinned: table::unpinned(&table, &name).map(ToString::to_string),
            tags: table
                .tags(&name)
                .map(|(tag, version)| (tag.to_owned(), version.to_string()))
                .collect(),
            rollout: rollouts.remove(&name),
            name,
            revisions,
        });
        Deployments {
            generation: *shared.generation.borrow(),
            ready: *shared.ready.borrow(),
            apps: apps.collect(),
            reports: shared.reports.lock().clone(),
            failures: *shared.failures.lock(),
        }
    }
}

impl RevisionStatus {
    fn of(record: &Record) -> RevisionStatus {
        let mut digest = record.bundle.digest.to_string();
        digest.truncate(DIGEST_DIGITS);
        let reason = match &record.state {
            State::Refused(refusal) => Some(refusal.reason.to_string()),
            _ => None,
        };
        RevisionStatus {
            id: record.id.0,
            version: record.key.version.to_string(),
            state: record.state.name(),
            kind: kind_name(record.bundle.kind()),
            digest,
            since: unix_ms(record.since),
            folder: record.folder.to_string(),
            reason,
            failures: record.restart.failures(),
            retry_in_ms: record.restart.due().map(ms_until),
            warnings: record.bundle.warnings.clone(),
        }
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Static => "static",
        Kind::Wasm => "wasm",
        Kind::Process => "process",
    }
}

fn ms_until(due: Instant) -> u64 {
    let left = due.saturating_duration_since(Instant::now());
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
}

fn unix_ms(time: SystemTime) -> u64 {
    // A clock that stands before 1970 shows 0.
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
