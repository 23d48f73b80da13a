//! Who may ask.
//!
//! **Invariant:** how long a comparison takes says nothing about the token: digests are compared, and all of them.
//! **Absent on purpose:** the rule when a token is required; whoever binds the address decides it. Several tokens, and
//! what each may do.

use std::fmt;
use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::attempts::Attempts;
use crate::audit::Who;
use crate::login::Logins;
use crate::origin;

/// Who may ask.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody on this machine, by a name of this machine: a page of another site whose name was made to lead here
    /// is nobody.
    Open,
    /// Whoever sends the token as `Authorization: Bearer`, or has logged in with it.
    Token(Token),
}

/// The digest of the operator's token. The token itself is not kept.
#[derive(Clone)]
pub struct Token([u8; 32]);

/// Why somebody may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// There was no token.
    NoToken,
    /// It was the wrong one.
    WrongToken,
    /// Too many wrong ones came from there.
    TooMany {
        /// When the next one is looked at.
        after: Duration,
    },
    /// No token is needed, but the server was reached by a name that is not of this machine.
    ForeignHost,
}

/// Lets in, or does not.
pub(crate) struct Door {
    access: Access,
    pub(crate) logins: Logins,
    attempts: Attempts,
}

impl Token {
    /// Of the secret that the operator chose.
    pub fn new(secret: &str) -> Token {
        Token(Sha256::digest(secret).into())
    }

    fn is(&self, secret: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(secret).into();
        let difference = given
            .iter()
            .zip(&self.0)
            .fold(0, |all, (a, b)| black_box(all | (a ^ b)));
        difference == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Door {
    pub fn new(access: Access) -> Door {
        Door {
            access,
            logins: Logins::default(),
            attempts: Attempts::default(),
        }
    }

    /// Whether there is anything to log in with.
    pub fn is_locked(&self) -> bool {
        matches!(self.access, Access::Token(_))
    }

    /// Who asks with these headers, if they may.
    pub fn admit(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        from: Option<SocketAddr>,
    ) -> Result<Who, Denied> {
        if !self.is_locked() {
            return match origin::names_this_machine(uri, headers) {
                true => Ok(Who::Loopback),
                false => Err(Denied::ForeignHost),
            };
        }
        // A login cannot be guessed, so it is good also where somebody guesses tokens.
        if self.logins.holds(headers) {
            return Ok(Who::Login);
        }
        let value = headers.get(AUTHORIZATION);
        match value.and_then(|value| bearer(value.as_bytes())) {
            None => Err(Denied::NoToken),
            Some(secret) => self.judge(secret, from).map(|()| Who::Token),
        }
    }

    /// Whether a secret is the token. Wrong ones are counted, and after some of them nobody there is listened to for a
    /// while.
    pub fn judge(&self, secret: &[u8], from: Option<SocketAddr>) -> Result<(), Denied> {
        let Access::Token(token) = &self.access else {
            return Err(Denied::WrongToken);
        };
        let now = Instant::now();
        let allowed = self.attempts.check(from, now);
        allowed.map_err(|after| Denied::TooMany { after })?;
        if token.is(secret) {
            return Ok(());
        }
        self.attempts.failed(from, now);
        let from = from.map(|from| from.to_string()).unwrap_or_default();
        tracing::warn!(target: "audit", from, "a wrong admin token");
        Err(Denied::WrongToken)
    }
}

/// The token in `Bearer token`. The scheme is case-insensitive (RFC 9110 section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn ask(door: &Door, headers: &HeaderMap) -> Result<Who, Denied> {
        door.admit(&Uri::from_static("/_/"), headers, None)
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_token_opens() {
        let door = Door::new(Access::Token(Token::new("s3cret")));
        for (value, expected) in [
            ("Bearer s3cret", Ok(Who::Token)),
            ("bearer   s3cret ", Ok(Who::Token)),
            ("Bearer S3cret", Err(Denied::WrongToken)),
            ("Bearer s3cret2", Err(Denied::WrongToken)),
            ("Bearer s3cre", Err(Denied::WrongToken)),
            ("Bearer ", Err(Denied::WrongToken)),
            ("Bearer", Err(Denied::NoToken)),
            ("Basic s3cret", Err(Denied::NoToken)),
            ("s3cret", Err(Denied::NoToken)),
        ] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            assert_eq!(ask(&door, &headers), expected, "{value}");
        }
        assert_eq!(ask(&door, &HeaderMap::new()), Err(Denied::NoToken));
        let open = Door::new(Access::Open);
        assert_eq!(ask(&open, &HeaderMap::new()), Ok(Who::Loopback));
    }

    #[test]
    fn a_token_is_not_shown() {
        let shown = format!("{:?}", Access::Token(Token::new("s3cret")));
        assert_eq!(shown, "Token(Token)");
    }
}
