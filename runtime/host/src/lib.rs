//! rookery-host
