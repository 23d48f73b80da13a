//! What is drawn: the room's log with its scroll-back, the panes, and the line being written.
//!
//! **Invariant:** drawing changes nothing but where the reader stands.

pub mod draw;
pub mod rows;
pub mod scroll;
pub mod wrap;
