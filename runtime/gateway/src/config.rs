//! What an operator sets about the front door.

use std::time::Duration;

use rookery_routing::Fallback;

/// The front door's settings.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// How long a client may take to send a request's head. Default 15 s.
    pub header_timeout: Duration,
    /// The largest head of a request, in bytes; at least 8 KiB. Default 64 KiB.
    pub header_bytes_max: usize,
    /// How many connections are served at once; more wait in the system's backlog. Default 20,000.
    pub connections_max: usize,
    /// How long a revision that is taken out of use may finish what it has. Default 30 s.
    pub drain_grace: Duration,
    /// How long a revision that is taken out of use is kept for sessions that have nowhere else to go. Default 5 min.
    pub session_keep: Duration,
    /// How long a revision is tried on the sessions that it takes over, from the first one on. None at 0. Default 10 s.
    pub session_trial: Duration,
    /// What a selector without a match gets.
    pub fallback: Fallback,
    /// The app, perhaps with a selector, that answers `/`.
    pub app_shell: Option<String>,
    /// What clients read about failures.
    pub disclosure: Disclosure,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        GatewayConfig {
            header_timeout: Duration::from_secs(15),
            header_bytes_max: 64 * 1024,
            connections_max: 20_000,
            drain_grace: Duration::from_secs(30),
            session_keep: Duration::from_mins(5),
            session_trial: Duration::from_secs(10),
            fallback: Fallback::Highest,
            app_shell: None,
            disclosure: Disclosure::Hidden,
        }
    }
}

/// What clients read about failures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disclosure {
    /// That something failed, and the request's id, which the log explains.
    Hidden,
    /// What failed and why: for development.
    Shown,
}
