//! Both directions over pipes.
