//! One folder over time: opened when it has come to rest, and again whenever it was touched.
//!
//! **Invariant:** a bundle was read from files that looked the same at least [`SETTLE`] before it was read and right
//! after. So a copy in progress is not taken for a bundle.
//! **Invariant:** what was good stays known until the folder is gone for [`SETTLE`]; a folder that is broken now does not
//! take down what serves.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rookery_bundle::{Bundle, Entry, Expect};

use super::fingerprint::Fingerprint;
use super::report::Report;
use super::scan::Candidate;

/// How long a folder has to look the same before it is read.
pub const SETTLE: Duration = Duration::from_millis(100);

/// What is known of one folder.
#[derive(Debug)]
pub struct Slot {
    seen: Option<Fingerprint>,
    since: Instant,
    /// Touched since it was last read.
    is_stale: bool,
    /// The entrypoint as the manifest last named it; it may lie deeper than the fingerprint looks by itself.
    entry: Option<PathBuf>,
    good: Option<Good>,
    report: Option<Report>,
    gone: Option<Instant>,
}

/// A bundle, and when it was read.
#[derive(Clone, Debug)]
pub struct Good {
    /// What was read.
    pub bundle: Arc<Bundle>,
    /// A serial that grows with each read.
    pub opened: u64,
}

/// Whether a folder needs another look soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing more will come of looking again.
    Settled,
    /// It was touched less than [`SETTLE`] ago.
    Unsettled,
}

impl Slot {
    /// A folder that was never looked at.
    pub fn new(now: Instant) -> Slot {
        Slot {
            seen: None,
            since: now,
            is_stale: true,
            entry: None,
            good: None,
            report: None,
            gone: None,
        }
    }

    /// The last bundle that could be read here.
    pub fn good(&self) -> Option<&Good> {
        self.good.as_ref()
    }

    /// What is wrong with the folder as it is now.
    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }

    /// The folder that the entrypoint lies in.
    pub fn entry_dir(&self) -> Option<&Path> {
        self.entry.as_deref().and_then(Path::parent)
    }

    /// Looks at the folder, and reads it if it was touched and has come to rest.
    pub fn look(&mut self, candidate: &Candidate, now: Instant, serial: &mut u64) -> Rest {
        self.gone = None;
        match Fingerprint::of(&candidate.dir, self.entry.as_deref()) {
            Ok(seen) if self.is_seen(&seen) => {}
            Ok(seen) => return self.touched(seen, now),
            // Out of file handles, say: nobody touched anything, so what is known stands.
            Err(error) => {
                let reason = format!("cannot be looked at: {}", error.kind());
                self.report = Some(Report::broken(&candidate.folder, reason));
                self.is_stale = true;
                return Rest::Settled;
            }
        }
        if !self.is_stale {
            return Rest::Settled;
        }
        if now.saturating_duration_since(self.since) < SETTLE {
            return Rest::Unsettled;
        }
        self.read(candidate, now, serial)
    }

    /// The folder was not found. True once that has settled too, so that a folder that is removed and put back is
    /// replaced without a gap.
    pub fn is_gone(&mut self, now: Instant) -> bool {
        let gone = *self.gone.get_or_insert(now);
        now.saturating_duration_since(gone) >= SETTLE
    }

    fn read(&mut self, candidate: &Candidate, now: Instant, serial: &mut u64) -> Rest {
        let expect = Expect {
            name: candidate.app.clone(),
            version: candidate.version.clone(),
        };
        let opened = rookery_bundle::open(&candidate.dir, expect);
        if let Ok(bundle) = &opened {
            self.entry = entry_path(bundle).map(Path::to_owned);
        }
        // It was touched while it was read, or it names an entrypoint that nobody has watched coming to rest yet.
        match Fingerprint::of(&candidate.dir, self.entry.as_deref()) {
            Ok(seen) if !self.is_seen(&seen) => return self.touched(seen, now),
            _ => {}
        }
        *serial += 1;
        self.is_stale = false;
        match opened {
            Ok(bundle) => {
                self.report = None;
                self.good = Some(Good {
                    bundle: Arc::new(bundle),
                    opened: *serial,
                });
            }
            Err(error) => {
                let report = Report::broken(&candidate.folder, error.to_string());
                let version = candidate.version.as_ref();
                self.report = Some(report.of(&candidate.app).at(version));
            }
        }
        Rest::Settled
    }

    fn is_seen(&self, fingerprint: &Fingerprint) -> bool {
        self.seen.as_ref() == Some(fingerprint)
    }

    fn touched(&mut self, seen: Fingerprint, now: Instant) -> Rest {
        self.seen = Some(seen);
        self.since = now;
        self.is_stale = true;
        Rest::Unsettled
    }
}

/// The file that has to be whole before the bundle is.
fn entry_path(bundle: &Bundle) -> Option<&Path> {
    match &bundle.entry {
        Entry::Static { index, .. } => index.as_deref(),
        Entry::Component { path } | Entry::Script { path } => Some(path),
        Entry::Command { .. } | Entry::Rules => None,
    }
}
