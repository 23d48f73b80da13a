//! rookery-gateway

mod static_files;
