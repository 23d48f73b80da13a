//! rookery-admin
