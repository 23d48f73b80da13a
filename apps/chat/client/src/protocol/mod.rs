//! What is said to a server: one module for each major of the chat.
//!
//! **Invariant:** nothing outside of a major's module knows a frame.

pub mod v1;
