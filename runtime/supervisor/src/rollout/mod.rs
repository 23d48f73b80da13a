//! How each app's requests are spread over its versions, and who changes that: operators, files, and the judge of a canary.
//!
//! `state` is what a rollout is, `file` how it is written down, `change` what operators may do to it. A canary is led by
//! `course` (how long each step lasts) and by `judge` (whether it may go on), which weighs what the revisions' `tally`
//! counted by `evidence`. `ledger` holds all of it for the supervisor's loop, and `disk` writes files.
//!
//! **Invariant:** all decisions are pure; only `disk` touches files, and only the loop changes the ledger.
//! **Invariant:** an app without a rollout's file has none, and costs nothing.

mod change;
mod course;
pub(crate) mod disk;
mod entry;
mod error;
mod evidence;
pub(crate) mod file;
mod judge;
pub(crate) mod ledger;
mod state;
mod status;
mod tally;

pub use change::{Change, Plan};
pub use course::{Course, HELD_AFTER, LOOK_EVERY, Next};
pub use disk::SUFFIX;
pub use error::RolloutError;
pub use judge::{Breach, Counts, FALSE_ALARM_RATE, Judge, Side};
pub use state::{Canary, Ended, How, Limits, Rollout};
pub use status::{
    CanaryStatus, EndedStatus, JudgementStatus, LimitsStatus, RolloutStatus, SeenStatus,
};
pub use tally::{Answered, Tally};

pub(crate) use change::Ground;
pub(crate) use entry::{Todo, Told, Tone, Writing, unix_ms};
pub(crate) use ledger::InForce;
