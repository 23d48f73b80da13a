//! rookery-bundle
