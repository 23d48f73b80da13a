//! What an operator asks of a running server, and does to it: the routes below `/_/`.
//!
//! **Invariant:** unless access is open, nothing below `/_/` answers without a token but the form that asks for it, not
//! even that it exists.
//! **Invariant:** every number is taken when it is asked for; the stream alone shows its viewers one that is at most
//! [`SHARED_FOR`] old.
//! **Invariant:** whatever changes something is refused when another site's page sent it, and is in the log.
//! **Absent on purpose:** where the numbers come from ([`Source`] gives them), what serving is ([`Stage`] does it), and
//! sockets.

mod keys;

mod access;

mod seat;

mod attempts;

mod origin;

mod login;

mod route;

mod serve;

mod audit;

mod refusal;

mod respond;

mod query;

mod body;

mod source;

mod revision;

mod worker;

mod metrics;

mod recent;

mod history;

mod survey;

mod interval;

mod dashboard;

mod stream;

mod logs;

mod page;

mod place;

mod folder;

mod turns;

mod files;

mod deploy;

mod rollout;

#[cfg(test)]
mod tests;

pub use access::Access;
pub use body::Incoming;
pub use deploy::{Fate, LIVE_DEADLINE, Label, PREPARE_DEADLINE, Stage};
pub use keys::{Key, Keys, Role, Token};
pub use login::{LIFE as LOGIN_LIFE, LOGINS_MAX};
pub use recent::Recent;
pub use revision::{FiguresSnapshot, RevisionLine, RevisionSnapshot, StartFailure};
pub use serve::Admin;
pub use source::Source;
pub use stream::{SHARED_FOR, VIEWERS_MAX};
pub use turns::UPLOADS_MAX;
pub use worker::WorkerLine;
