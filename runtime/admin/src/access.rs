//! Who may ask.
//!
//! **Invariant:** how long a comparison takes says nothing about the token: digests are compared, and all of them.
//! **Absent on purpose:** the rule when a token is required; whoever binds the address decides it.

use std::fmt;
use std::hint::black_box;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};

/// Who may ask.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody who reaches the socket.
    Open,
    /// Whoever sends the token as `Authorization: Bearer`.
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

impl Access {
    /// Whether a request with these headers may be answered.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let Access::Token(token) = self else {
            return Ok(());
        };
        match headers
            .get(AUTHORIZATION)
            .and_then(|value| bearer(value.as_bytes()))
        {
            None => Err(Denied::NoToken),
            Some(secret) if token.is(secret) => Ok(()),
            Some(_) => Err(Denied::WrongToken),
        }
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

    #[test]
    fn only_the_token_opens() {
        let access = Access::Token(Token::new("s3cret"));
        for (value, expected) in [
            ("Bearer s3cret", Ok(())),
            ("bearer   s3cret ", Ok(())),
            ("Bearer S3cret", Err(Denied::WrongToken)),
            ("Bearer s3cret2", Err(Denied::WrongToken)),
            ("Bearer s3cre", Err(Denied::WrongToken)),
            ("Bearer ", Err(Denied::WrongToken)),
            ("Bearer", Err(Denied::NoToken)),
            ("Basic s3cret", Err(Denied::NoToken)),
            ("s3cret", Err(Denied::NoToken)),
        ] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            assert_eq!(access.check(&headers), expected, "{value}");
        }
        assert_eq!(access.check(&HeaderMap::new()), Err(Denied::NoToken));
        assert_eq!(Access::Open.check(&HeaderMap::new()), Ok(()));
    }

    #[test]
    fn a_token_is_not_shown() {
        let shown = format!("{:?}", Access::Token(Token::new("s3cret")));
        assert_eq!(shown, "Token(Token)");
    }
}
