//! What bounds the traffic with upstreams.

use std::time::Duration;

/// Bounds of the whole.
#[derive(Clone, Debug)]
pub struct UpstreamConfig {
    /// Connections to one target at a time, tunnels apart. A request beyond them waits, at most as long as it may take to
    /// connect. Default 1,024.
    pub connections_max: usize,
    /// Connections to one target that may rest. Default 256; more are closed after their exchange.
    pub idle_max: usize,
    /// How long a connection may rest. Default 30 s.
    pub idle_timeout: Duration,
    /// Tunnels at a time, to all targets. The next one is refused. Default 20,000.
    pub tunnels_max: usize,
}

impl Default for UpstreamConfig {
    fn default() -> Self {
        UpstreamConfig {
            connections_max: 1024,
            idle_max: 256,
            idle_timeout: Duration::from_secs(30),
            tunnels_max: 20_000,
        }
    }
}

/// Bounds of one exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// Until there is a connection: resolving, connecting and TLS together.
    pub connect: Duration,
    /// From the last piece of the request to the head of the answer. [`Duration::MAX`] where whoever asks has a clock of
    /// its own.
    pub answer: Duration,
    /// From one piece of the answer to the next, counted while somebody waits for it.
    pub idle: Duration,
}
