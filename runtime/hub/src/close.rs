//! Close codes: what a client is told when its session ends, and whether it should come back.
//!
//! | range | who gives them | what they mean |
//! | --- | --- | --- |
//! | 1000–1015 | RFC 6455, 7.4.1 and IANA's registry | the protocol's own |
//! | 3000–3999 | the host | the table below; an app may send them, but gains nothing by it |
//! | 4000–4999 | the app | whatever it says |
//!
//! **Invariant:** a code that must not be on the wire (1005, 1006, 1015 and the unassigned) is never put there.

use bytestring::ByteString;

/// The longest reason that fits a close frame (RFC 6455, 5.5: 125 bytes, two of them for the code).
pub const REASON_BYTES_MAX: usize = 123;

/// What a client does best after a close.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Advice {
    /// Stay away: the same again would end the same.
    Stay,
    /// Connect again, after a delay of its own choice.
    Reconnect,
    /// Connect again and recover what it missed.
    Recover,
}

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CloseCode {
    /// The name for logs and docs.
    pub name: &'static str,
    /// The code on the wire.
    pub code: u16,
    /// The reason on the wire.
    pub reason: &'static str,
    /// What the client does best.
    pub advice: Advice,
}

macro_rules! table {
    ($($(#[$doc:meta])* $constant:ident = $code:literal $name:literal $reason:literal $advice:ident;)*) => {
        $($(#[$doc])* pub const $constant: CloseCode =
            CloseCode { name: $name, code: $code, reason: $reason, advice: Advice::$advice };)*

        /// Every code that the host gives.
        pub const TABLE: &[CloseCode] = &[$($constant),*];
    };
}

table! {
    /// Both sides are done.
    NORMAL = 1000 "normal" "" Stay;
    /// The server is shutting down, or this node is.
    GOING_AWAY = 1001 "going_away" "server going away" Reconnect;
    /// The client broke a rule of the server.
    POLICY = 1008 "policy" "policy violation" Stay;
    /// The client's message was larger than the app takes.
    TOO_BIG = 1009 "too_big" "message too big" Stay;
    /// The app failed while it worked on this session's event.
    GUEST_FAULT = 1011 "guest_fault" "the app failed" Reconnect;
    /// The app's revision was taken out of use.
    RESTART = 1012 "restart" "service restart" Reconnect;
    /// The server cannot take the session now.
    TRY_LATER = 1013 "try_later" "try again later" Reconnect;
    /// The client did not read as fast as its topics spoke. What waited for it is dropped.
    SLOW_CONSUMER = 3001 "slow_consumer" "slow consumer" Recover;
    /// What the app wrote was lost before it was durable, and what it said of it with it.
    WRITES_LOST = 3003 "writes_lost" "writes lost" Recover;
    /// Nothing was heard from the client for too long.
    IDLE = 3002 "idle" "idle timeout" Reconnect;
}

/// What a close frame carries. Codes and reasons that cannot be on the wire cannot be in here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CloseFrame {
    code: u16,
    reason: ByteString,
}

impl CloseFrame {
    /// A frame with an app's or a peer's own code. One that must not be sent becomes 1000; a reason that is too long
    /// is cut at a character.
    pub fn new(code: u16, reason: &str) -> CloseFrame {
        CloseFrame {
            code: if is_sendable(code) { code } else { NORMAL.code },
            reason: ByteString::from(&reason[..reason.floor_char_boundary(REASON_BYTES_MAX)]),
        }
    }

    /// The code.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The reason, at most [`REASON_BYTES_MAX`].
    pub fn reason(&self) -> &ByteString {
        &self.reason
    }
}

impl From<CloseCode> for CloseFrame {
    fn from(code: CloseCode) -> CloseFrame {
        CloseFrame {
            code: code.code,
            reason: ByteString::from_static(code.reason),
        }
    }
}

/// Whether an endpoint may send this code (RFC 6455, 7.4.2, and the registry's additions 1012 to 1014).
pub fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_table_may_be_sent_and_has_one_row() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(is_sendable(row.code), "{}", row.name);
            assert!(row.reason.len() <= REASON_BYTES_MAX, "{}", row.name);
            assert!(row.code < 4000, "{} takes an app's code", row.name);
            assert!(
                TABLE[..index].iter().all(|other| other.code != row.code),
                "{} twice",
                row.code
            );
        }
    }

    #[test]
    fn a_code_that_must_not_be_sent_becomes_a_normal_close() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
            assert_eq!(CloseFrame::new(code, "").code(), 1000, "{code}");
        }
        assert_eq!(CloseFrame::new(4321, "").code(), 4321);
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let reason = "ä".repeat(100);
        let frame = CloseFrame::new(4000, &reason);
        assert_eq!(frame.reason().len(), 122);
        assert!(reason.starts_with(frame.reason().as_ref() as &str));
    }
}
