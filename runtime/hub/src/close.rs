//! Close codes: what a client is told when its session ends, and whether it should come back.
//!
//! | range | who gives them | a client that does not know the code |
//! | --- | --- | --- |
//! | 1000–2999 | RFC 6455, 7.4.1 and IANA's registry | stays away after 1000, 1002, 1003 and 1007 to 1010; comes back after any other |
//! | 3000–3499 | the host; 3000–3099 is the table below | comes back |
//! | 3500–3999 | the host; none so far | stays away |
//! | 4000–4999 | the app | stays away after 4400 to 4499 (4000 and a client's fault of HTTP), but for 4408, 4425 and 4429; comes back after any other |
//!
//! `docs/close-codes.md` tells it to who writes a client; a test holds the two together.
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

        /// Every code that the host gives by itself. An app's are its own, and a client's is given back to it.
        pub const TABLE: &[CloseCode] = &[$($constant),*];
    };
}

table! {
    /// Both sides are done.
    NORMAL = 1000 "normal" "" Stay;
    /// The server is shutting down, or this node is.
    GOING_AWAY = 1001 "going_away" "server going away" Reconnect;
    /// The client broke the protocol of WebSockets.
    PROTOCOL = 1002 "protocol" "protocol error" Stay;
    /// A text of the client is not UTF-8.
    NOT_TEXT = 1007 "not_text" "invalid UTF-8" Stay;
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
    /// Nothing was heard from the client for too long.
    IDLE = 3002 "idle" "idle timeout" Reconnect;
    /// What the app wrote was lost before it was durable, and what it said of it with it.
    WRITES_LOST = 3003 "writes_lost" "writes lost" Recover;
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

/// What a client does best after any code, its own app's aside: the table's advice, and the range's for what is not in it.
/// 1006 stands for a connection that broke.
pub fn advice(code: u16) -> Advice {
    if let Some(row) = TABLE.iter().find(|row| row.code == code) {
        return row.advice;
    }
    match code {
        1000 | 1002 | 1003 | 1007..=1010 | 3500..=3999 => Advice::Stay,
        4408 | 4425 | 4429 => Advice::Reconnect,
        4400..=4499 => Advice::Stay,
        _ => Advice::Reconnect,
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
            assert!(row.code < 3100, "{} takes another's code", row.name);
            assert!(
                TABLE[..index].iter().all(|other| other.code != row.code),
                "{} twice",
                row.code
            );
        }
    }

    /// So a client that only knows the ranges does right by every code of the table.
    #[test]
    fn the_ranges_say_the_same_as_the_table() {
        for row in TABLE {
            let stays = matches!(row.code, 1000 | 1002 | 1003 | 1007..=1010 | 3500..=3999);
            assert_eq!(row.advice == Advice::Stay, stays, "{}", row.name);
        }
        let stay = |code| advice(code) == Advice::Stay;
        assert!(
            [1003, 1010, 3500, 3999, 4400, 4404, 4499]
                .into_iter()
                .all(stay)
        );
        let come = [
            1005, 1006, 1014, 1015, 3000, 3004, 3499, 4000, 4399, 4408, 4429, 4500, 4999,
        ];
        assert!(!come.into_iter().any(stay));
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
