//! rookery-lifecycle
