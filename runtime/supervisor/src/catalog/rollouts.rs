//! The files of rollouts that lie in an apps directory, read at every look: they are small, and few.
//!
//! **Invariant:** a file that is whole counts at once. One that is not may be in the middle of being written, so that is
//! told only when it has come to rest. So is one that is gone: many editors move the old file away before they write.
//! **Invariant:** the last file that was whole is kept beside it, so that one that is wrong when the server starts leaves
//! in force what was before, as it does at any other time.

use std::collections::{BTreeMap, BTreeSet};
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
    /// Where it is wrong and was found so at the start: what the last one said that was not.
    pub before: Option<Rollout>,
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
pub struct Rollouts {
    known: BTreeMap<AppName, Known>,
    /// Whether they were looked at before: what was kept is of an earlier server until then.
    has_looked: bool,
}

#[derive(Debug)]
struct Known {
    file: OnDisk,
    path: PathBuf,
    since: Instant,
    is_settled: bool,
    /// Since when it is not there any more.
    gone: Option<Instant>,
}

impl Rollouts {
    /// Reads what was found, and forgets what was not, unless it `is_kept`. How many files need another look.
    pub fn look(
        &mut self,
        places: Vec<Place>,
        now: Instant,
        is_kept: impl Fn(&AppName) -> bool,
    ) -> usize {
        let mut found = BTreeSet::new();
        let mut unsettled = 0;
        for place in places {
            // One without a text went away since its name was read.
            let Some((text, read)) = read(&place) else {
                continue;
            };
            let known = self.known.get(&place.app);
            let same = known.filter(|known| known.file.text == text);
            let since = same.map_or(now, |known| known.since);
            let is_settled = read.is_ok() || now.saturating_duration_since(since) >= SETTLE;
            unsettled += usize::from(!is_settled);
            // Tried once: on a full disk every look would bring the next one about.
            if read.is_ok() && same.is_none() {
                disk::keep(&place.path, &text);
            }
            let before = match same {
                Some(known) => known.file.before.clone(),
                None if read.is_err() && !self.has_looked => last_good(&place.path),
                None => None,
            };
            found.insert(place.app.clone());
            let known = Known {
                file: OnDisk {
                    root: place.root,
                    text,
                    read,
                    before,
                },
                path: place.path,
                since,
                is_settled,
                gone: None,
            };
            self.known.insert(place.app, known);
        }
        self.known.retain(|app, known| {
            if found.contains(app) || is_kept(app) {
                return true;
            }
            let gone = *known.gone.get_or_insert(now);
            let is_gone = now.saturating_duration_since(gone) >= SETTLE;
            if is_gone {
                disk::forget(&known.path);
            }
            unsettled += usize::from(!is_gone);
            !is_gone
        });
        self.has_looked = true;
        unsettled
    }

    /// Adds what is known to a look.
    pub fn tell(&self, look: &mut Look) {
        for (app, known) in &self.known {
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

/// What the last file said that was whole.
fn last_good(path: &Path) -> Option<Rollout> {
    file::read(&disk::kept(path)?).ok()
}

fn leaves(path: &Path, root: &Path) -> bool {
    fs::canonicalize(path).is_ok_and(|path| !path.starts_with(root))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;

    const ONE: &str = r#"{"weights": {"1.0.0": 100}}"#;
    const TWO: &str = r#"{"weights": {"2.0.0": 100}}"#;

    /// An apps directory with one file.
    struct Stage {
        root: tempfile::TempDir,
        rollouts: Rollouts,
        begun: Instant,
    }

    impl Stage {
        fn new() -> Stage {
            Stage {
                root: tempfile::tempdir().unwrap(),
                rollouts: Rollouts::default(),
                begun: Instant::now(),
            }
        }

        fn path(&self) -> PathBuf {
            self.root.path().join("chat.rollout.json")
        }

        /// Looks so many milliseconds after the beginning: what is known, and how many files need another look.
        fn look(&mut self, millis: u64) -> (Option<OnDisk>, usize) {
            let place = Place {
                app: AppName::parse("chat").unwrap(),
                root: self.root.path().to_owned(),
                path: self.path(),
            };
            let places = if place.path.exists() {
                vec![place]
            } else {
                Vec::new()
            };
            let now = self.begun + Duration::from_millis(millis);
            let unsettled = self.rollouts.look(places, now, |_| false);
            let mut look = Look::default();
            self.rollouts.tell(&mut look);
            (look.rollouts.into_values().next(), unsettled)
        }

        /// As the same directory is found by the next server.
        fn restart(&mut self) {
            self.rollouts = Rollouts::default();
        }
    }

    fn text(found: (Option<OnDisk>, usize)) -> Option<String> {
        found.0.map(|file| file.text.to_string())
    }

    #[test]
    fn an_editor_that_moves_the_old_file_away_first_removes_nothing() {
        let mut stage = Stage::new();
        fs::write(stage.path(), ONE).unwrap();
        assert_eq!(text(stage.look(0)).as_deref(), Some(ONE));
        fs::remove_file(stage.path()).unwrap();
        let (file, unsettled) = stage.look(10);
        assert_eq!((file.is_some(), unsettled), (true, 1));
        fs::write(stage.path(), TWO).unwrap();
        assert_eq!(text(stage.look(20)).as_deref(), Some(TWO));
        fs::remove_file(stage.path()).unwrap();
        assert!(stage.look(30).0.is_some());
        assert!(stage.look(30 + SETTLE.as_millis() as u64).0.is_none());
        assert_eq!(fs::read_dir(stage.root.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_is_wrong_at_the_start_has_what_was_good_before() {
        let mut stage = Stage::new();
        fs::write(stage.path(), ONE).unwrap();
        stage.look(0);
        fs::write(stage.path(), TWO).unwrap();
        stage.look(10);
        fs::write(stage.path(), "{").unwrap();
        assert_eq!(stage.look(20).0.unwrap().before, None, "it is known here");
        stage.restart();
        for millis in [30, 40] {
            let file = stage.look(millis).0.unwrap();
            assert!(file.read.is_err());
            assert_eq!(file.before, Some(file::read(TWO).unwrap()));
        }
    }

    #[test]
    fn what_was_kept_of_a_file_that_is_gone_counts_no_more() {
        let mut stage = Stage::new();
        fs::write(stage.path(), ONE).unwrap();
        stage.look(0);
        fs::remove_file(stage.path()).unwrap();
        stage.restart();
        stage.look(10);
        fs::write(stage.path(), "{").unwrap();
        assert_eq!(stage.look(20).0.unwrap().before, None);
    }
}
