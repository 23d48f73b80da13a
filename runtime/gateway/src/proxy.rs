//! Paths that a proxy rule sends elsewhere.
//!
//! rules (which rule a path is for, and what is counted of it) → fields (what the upstream is told of the client) →
//! forward (a request) or join (a WebSocket).
//!
//! **Invariant:** a rule is asked before files and workers, and what it matched is never answered by them.
//! **Absent on purpose:** the bundle's own `headers`, which are for what the bundle itself answers.

mod fields;
mod forward;
mod join;
mod rules;

pub(crate) use fields::tell_the_way;
pub(crate) use forward::forward;
pub(crate) use join::join;
pub use rules::RuleSnapshot;
pub(crate) use rules::{Asked, Rules};
