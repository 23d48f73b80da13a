//! The files of rollouts that lie in an apps directory, read at every look: they are small, and few.
//!
//! **Invariant:** a file that is whole counts at once. One that is not may be in the middle of being written, so that is
//! told only when it has come to rest.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rookery_bundle::AppName;

use super::Look;
use super::report::Report;
use super::slot::SETTLE;
use crate::rollout::{Rollout, disk, file};

/// The file of an app's rollout.
#[derive(Clone, Debug)]
pub struct OnDisk {
    /// The apps directory that it lies in.
    pub root: PathBuf,
    /// As it is.
    pub text: Arc<str>,
    /// What it says, or what is wrong with it.
    pub read: Result<Rollout, String>,
}

/// Where a file was found.
#[derive(Clone, Debug)]
pub struct Place {
    /// The app that its name says.
    pub app: AppName,
    /// The apps directory.
    pub root: PathBuf,
    /// The file.
    pub path: PathBuf,
}

/// All of them in one apps directory.
#[derive(Debug, Default)]
pub struct Rollouts(BTreeMap<AppName, Known>);

#[derive(Debug)]
struct Known {
    file: OnDisk,
    since: Instant,
    is_settled: bool,
}

impl Rollouts {
    /// Reads what was found, and forgets what was not, unless it `is_kept`. How many files need another look.
    pub fn look(
        &mut self,
        places: Vec<Place>,
        now: Instant,
        is_kept: impl Fn(&AppName) -> bool,
    ) -> usize {
        self.0
            .retain(|app, _| is_kept(app) || places.iter().any(|place| place.app == *app));
        let mut unsettled = 0;
        for place in places {
            let Some((text, read)) = read(&place) else {
                // It went away since its name was read.
                self.0.remove(&place.app);
                continue;
            };
            let known = self.0.get(&place.app);
            let since = match known {
                Some(known) if known.file.text == text => known.since,
                _ => now,
            };
            let is_settled = read.is_ok() || now.saturating_duration_since(since) >= SETTLE;
            unsettled += usize::from(!is_settled);
            let known = Known {
                file: OnDisk {
                    root: place.root,
                    text,
                    read,
                },
                since,
                is_settled,
            };
            self.0.insert(place.app, known);
        }
        unsettled
    }

    /// Adds what is known to a look.
    pub fn tell(&self, look: &mut Look) {
        for (app, known) in &self.0 {
            if let (Err(reason), true) = (&known.file.read, known.is_settled) {
                let reason = format!("{reason}; what was in force before still is");
                let report = Report::broken(&disk::name_of(app), reason);
                look.reports.push(report.of(app));
            }
            let file = look.rollouts.entry(app.clone());
            file.or_insert_with(|| known.file.clone());
        }
    }
}

/// What a file says. `None` when there is none.
fn read(place: &Place) -> Option<(Arc<str>, Result<Rollout, String>)> {
    let text = match leaves(&place.path, &place.root) {
        true => Err("is a link that leaves the apps directory".to_owned()),
        false => disk::read(&place.path).map_err(|error| error.to_string()),
    };
    match text {
        Ok(text) => {
            let text: Arc<str> = text?.into();
            let read = file::read(&text);
            Some((text, read))
        }
        Err(reason) => Some(("".into(), Err(reason))),
    }
}

fn leaves(path: &Path, root: &Path) -> bool {
    fs::canonicalize(path).is_ok_and(|path| !path.starts_with(root))
}
