//! How requests that ask for no one version are spread over several: by weights, and so that who comes again finds the
//! same version again.
//!
//! Everybody draws a [`Lot`] and keeps it. A lot and the weights say the version by weighted rendezvous hashing (Thaler and
//! Ravishankar, "Using name-based mappings to increase hit rates", 1998; the weights as Schindelhauer and Schomaker have
//! them, "Weighted distributed hash tables", 2005): of all versions the one whose draw, an exponential one at the rate of
//! its weight, comes first.
//!
//! **Invariant:** when weights change, a lot only ever moves to a version that grew more than the one that it leaves; so each
//! step of a canary adds visitors to it, and none of those who have it lose it.
//! **Invariant:** weights are of one version at least, and add up to 100 %.
//! **Absent on purpose:** chance and clocks. Who draws a lot, and when weights change, is decided elsewhere.

use std::cmp::Reverse;
use std::fmt;

use semver::Version;

/// A part of all requests, in hundredths of a percent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Share(u16);

impl Share {
    /// Nothing.
    pub const NONE: Share = Share(0);
    /// Everything.
    pub const WHOLE: Share = Share(10_000);

    /// Reads a percentage; `None` when it is not between 0 and 100, or finer than a hundredth.
    pub fn of_percent(percent: f64) -> Option<Share> {
        let hundredths = (percent * 100.0).round();
        let is_fine = (percent * 100.0 - hundredths).abs() < 1e-6;
        // The bounds make the conversion exact.
        (is_fine && (0.0..=10_000.0).contains(&hundredths)).then_some(Share(hundredths as u16))
    }

    /// In percent: 0 to 100.
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// What is left of everything.
    pub fn rest(self) -> Share {
        Share(Share::WHOLE.0 - self.0)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.percent())
    }
}

/// Which version has which part; versions without a part are not in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weights(Vec<(Version, Share)>);

/// Why these are no weights.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WeightsError {
    /// A version twice.
    #[error("{0} has two weights")]
    Twice(Version),
    /// More or less than everything.
    #[error("the weights add up to {} %, not to 100 %", f64::from(*.hundredths) / 100.0)]
    Sum {
        /// In hundredths of a percent.
        hundredths: u32,
    },
}

impl Weights {
    /// Takes the parts in any order. Those that are nothing are left out.
    pub fn new(parts: impl IntoIterator<Item = (Version, Share)>) -> Result<Weights, WeightsError> {
        let mut parts: Vec<(Version, Share)> = parts.into_iter().collect();
        parts.sort_by(|(left, _), (right, _)| left.cmp(right));
        if let Some(two) = parts.windows(2).find(|two| two[0].0 == two[1].0) {
            return Err(WeightsError::Twice(two[0].0.clone()));
        }
        let hundredths = parts.iter().map(|(_, share)| u32::from(share.0)).sum();
        if hundredths != u32::from(Share::WHOLE.0) {
            return Err(WeightsError::Sum { hundredths });
        }
        parts.retain(|(_, share)| *share > Share::NONE);
        Ok(Weights(parts))
    }

    /// Everything to one version.
    pub fn whole(version: Version) -> Weights {
        Weights(vec![(version, Share::WHOLE)])
    }

    /// With `share` for one version, and the others as they are to each other. `None` when it would be the only one, and
    /// is to have less than everything.
    #[must_use]
    pub fn with(&self, version: &Version, share: Share) -> Option<Weights> {
        if share == Share::WHOLE {
            return Some(Weights::whole(version.clone()));
        }
        let others = || self.iter().filter(|(other, _)| *other != version);
        let before: u32 = others().map(|(_, share)| u32::from(share.0)).sum();
        let (rest, mut left) = (share.rest(), share.rest().0);
        let mut parts = vec![(version.clone(), share)];
        for (other, part) in others() {
            // At most `rest`, since the part is one of those that were added up.
            let scaled = (u32::from(part.0) * u32::from(rest.0) / before) as u16;
            left -= scaled;
            parts.push((other.clone(), Share(scaled)));
        }
        // What rounding left goes to the heaviest of the others.
        let heaviest = parts[1..]
            .iter_mut()
            .min_by_key(|(_, share)| Reverse(*share))?;
        heaviest.1 = Share(heaviest.1.0 + left);
        Weights::new(parts).ok()
    }

    /// Without this version, the others as they are to each other. `None` when it is the only one.
    #[must_use]
    pub fn without(&self, version: &Version) -> Option<Weights> {
        self.with(version, Share::NONE)
    }

    /// The parts, versions ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&Version, Share)> {
        self.0.iter().map(|(version, share)| (version, *share))
    }

    /// The part of one version.
    pub fn of(&self, version: &Version) -> Share {
        let found = self.0.iter().find(|(other, _)| other == version);
        found.map_or(Share::NONE, |(_, share)| *share)
    }

    /// The version with the largest part; of several, the lowest.
    pub fn heaviest(&self) -> &Version {
        let heaviest = self.0.iter().min_by_key(|(_, share)| Reverse(*share));
        &heaviest.expect("weights are of one version at least").0
    }
}

/// What a visitor keeps to find the same version again: one of 65,536, so that it says nothing of who it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Lot(u16);

impl Lot {
    /// That of a number that was drawn by chance.
    pub fn drawn(random: u64) -> Lot {
        Lot(random as u16)
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    pub fn parse(text: &str) -> Option<Lot> {
        let is_hex = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let lot = u16::from_str_radix(text, 16).ok().filter(|_| is_hex);
        lot.map(Lot)
    }
}

impl fmt::Display for Lot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}", self.0)
    }
}

/// What becomes of sessions that are open when weights change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sessions {
    /// They move in the same shares.
    #[default]
    Follow,
    /// They stay where they are as long as their version serves.
    Keep,
}

/// The weights of an app among the versions that its table has.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    /// In the order of their places; never empty.
    candidates: Box<[Candidate]>,
    pub(crate) sessions: Sessions,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    place: usize,
    share: Share,
    /// Tells its draws from those of the others.
    salt: u64,
}

impl Spread {
    /// Those of the weights that have a place. `None` when none has.
    pub(crate) fn new(
        weights: &Weights,
        sessions: Sessions,
        place_of: impl Fn(&Version) -> Option<usize>,
    ) -> Option<Spread> {
        let candidates = weights.iter().filter_map(|(version, share)| {
            Some(Candidate {
                place: place_of(version)?,
                share,
                salt: salt(version),
            })
        });
        let candidates: Box<[Candidate]> = candidates.collect();
        (!candidates.is_empty()).then_some(Spread {
            candidates,
            sessions,
        })
    }

    /// The place of the version with the largest part; of several, the lowest.
    pub(crate) fn heaviest(&self) -> usize {
        let all = self.candidates.iter();
        let heaviest = all.min_by_key(|one| Reverse(one.share));
        heaviest.map_or(0, |one| one.place)
    }

    /// Whether any of them is allowed.
    pub(crate) fn allows(&self, allowed: impl Fn(usize) -> bool) -> bool {
        self.candidates.iter().any(|one| allowed(one.place))
    }

    /// The place that a lot leads to, among those that are allowed, and whether it had a choice. Without a lot the
    /// heaviest. `None` when none is allowed.
    pub(crate) fn draw(
        &self,
        lot: Option<impl FnOnce() -> Lot>,
        allowed: impl Fn(usize) -> bool,
    ) -> Option<(usize, Choice)> {
        let mut all = self.candidates.iter().filter(|one| allowed(one.place));
        let first = all.next()?;
        let Some(second) = all.next() else {
            return Some((first.place, Choice::One));
        };
        let rest = || [first, second].into_iter().chain(all);
        let place = match lot {
            None => rest().min_by_key(|one| Reverse(one.share)),
            Some(lot) => {
                let lot = lot();
                rest().min_by(|a, b| a.arrival(lot).total_cmp(&b.arrival(lot)))
            }
        };
        place.map(|one| (one.place, Choice::Several))
    }
}

/// Whether there was anything to choose from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Choice {
    One,
    Several,
}

impl Candidate {
    /// When it comes, for this lot: earlier, the larger its share is. Exponential with the share as its rate.
    fn arrival(&self, lot: Lot) -> f64 {
        let draw = mix(self.salt ^ u64::from(lot.0).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        // The upper 53 bits, and a half, so that it is neither 0 nor 1.
        let uniform = ((draw >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        -uniform.ln() / f64::from(self.share.0)
    }
}

/// FNV-1a over the version as it is written: the same in every process.
fn salt(version: &Version) -> u64 {
    let text = version.to_string();
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The finalizer of SplitMix64: every bit of the input moves every bit of the output.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
