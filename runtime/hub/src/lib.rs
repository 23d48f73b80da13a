//! rookery-hub
