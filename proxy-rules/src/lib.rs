//! rookery-proxy-rules
