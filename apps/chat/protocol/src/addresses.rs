//! What the clients of one address may ask for together.
//!
//! A session takes a handful of tokens at a time and spends them by itself, so that most requests leave the bucket of its
//! address alone. A new connection takes a new handful: coming back is no way around the limit.
//!
//! **Invariant:** there are `SLOTS` values of `ADDRESSES_MAX` addresses at most. Whoever has not asked for anything for as
//! long as a bucket takes to fill is not in them.

use std::net::IpAddr;

use rookery_sdk::kv::{Bucket, Change, KvError};
use rookery_sdk::{Error, config, now_ms, warn};
use serde::{Deserialize, Serialize};

use crate::tokens::{Empty, Rate, Tokens};

/// How many requests a session takes at once.
pub(crate) const HANDFUL: u32 = 10;
/// Requests a second of one address, unless the setting says otherwise.
const PER_SECOND: u32 = 50;
/// A burst is what comes in so many seconds.
const BURST_SECS: u32 = 20;
/// The setting: requests a second of one address, 0 for as many as it likes.
const SETTING: &str = "CHAT_ADDRESS_RATE";

const SLOTS: u64 = 64;
const ADDRESSES_MAX: usize = 64;

#[derive(Clone, Serialize, Deserialize)]
struct Spender {
    address: String,
    tokens: Tokens,
}

/// Takes a handful for a session of this address. Ok when there is no limit for it.
pub(crate) fn take_handful(bucket: &Bucket, peer: &str) -> Result<Result<(), Empty>, Error> {
    let Ok(peer) = peer.parse::<IpAddr>() else {
        return Ok(Ok(()));
    };
    match rate_for(peer)? {
        Some(rate) => Ok(take(bucket, &network(peer), rate)?),
        None => Ok(Ok(())),
    }
}

/// Everybody behind a proxy on this machine has the machine's own address, so that one has a limit only when the operator
/// says which.
fn rate_for(peer: IpAddr) -> Result<Option<Rate>, Error> {
    let per_second = match config::get(SETTING)? {
        None if peer.is_loopback() => 0,
        None => PER_SECOND,
        Some(text) => text.trim().parse().unwrap_or_else(|_| {
            warn!("{SETTING} is no number: {text:?}");
            PER_SECOND
        }),
    };
    Ok((per_second > 0).then_some(Rate {
        per_second,
        burst: per_second.saturating_mul(BURST_SECS),
    }))
}

/// Whose bucket it is: an address, or of IPv6 the network that one customer is given.
fn network(peer: IpAddr) -> String {
    match peer.to_canonical() {
        IpAddr::V4(peer) => peer.to_string(),
        IpAddr::V6(peer) => {
            let [a, b, c, d, ..] = peer.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

fn take(bucket: &Bucket, address: &str, rate: Rate) -> Result<Result<(), Empty>, KvError> {
    let now = now_ms();
    bucket.change(&slot(address), |old: Option<Vec<Spender>>| {
        let mut spenders = old.unwrap_or_default();
        spenders.retain(|spender| spender.tokens.full_at_ms() > now);
        let known = spenders
            .iter()
            .position(|spender| spender.address == address);
        let at = known.unwrap_or_else(|| {
            make_room(&mut spenders);
            spenders.push(Spender {
                address: address.to_owned(),
                tokens: Tokens::default(),
            });
            spenders.len() - 1
        });
        match spenders[at].tokens.take(HANDFUL, rate, now) {
            Ok(()) => Change::Write(spenders, Ok(())),
            Err(empty) => Change::Keep(Err(empty)),
        }
    })
}

/// Forgets whoever spent least, if there are too many.
fn make_room(spenders: &mut Vec<Spender>) {
    if spenders.len() >= ADDRESSES_MAX {
        spenders.sort_by_key(|spender| spender.tokens.full_at_ms());
        spenders.remove(0);
    }
}

/// FNV-1a: it has to spread addresses, and nothing else.
fn slot(address: &str) -> String {
    let hash = address
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("limit:{}", hash % SLOTS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use rookery_sdk::testing::Host;
    use rookery_sdk::{App, kv};

    use super::*;

    fn ask(host: &Host, peer: &str) -> bool {
        host.run(|| take_handful(&kv::bucket().unwrap(), peer).unwrap().is_ok())
    }

    /// How many handfuls an address is given at once, of 500 that it asks for.
    fn handfuls(host: &Host, peer: &str) -> usize {
        (0..500).filter(|_| ask(host, peer)).count()
    }

    #[test]
    fn an_address_has_a_burst_of_twenty_seconds() {
        let host = Host::new(App::new());
        assert_eq!(handfuls(&host, "192.0.2.1"), 100);
        assert_eq!(handfuls(&host, "192.0.2.2"), 100);
        host.advance(Duration::from_secs(1));
        assert_eq!(handfuls(&host, "192.0.2.1"), 5);
    }

    #[test]
    fn a_customers_network_is_one_address() {
        let host = Host::new(App::new());
        assert_eq!(handfuls(&host, "2001:db8:1:2::1"), 100);
        assert!(!ask(&host, "2001:db8:1:2:ffff::9"));
        assert!(ask(&host, "2001:db8:1:3::1"));
        assert_eq!(handfuls(&host, "::ffff:192.0.2.7"), 100);
        assert!(!ask(&host, "192.0.2.7"));
    }

    #[test]
    fn the_setting_says_how_many_a_second() {
        let host = Host::new(App::new()).with_setting(SETTING, "2");
        assert_eq!(handfuls(&host, "127.0.0.1"), 4);
        let host = Host::new(App::new()).with_setting(SETTING, "0");
        assert_eq!(handfuls(&host, "192.0.2.1"), 500);
        let host = Host::new(App::new()).with_setting(SETTING, "many");
        assert_eq!(handfuls(&host, "192.0.2.1"), 100);
        assert!(host.log()[0].contains(SETTING));
    }

    #[test]
    fn the_machine_itself_has_no_limit_by_default() {
        let host = Host::new(App::new());
        for peer in ["127.0.0.1", "::1", "nobody"] {
            assert_eq!(handfuls(&host, peer), 500, "{peer}");
        }
        assert!(host.keys().is_empty());
    }

    #[test]
    fn what_is_kept_has_a_bound_and_an_end() {
        let host = Host::new(App::new());
        for number in 0..20_000u32 {
            assert!(
                ask(&host, &IpAddr::from(number.to_be_bytes()).to_string()) || number >> 24 == 127
            );
        }
        assert!(host.keys().len() <= 64);
        let kept = |host: &Host| {
            host.run(|| {
                let bucket = kv::bucket().unwrap();
                let keys = bucket.keys().unwrap().into_iter();
                let slots = keys.map(|key| bucket.get_json::<Vec<Spender>>(&key).unwrap().unwrap());
                slots.map(|slot| slot.len()).max().unwrap()
            })
        };
        assert_eq!(kept(&host), 64);
        host.advance(Duration::from_secs(20));
        assert!(
            (0..1_000u32)
                .all(|number| ask(&host, &format!("198.51.{}.{}", number / 250, number % 250)))
        );
        assert!(kept(&host) < 64, "what is full again is forgotten");
    }
}
