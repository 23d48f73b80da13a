//! rookery-storage
