//! rookery-isolate
