//! The bundles that are on disk, in one or several apps directories.
//!
//! **Invariant:** a [`Look`] never has two bundles of the same app and version.
//! **Invariant:** an apps directory that cannot be read keeps the bundles that were last seen in it.
//! **Absent on purpose:** what is done about any of it. A look is data; `plan.rs` compares it with what runs.

mod fingerprint;
mod link;
pub(crate) mod looks;
mod report;
mod rollouts;
mod scan;
mod slot;
mod watch;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rookery_bundle::{AppName, BrokenManifest, Bundle, Expect};

pub use report::{FieldFault, Report, Severity};
pub use rollouts::OnDisk;
pub use slot::SETTLE;

use crate::plan::Key;
use crate::tags::Tags;
use rollouts::Rollouts;
use scan::{Candidate, Scan};
use slot::{Rest, Slot};

/// Everything that is known of the apps directories.
#[derive(Debug)]
pub struct Catalog {
    roots: Vec<Root>,
    /// Counts the bundles that were taken, so that a later one can be told from an earlier one.
    serial: u64,
    broken: BrokenManifest,
}

/// What one look at the disk gave.
#[derive(Debug, Default)]
pub struct Look {
    /// The bundles, by app and version.
    pub found: BTreeMap<Key, Found>,
    /// When it began.
    pub begun: Option<Instant>,
    /// The files of rollouts; of two apps directories, the earlier one's count.
    pub rollouts: BTreeMap<AppName, OnDisk>,
    /// The versions that tags lead to; of two apps directories, the earlier one's count.
    pub tags: Tags,
    /// What is not served, or is odd; sorted by folder.
    pub reports: Vec<Report>,
    /// How many folders were touched so recently that they need another look.
    pub unsettled: usize,
    /// How many apps directories could not be listed.
    pub unlisted_roots: usize,
    /// The folders that a change would show in.
    pub listed: Vec<PathBuf>,
}

/// A bundle on disk.
#[derive(Clone, Debug)]
pub struct Found {
    /// The bundle.
    pub bundle: Arc<Bundle>,
    /// Where it lies, relative to its apps directory.
    pub folder: Arc<str>,
    /// A serial that grows with each bundle that is taken.
    pub opened: u64,
}

/// Where bundles are looked for.
#[derive(Clone, Debug)]
enum Place {
    /// In a folder of apps.
    Apps(PathBuf),
    /// Here, and nowhere else.
    Bundle(Box<Candidate>),
}

#[derive(Debug)]
struct Root {
    place: Place,
    slots: BTreeMap<String, Slot>,
    /// Links that are tags.
    tags: Tags,
    rollouts: Rollouts,
}

impl Catalog {
    /// Knows where to look, and has not looked yet.
    pub fn new(
        apps_dirs: &[PathBuf],
        bundles: &[(PathBuf, Expect)],
        broken: BrokenManifest,
    ) -> Catalog {
        let alone = |(dir, expect): &(PathBuf, Expect)| {
            Place::Bundle(Box::new(Candidate {
                folder: ".".to_owned(),
                dir: dir.clone(),
                app: expect.name.clone(),
                version: expect.version.clone(),
                tag: None,
            }))
        };
        let places = apps_dirs.iter().cloned().map(Place::Apps);
        let roots = places.chain(bundles.iter().map(alone)).map(|place| Root {
            place,
            slots: BTreeMap::new(),
            tags: Tags::new(),
            rollouts: Rollouts::default(),
        });
        Catalog {
            roots: roots.collect(),
            serial: 0,
            broken,
        }
    }

    /// Looks at every folder, and reads those that were touched and have come to rest. Blocks on the disk.
    pub fn look(&mut self, now: Instant) -> Look {
        let mut look = Look {
            begun: Some(now),
            ..Look::default()
        };
        for root in &mut self.roots {
            match root.place.scan() {
                Ok(scan) => root.absorb(scan, now, self.broken, &mut self.serial, &mut look),
                Err(error) => {
                    let reason = format!("the apps directory cannot be listed: {}", error.kind());
                    look.reports.push(Report::broken(".", reason));
                    look.unlisted_roots += 1;
                }
            }
            root.tell(&mut look);
        }
        look.reports.sort();
        look
    }
}

impl Root {
    fn absorb(
        &mut self,
        scan: Scan,
        now: Instant,
        broken: BrokenManifest,
        serial: &mut u64,
        look: &mut Look,
    ) {
        for candidate in &scan.candidates {
            let slot = self.slots.entry(candidate.folder.clone());
            let slot = slot.or_insert_with(|| Slot::new(now, broken));
            if slot.look(candidate, now, serial) == Rest::Unsettled {
                look.unsettled += 1;
            }
        }
        let is_candidate = |folder: &String| {
            let found = scan.candidates.binary_search_by(|c| c.folder.cmp(folder));
            found.is_ok()
        };
        self.slots.retain(|folder, slot| {
            if is_candidate(folder) || lies_in_any(folder, &scan.unreadable) {
                return true;
            }
            let is_gone = slot.is_gone(now);
            look.unsettled += usize::from(!is_gone);
            !is_gone
        });
        // An app whose folder could not be listed keeps its tags, as it keeps its versions.
        self.tags
            .retain(|(app, _), _| lies_in_any(app.as_str(), &scan.unreadable));
        self.tags.extend(scan.tags);
        let is_kept = |app: &AppName| lies_in_any(app.as_str(), &scan.unreadable);
        look.unsettled += self.rollouts.look(scan.rollouts, now, is_kept);
        look.reports.extend(scan.reports);
        look.listed.extend(scan.listed);
    }

    /// Adds what is known to the look. The first folder by name wins where two claim the same version.
    fn tell(&self, look: &mut Look) {
        self.rollouts.tell(look);
        for (key, version) in &self.tags {
            let tag = look.tags.entry(key.clone());
            tag.or_insert_with(|| version.clone());
        }
        for (folder, slot) in &self.slots {
            look.reports.extend(slot.report().cloned());
            look.listed.extend(slot.named_dirs().map(Path::to_owned));
            let Some(good) = slot.good() else { continue };
            let key = Key::of(&good.bundle);
            if let Some(tag) = slot.tag() {
                let tag = look.tags.entry((key.app.clone(), tag.into()));
                tag.or_insert_with(|| key.version.clone());
            }
            if let Some(first) = look.found.get(&key) {
                let reason = format!("is not used: {} is the same version", first.folder);
                let report = Report::broken(folder, reason);
                look.reports
                    .push(report.of(&key.app).at(Some(&key.version)));
                continue;
            }
            let found = Found {
                bundle: Arc::clone(&good.bundle),
                folder: folder.as_str().into(),
                opened: good.opened,
            };
            look.found.insert(key, found);
        }
    }
}

impl Place {
    fn scan(&self) -> io::Result<Scan> {
        match self {
            Place::Apps(path) => scan::scan(&fs::canonicalize(path)?),
            Place::Bundle(candidate) => {
                let dir = fs::canonicalize(&candidate.dir);
                let candidates = dir.as_ref().map(|dir| Candidate {
                    dir: dir.clone(),
                    ..(**candidate).clone()
                });
                Ok(Scan {
                    listed: dir.iter().cloned().collect(),
                    candidates: candidates.into_iter().collect(),
                    ..Scan::default()
                })
            }
        }
    }
}

fn lies_in_any(folder: &str, parents: &[String]) -> bool {
    parents.iter().any(|parent| {
        folder
            .strip_prefix(parent.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

#[cfg(test)]
mod tests;
