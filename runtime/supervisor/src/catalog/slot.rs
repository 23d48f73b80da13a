//! One folder over time: read when it has come to rest, and again whenever it was touched.
//!
//! **Invariant:** a bundle is taken only when its folder looked the same for [`SETTLE`] and two reads in that time gave
//! the same digest. So a copy in progress is not taken for a bundle.
//! **Invariant:** what was good stays known until the folder is gone for [`SETTLE`]; a folder that is broken now does not
//! take down what serves.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rookery_bundle::{
    BrokenManifest, Bundle, BundleError, Digest, Entry, Expect, Manifest, is_code,
};
use semver::Version;

use super::fingerprint::Fingerprint;
use super::report::Report;
use super::scan::Candidate;

/// How long a folder has to look the same before what is in it is taken for a bundle.
pub const SETTLE: Duration = Duration::from_millis(100);

/// The pause before the first read, and between it and the second.
pub const SETTLE_STEP: Duration = Duration::from_millis(50);

/// What is known of one folder.
#[derive(Debug)]
pub struct Slot {
    seen: Option<Fingerprint>,
    phase: Phase,
    /// What the manifest names in the folder; it may lie deeper than a fingerprint looks by itself.
    named: Vec<PathBuf>,
    good: Option<Good>,
    report: Option<Report>,
    gone: Option<Instant>,
    /// The tag that the folder's name says.
    tag: Option<&'static str>,
    broken: BrokenManifest,
}

#[derive(Debug)]
enum Phase {
    /// Touched; nothing was read since.
    Moving { since: Instant },
    /// Read once since it was touched.
    Read { first: Fate, at: Instant },
    /// Read twice alike.
    AtRest,
}

/// What a read gave.
type Reading = Result<Bundle, BundleError>;

/// What two reads are compared by.
type Fate = Result<Digest, String>;

/// A bundle, and when it was read.
#[derive(Clone, Debug)]
pub struct Good {
    /// What was read.
    pub bundle: Arc<Bundle>,
    /// A serial that grows with each bundle that is taken.
    pub opened: u64,
}

/// Whether a folder needs another look soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing more will come of looking again, unless the folder is touched.
    Settled,
    /// It was touched less than [`SETTLE`] ago.
    Unsettled,
}

impl Slot {
    /// A folder that was never looked at.
    pub fn new(now: Instant, broken: BrokenManifest) -> Slot {
        Slot {
            seen: None,
            phase: Phase::Moving { since: now },
            named: Vec::new(),
            good: None,
            report: None,
            gone: None,
            tag: None,
            broken,
        }
    }

    /// The last bundle that could be read here.
    pub fn good(&self) -> Option<&Good> {
        self.good.as_ref()
    }

    /// The tag of the bundle, if the folder is named after one.
    pub fn tag(&self) -> Option<&'static str> {
        self.tag
    }

    /// What is wrong with the folder as it is now.
    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }

    /// The folders that the named files lie in.
    pub fn named_dirs(&self) -> impl Iterator<Item = &Path> {
        self.named.iter().filter_map(|path| path.parent())
    }

    /// Looks at the folder, and reads it if it was touched and has come to rest.
    pub fn look(&mut self, candidate: &Candidate, now: Instant, serial: &mut u64) -> Rest {
        self.gone = None;
        self.tag = candidate.tag;
        match Fingerprint::of(&candidate.dir, &self.named) {
            Ok(seen) if self.seen.as_ref() == Some(&seen) => self.advance(candidate, now, serial),
            Ok(seen) => {
                self.seen = Some(seen);
                self.phase = Phase::Moving { since: now };
                Rest::Unsettled
            }
            // Nobody is known to have touched anything, so what is known stands.
            Err(error) => {
                let reason = format!("cannot be looked at: {}", error.kind());
                self.report = Some(Report::broken(&candidate.folder, reason));
                self.phase = Phase::Moving { since: now };
                Rest::Settled
            }
        }
    }

    /// The folder was not found. True once that has settled too, so that a folder that is removed and put back is
    /// replaced without a gap.
    pub fn is_gone(&mut self, now: Instant) -> bool {
        let gone = *self.gone.get_or_insert(now);
        now.saturating_duration_since(gone) >= SETTLE
    }

    fn advance(&mut self, candidate: &Candidate, now: Instant, serial: &mut u64) -> Rest {
        let is_due = |at: Instant| now.saturating_duration_since(at) >= SETTLE_STEP;
        let alike = match &self.phase {
            Phase::AtRest => return Rest::Settled,
            Phase::Moving { since: at } | Phase::Read { at, .. } if !is_due(*at) => {
                return Rest::Unsettled;
            }
            Phase::Moving { .. } => None,
            Phase::Read { first, .. } => Some(first),
        };
        let reading = read(candidate, self.broken);
        let fate = fate(&reading);
        if alike != Some(&fate) {
            self.name_files(candidate, &reading);
            self.phase = Phase::Read {
                first: fate,
                at: now,
            };
            return Rest::Unsettled;
        }
        *serial += 1;
        self.take(candidate, reading, *serial, now);
        Rest::Settled
    }

    fn take(&mut self, candidate: &Candidate, reading: Reading, opened: u64, now: Instant) {
        self.phase = match &reading {
            // No file handles left, a file that may not be read: no touch tells when that passes.
            Err(BundleError::Folder(_) | BundleError::Unreadable { .. }) => {
                Phase::Moving { since: now }
            }
            _ => Phase::AtRest,
        };
        match reading {
            Ok(bundle) => {
                let bundle = Arc::new(bundle);
                self.report = None;
                self.good = Some(Good { bundle, opened });
            }
            Err(error) => {
                let report = Report::broken(&candidate.folder, error.to_string());
                let version = candidate.version.as_ref();
                let report = report.of(&candidate.app).at(version);
                self.report = Some(report.because_of(error.faults()));
            }
        }
    }

    /// Keeps an eye on what the manifest names, there or not, from now on.
    fn name_files(&mut self, candidate: &Candidate, reading: &Reading) {
        let dir = &candidate.dir;
        self.named = match reading {
            Ok(bundle) => {
                let mut named = named_in(dir, &bundle.manifest);
                named.extend(entry_path(bundle).map(Path::to_owned));
                named.extend(bundle.static_root().map(Path::to_owned));
                named
            }
            // It may be only the entrypoint that is not there yet.
            Err(_) => match rookery_bundle::read_manifest(dir) {
                Ok(parsed) => named_in(dir, &parsed.manifest),
                Err(_) => return,
            },
        };
        self.named.sort();
        self.named.dedup();
        // To know more files is no touch, so the rest of the fingerprint stays.
        if let Some(seen) = &mut self.seen
            && let Err(error) = seen.name(&self.named)
        {
            tracing::debug!(folder = candidate.folder, %error, "cannot look at what the manifest names");
        }
    }
}

fn read(candidate: &Candidate, broken: BrokenManifest) -> Reading {
    let expect = |version| Expect {
        name: candidate.app.clone(),
        version,
    };
    let open = |version| rookery_bundle::open_as(&candidate.dir, expect(version), broken);
    match open(candidate.version.clone()) {
        // A flat folder need not say its version as long as it is the only one.
        Err(BundleError::NoVersion { .. }) => open(Some(Version::new(0, 0, 0))),
        reading => reading,
    }
}

fn fate(reading: &Reading) -> Fate {
    match reading {
        Ok(bundle) => Ok(bundle.digest),
        Err(error) => Err(error.to_string()),
    }
}

fn named_in(dir: &Path, manifest: &Manifest) -> Vec<PathBuf> {
    let named = [&manifest.entrypoint, &manifest.static_dir];
    // Of a command the program and the scripts; another word may name a file that the process writes.
    let words = manifest.command.iter().flatten().enumerate();
    let words = words.filter(|(at, word)| {
        let path = Path::new(word);
        path.is_relative() && (*at == 0 || is_code(path))
    });
    let named = named.into_iter().flatten();
    let named = named.chain(words.map(|(_, word)| word));
    named.map(|relative| dir.join(relative)).collect()
}

/// The file that has to be whole before the bundle is.
fn entry_path(bundle: &Bundle) -> Option<&Path> {
    match &bundle.entry {
        Entry::Static { index, .. } => index.as_deref(),
        Entry::Component { path } | Entry::Script { path } => Some(path),
        Entry::Command { .. } | Entry::Rules => None,
    }
}
