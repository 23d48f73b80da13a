//! rookery-sdk
