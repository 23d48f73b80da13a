//! Randomness from the host, good enough for tokens. In a test it comes from a seed.

use crate::seam;

/// 64 random bits.
pub fn bits() -> u64 {
    seam::random::bits()
}
