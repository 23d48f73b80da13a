//! Which request is due when, and on which connection: pure.

use std::time::Duration;

/// So many requests a second over so many connections.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Requests a second.
    pub rate: u32,
    /// Connections that take turns.
    pub connections: u32,
    /// How long requests become due.
    pub length: Duration,
}

impl Plan {
    /// How many requests there are in all.
    pub fn requests(&self) -> u64 {
        u64::from(self.rate) * self.length.as_secs()
    }

    /// When the requests of one connection are due, counted from the begin: every `connections`-th of all.
    pub fn due(&self, nth: u32) -> impl Iterator<Item = Duration> + use<> {
        let rate = f64::from(self.rate);
        let step = self.connections as usize;
        (u64::from(nth)..self.requests())
            .step_by(step)
            .map(move |request| Duration::from_secs_f64(request as f64 / rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_due_once_and_evenly() {
        let plan = Plan {
            rate: 10,
            connections: 3,
            length: Duration::from_secs(2),
        };
        let mut all: Vec<Duration> = (0..3).flat_map(|nth| plan.due(nth)).collect();
        all.sort();
        let expected: Vec<Duration> = (0..20)
            .map(|nth| Duration::from_millis(nth * 100))
            .collect();
        assert_eq!(all, expected);
    }
}
