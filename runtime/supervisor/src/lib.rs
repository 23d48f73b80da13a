//! rookery-supervisor
