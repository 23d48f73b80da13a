//! Makes what runs agree with the bundles on disk.
//!
//! The apps directories are looked at (`catalog`); what is found is compared with the revisions that exist (`plan`);
//! the difference is carried out (`apply`): new builds are prepared and become live, what they replace drains. What
//! serves is published as one immutable table. How what asks for no one version is spread over an app's versions is in
//! the table, too ([`rollout`]).
//!
//! **Invariant:** a version that serves goes on serving until its folder is gone or its successor takes requests. A bad
//! build, a half-written folder and an apps directory that cannot be read take nothing down.
//! **Absent on purpose:** what a worker is (the traits of `pool` say what is needed of one), serving HTTP, and
//! sessions: whoever has sessions on a revision follows [`Supervisor::changed`].

mod apply;
mod catalog;
mod config;
mod deployments;
mod event;
mod handle;
mod plan;
mod refused;
mod restart;
mod revision;
mod rolling;
pub mod rollout;
mod roster;
mod rules;
mod run;
mod table;
mod tags;
#[cfg(feature = "test-util")]
pub mod told;

pub use apply::{Kinds, MakePool};
pub use catalog::{FieldFault, Report, SETTLE, Severity};
pub use config::{Prerelease, SupervisorConfig, Watching};
pub use deployments::{AppDeployment, Deployments, Failures, RevisionStatus};
pub use event::{Change, EVENTS_MAX, Event};
pub use handle::Supervisor;
pub use refused::Refused;
pub use restart::{RETRY_PAUSE_FIRST, RETRY_PAUSE_MAX};
pub use revision::{Revision, RevisionId};
pub use rules::Variables;
