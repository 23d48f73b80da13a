//! What has to be run: a pure comparison of what a bundle has and what was run.

use rookery_bundle::Migration;

use super::history::Ran;
use crate::error::SqlError;

/// Why nothing was run, or not all.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MigrateError {
    /// A migration was run and its script is another one now.
    #[error("migration {label} was changed after it was run")]
    Changed {
        /// Which one.
        label: String,
    },
    /// A migration would run below one that was run already.
    #[error("migration {label} was never run, but a later one was: give it a higher number")]
    OutOfOrder {
        /// Which one.
        label: String,
    },
    /// There is no script to take a step back.
    #[error("migration {label} has no down script")]
    NoWayBack {
        /// Which one.
        label: String,
    },
    /// Somebody else took a step back at the same time.
    #[error(
        "migration {label} was taken back by somebody else at the same time: nothing more was done"
    )]
    Raced {
        /// Which one.
        label: String,
    },
    /// A script failed; nothing of it is left.
    #[error("migration {label} failed: {source}")]
    Failed {
        /// Which one.
        label: String,
        /// Why.
        source: SqlError,
    },
    /// The history is no table's name that may be used.
    #[error(
        "{0:?} cannot be the name of a table: letters, digits and _, at most 63, not a digit first"
    )]
    Table(String),
    /// The history cannot be read.
    #[error("the history of migrations cannot be read: {0}")]
    History(SqlError),
}

/// Which way a step goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Forward.
    Up,
    /// Back.
    Down,
}

/// A migration to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step<'a> {
    /// Which one.
    pub migration: &'a Migration,
    /// Which way.
    pub direction: Direction,
}

/// How a migration stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Status {
    /// It was run then, in seconds since 1970.
    Ran {
        /// `0001_name`
        label: String,
        /// When.
        at_secs: i64,
    },
    /// It was not.
    Pending {
        /// `0001_name`
        label: String,
    },
    /// It was run, and its script is another one now.
    Changed {
        /// `0001_name`
        label: String,
    },
    /// It was run by a later version of the app, and this one does not know it.
    Unknown {
        /// `0001_name`
        label: String,
    },
}

/// What is missing, in order.
pub fn plan_up<'a>(have: &'a [Migration], ran: &[Ran]) -> Result<Vec<Step<'a>>, MigrateError> {
    let highest = ran.iter().map(|ran| ran.number).max();
    let mut steps = Vec::new();
    for migration in have {
        let label = || migration.label();
        match ran.iter().find(|ran| ran.number == migration.number) {
            Some(ran) if ran.digest == migration.digest() => {}
            Some(_) => return Err(MigrateError::Changed { label: label() }),
            None if highest.is_some_and(|highest| migration.number < highest) => {
                return Err(MigrateError::OutOfOrder { label: label() });
            }
            None => steps.push(Step {
                migration,
                direction: Direction::Up,
            }),
        }
    }
    Ok(steps)
}

/// The last `count` that were run, the latest first.
pub fn plan_down<'a>(
    have: &'a [Migration],
    ran: &[Ran],
    count: usize,
) -> Result<Vec<Step<'a>>, MigrateError> {
    let mut ran: Vec<&Ran> = ran.iter().collect();
    ran.sort_by_key(|ran| std::cmp::Reverse(ran.number));
    let back = |ran: &&Ran| {
        let no_way = || MigrateError::NoWayBack { label: ran.label() };
        let known = have.iter().find(|one| one.number == ran.number);
        let migration = known.filter(|one| one.down.is_some()).ok_or_else(no_way)?;
        if migration.digest() != ran.digest {
            return Err(MigrateError::Changed { label: ran.label() });
        }
        Ok(Step {
            migration,
            direction: Direction::Down,
        })
    };
    ran.iter().take(count).map(back).collect()
}

/// How each stands, in order.
pub fn statuses(have: &[Migration], ran: &[Ran]) -> Vec<Status> {
    let known = have.iter().map(|one| {
        let label = one.label();
        let found = ran.iter().find(|ran| ran.number == one.number);
        let status = match found {
            Some(ran) if ran.digest != one.digest() => Status::Changed { label },
            Some(ran) => Status::Ran {
                label,
                at_secs: ran.at_secs,
            },
            None => Status::Pending { label },
        };
        (one.number, status)
    });
    let strange = ran
        .iter()
        .filter(|ran| have.iter().all(|one| one.number != ran.number))
        .map(|ran| (ran.number, Status::Unknown { label: ran.label() }));
    let mut all: Vec<_> = known.chain(strange).collect();
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, status)| status).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn migration(number: u32, down: Option<&str>) -> Migration {
        Migration {
            number,
            name: "step".to_owned(),
            up: format!("up {number}"),
            down: down.map(str::to_owned),
        }
    }

    fn ran(migration: &Migration) -> Ran {
        Ran {
            number: migration.number,
            name: migration.name.clone(),
            digest: migration.digest(),
            at_secs: 7,
        }
    }

    fn numbers(steps: &[Step<'_>]) -> Vec<u32> {
        steps.iter().map(|step| step.migration.number).collect()
    }

    #[test]
    fn what_was_not_run_is_run_in_order() {
        let have = [1, 2, 3].map(|number| migration(number, None));
        assert_eq!(numbers(&plan_up(&have, &[]).unwrap()), [1, 2, 3]);
        assert_eq!(numbers(&plan_up(&have, &[ran(&have[0])]).unwrap()), [2, 3]);
        let all: Vec<_> = have.iter().map(ran).collect();
        assert!(plan_up(&have, &all).unwrap().is_empty());
        // An older version of the app after a newer one was here.
        assert!(plan_up(&have[..1], &all).unwrap().is_empty());
    }

    #[test]
    fn what_changed_or_came_too_late_is_refused() {
        let have = [1, 2, 3].map(|number| migration(number, None));
        let mut changed = ran(&have[1]);
        changed.digest = "another".to_owned();
        let refused = plan_up(&have, &[ran(&have[0]), changed]).unwrap_err();
        assert!(matches!(refused, MigrateError::Changed { label } if label == "0002_step"));
        let late = plan_up(&have, &[ran(&have[0]), ran(&have[2])]).unwrap_err();
        assert!(matches!(late, MigrateError::OutOfOrder { label } if label == "0002_step"));
    }

    #[test]
    fn going_back_begins_with_the_latest() {
        let have = [1, 2, 3].map(|number| migration(number, Some("down")));
        let all: Vec<_> = have.iter().map(ran).collect();
        assert_eq!(numbers(&plan_down(&have, &all, 2).unwrap()), [3, 2]);
        assert_eq!(numbers(&plan_down(&have, &all, 9).unwrap()), [3, 2, 1]);
        let one_way = [migration(1, None)];
        let refused = plan_down(&one_way, &[ran(&one_way[0])], 1);
        assert!(matches!(refused, Err(MigrateError::NoWayBack { .. })));
        assert!(plan_down(&[], &all, 1).is_err(), "it is not known");
        let mut changed = ran(&have[2]);
        changed.digest = "another".to_owned();
        let refused = plan_down(&have, &[changed], 1);
        assert!(matches!(refused, Err(MigrateError::Changed { .. })));
    }

    #[test]
    fn each_is_pending_or_ran_or_changed_or_unknown() {
        let have = [1, 2, 3].map(|number| migration(number, None));
        let mut changed = ran(&have[2]);
        changed.digest = "another".to_owned();
        let history = [ran(&have[0]), changed, ran(&migration(9, None))];
        let label = |number| format!("000{number}_step");
        let expected = [
            Status::Ran {
                label: label(1),
                at_secs: 7,
            },
            Status::Pending { label: label(2) },
            Status::Changed { label: label(3) },
            Status::Unknown { label: label(9) },
        ];
        assert_eq!(statuses(&have, &history), expected);
    }
}
