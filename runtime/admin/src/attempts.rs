//! How often somebody may be wrong.
//!
//! A bucket for each address: [`BURST`] wrong tokens at once, then one a second. Whoever is out of them is not listened to,
//! right or wrong: an answer would tell which.
//!
//! **Invariant:** no more than [`CLIENTS_MAX`] addresses are remembered, those who were wrong last.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How many wrong tokens may come at once.
pub(crate) const BURST: u32 = 10;
/// How long until one more may.
const REFILL: Duration = Duration::from_secs(1);
/// How many addresses are remembered.
const CLIENTS_MAX: usize = 1024;

#[derive(Default)]
pub(crate) struct Attempts(Mutex<HashMap<IpAddr, Bucket>>);

/// When it will be full again: each wrong token moves that away by one refill.
#[derive(Clone, Copy)]
struct Bucket {
    full_at: Instant,
}

impl Attempts {
    /// Whether somebody is listened to; else for how long not.
    pub fn check(&self, from: Option<SocketAddr>, now: Instant) -> Result<(), Duration> {
        let buckets = self.0.lock();
        let Some(bucket) = buckets.get(&client(from)) else {
            return Ok(());
        };
        let owed = bucket.full_at.saturating_duration_since(now);
        let free = REFILL * (BURST - 1);
        match owed.checked_sub(free) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => Ok(()),
        }
    }

    /// Somebody was wrong.
    pub fn failed(&self, from: Option<SocketAddr>, now: Instant) {
        let mut buckets = self.0.lock();
        let client = client(from);
        if buckets.len() >= CLIENTS_MAX && !buckets.contains_key(&client) {
            buckets.retain(|_, bucket| bucket.full_at > now);
            let first = buckets.iter().min_by_key(|(_, bucket)| bucket.full_at);
            if let Some(first) = first.map(|(client, _)| *client)
                && buckets.len() >= CLIENTS_MAX
            {
                buckets.remove(&first);
            }
        }
        let bucket = buckets.entry(client).or_insert(Bucket { full_at: now });
        bucket.full_at = bucket.full_at.max(now) + REFILL;
    }
}

/// An IPv6 network counts as one: its owner has 2⁶⁴ addresses.
fn client(from: Option<SocketAddr>) -> IpAddr {
    match from.map(|from| from.ip().to_canonical()) {
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        Some(v4) => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(address: &str) -> Option<SocketAddr> {
        Some(SocketAddr::new(address.parse().unwrap(), 1))
    }

    #[test]
    fn after_a_burst_one_more_is_looked_at_each_second() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for _ in 0..BURST {
            assert_eq!(attempts.check(at("10.0.0.1"), start), Ok(()));
            attempts.failed(at("10.0.0.1"), start);
        }
        assert_eq!(attempts.check(at("10.0.0.1"), start), Err(REFILL));
        assert_eq!(attempts.check(at("10.0.0.2"), start), Ok(()));
        let later = start + REFILL;
        assert_eq!(attempts.check(at("10.0.0.1"), later), Ok(()));
        attempts.failed(at("10.0.0.1"), later);
        assert_eq!(attempts.check(at("10.0.0.1"), later), Err(REFILL));
        assert_eq!(attempts.check(at("10.0.0.1"), start + REFILL * 100), Ok(()));
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for n in 0..BURST {
            attempts.failed(at(&format!("2001:db8::{n}")), now);
        }
        assert!(attempts.check(at("2001:db8::ffff"), now).is_err());
        assert!(attempts.check(at("2001:db8:0:1::1"), now).is_ok());
        assert!(attempts.check(at("::ffff:10.0.0.1"), now).is_ok());
    }

    #[test]
    fn the_memory_for_it_is_bounded() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for n in 0..3 * CLIENTS_MAX as u32 {
            attempts.failed(at(&Ipv4Addr::from_bits(n).to_string()), now);
        }
        assert_eq!(attempts.0.lock().len(), CLIENTS_MAX);
    }
}
