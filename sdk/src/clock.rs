//! The time. In a test it stands still until the test moves it.

use std::time::Duration;

use crate::seam;

/// Milliseconds since 1970-01-01 UTC.
pub fn now_ms() -> u64 {
    seam::clock::now_ms()
}

/// Waits. The isolate serves nobody else meanwhile; a session wants a timer instead.
pub fn sleep(duration: Duration) {
    seam::clock::sleep(duration);
}
