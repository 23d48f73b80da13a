//! Durations that were measured, and what of them is told.

use std::time::Duration;

/// Durations in no order.
#[derive(Debug, Default)]
pub struct Measured(Vec<Duration>);

impl Measured {
    /// One more.
    pub fn take(&mut self, one: Duration) {
        self.0.push(one);
    }

    /// All of these.
    pub fn take_all(&mut self, all: Vec<Duration>) {
        self.0.extend(all);
    }

    /// The smallest that so large a part of all does not exceed, in milliseconds; 0 of none.
    pub fn quantile_ms(&mut self, quantile: f64) -> f64 {
        self.0.sort_unstable();
        let nth = (self.0.len() as f64 * quantile).ceil() as usize;
        let found = self.0.get(nth.max(1) - 1);
        found.map_or(0.0, |found| found.as_secs_f64() * 1e3)
    }
}

/// The middle one; 0 of none.
pub fn median(mut of: Vec<f64>) -> f64 {
    of.sort_unstable_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_what_was_measured() {
        let mut measured = Measured::default();
        assert_eq!(measured.quantile_ms(0.5), 0.0);
        for ms in (1..=100).rev() {
            measured.take(Duration::from_millis(ms));
        }
        assert_eq!(measured.quantile_ms(0.5), 50.0);
        assert_eq!(measured.quantile_ms(0.99), 99.0);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
