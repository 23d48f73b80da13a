//! chat-protocol
