//! chat-1-0
