//! chat-1-1
