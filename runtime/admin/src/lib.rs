//! What an operator asks of a running server: the routes below `/_/`.
//!
//! **Invariant:** unless access is open, nothing below `/_/` answers without the token, not even that it exists.
//! **Invariant:** every number is taken when it is asked for; the stream alone shows its viewers one that is at most
//! [`SHARED_FOR`] old.
//! **Absent on purpose:** where the numbers come from ([`Source`] gives them), sockets, and anything that writes.

mod access;

mod route;

mod serve;

mod respond;

mod source;

mod metrics;

mod interval;

mod stream;

mod page;

#[cfg(test)]
mod tests;

pub use access::{Access, Token};
pub use serve::Admin;
pub use source::Source;
pub use stream::{SHARED_FOR, VIEWERS_MAX};
