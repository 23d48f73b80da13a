//! The repository's own rules, as tests: who may use whom, how long things may grow, what a file starts with.
//!
//! Each rule names in its failure what to do. A rule that has an exception says why beside it.

#![allow(clippy::unwrap_used)]

mod files;

mod metadata;

mod layers;

mod owners;

mod docs;

mod names;

mod ratchet;
