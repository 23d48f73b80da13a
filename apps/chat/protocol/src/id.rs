//! Ids of users, messages and frames: `<epoch ms>-<9 base36 digits>`.

use rookery_sdk::random;

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const TAIL_CHARS: usize = 9;

/// A new id of this time.
pub(crate) fn at(timestamp_ms: u64) -> String {
    let mut id = timestamp_ms.to_string();
    id.push('-');
    let mut bits = random::bits();
    for _ in 0..TAIL_CHARS {
        id.push(char::from(DIGITS[(bits % 36) as usize]));
        bits /= 36;
    }
    id
}

/// A new id of now.
pub(crate) fn now() -> String {
    at(rookery_sdk::now_ms())
}
