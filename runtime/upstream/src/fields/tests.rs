//! What goes on and what does not.
