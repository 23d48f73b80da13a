//! The limit on what one connection may ask for: a fixed window, as the seed has it.

use serde::{Deserialize, Serialize};

/// Requests in a window.
const REQUESTS_MAX: u32 = 30;
const WINDOW_MS: u64 = 60_000;
/// From so few on, who sends is warned.
pub(crate) const REMAINING_WARN: u32 = 5;

/// A connection's window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Window {
    count: u32,
    reset_ms: u64,
}

/// What the window says to one more request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Granted { remaining: u32 },
    Blocked,
}

impl Window {
    /// Counts a request, a refused one too.
    pub(crate) fn count(&mut self, now_ms: u64) -> Verdict {
        if self.count == 0 || now_ms > self.reset_ms {
            *self = Window {
                count: 0,
                reset_ms: now_ms + WINDOW_MS,
            };
        }
        if self.count >= REQUESTS_MAX {
            return Verdict::Blocked;
        }
        self.count += 1;
        Verdict::Granted {
            remaining: REQUESTS_MAX - self.count,
        }
    }

    /// When the next window begins, in epoch milliseconds.
    pub(crate) fn reset_ms(&self) -> u64 {
        self.reset_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thirty_first_request_of_a_window_is_blocked() {
        let mut window = Window::default();
        for used in 1..=30 {
            let remaining = 30 - used;
            assert_eq!(window.count(1_000), Verdict::Granted { remaining });
        }
        assert_eq!(window.count(61_000), Verdict::Blocked);
        assert_eq!(window.reset_ms(), 61_000);
        assert_eq!(window.count(61_001), Verdict::Granted { remaining: 29 });
    }
}
