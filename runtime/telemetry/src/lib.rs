//! rookery-telemetry
