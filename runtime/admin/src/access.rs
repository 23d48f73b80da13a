//! Who may ask.
//!
//! **Absent on purpose:** the rule when a token is required; whoever binds the address decides it. What each role may do;
//! the route says which one it needs.

use std::net::SocketAddr;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};
use tokio::time::Instant;

use crate::attempts::Attempts;
use crate::audit::Who;
use crate::keys::{Key, Keys};
use crate::login::{LoginId, Logins};
use crate::origin;

/// Who may ask.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody on this machine, by a name of this machine: a page of another site whose name was made to lead here
    /// is nobody.
    Open,
    /// Whoever sends one of the tokens as `Authorization: Bearer`, or has logged in with one.
    Keys(Keys),
}

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

/// What somebody was let in by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Nothing is needed.
    None,
    /// A token that came with the request.
    Token(Key),
    /// A login.
    Login(LoginId),
}

/// Lets in, or does not.
pub(crate) struct Door {
    access: Access,
    pub(crate) logins: Logins,
    attempts: Attempts,
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
        matches!(self.access, Access::Keys(_))
    }

    /// Who asks with these headers, if they may.
    pub fn admit(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        from: Option<SocketAddr>,
    ) -> Result<Who, Denied> {
        let Access::Keys(keys) = &self.access else {
            return match origin::names_this_machine(uri, headers) {
                true => Ok(Who::Loopback),
                false => Err(Denied::ForeignHost),
            };
        };
        // A login cannot be guessed, so it is good also where somebody guesses tokens.
        if let Some((name, role)) = self.logins.holder(headers, keys) {
            return Ok(Who::Login(name, role));
        }
        let value = headers.get(AUTHORIZATION);
        match value.and_then(|value| bearer(value.as_bytes())) {
            None => Err(Denied::NoToken),
            Some(secret) => {
                let key = self.judge(secret, from)?;
                Ok(Who::Token(key.name, key.role))
            }
        }
    }

    /// What whoever asks with these headers was let in by.
    pub fn pass(&self, headers: &HeaderMap) -> Option<Pass> {
        let Access::Keys(keys) = &self.access else {
            return Some(Pass::None);
        };
        if let Some(login) = self.logins.find(headers, keys) {
            return Some(Pass::Login(login));
        }
        let value = headers.get(AUTHORIZATION)?;
        keys.find(bearer(value.as_bytes())?).map(Pass::Token)
    }

    /// Whether it lets in still.
    pub fn is_good(&self, pass: &Pass) -> bool {
        match (&self.access, pass) {
            (Access::Open, _) => true,
            (Access::Keys(_), Pass::None) => false,
            (Access::Keys(keys), Pass::Token(key)) => keys.still(key).is_some(),
            (Access::Keys(keys), Pass::Login(login)) => self.logins.still(*login, keys).is_some(),
        }
    }

    /// Whose token a secret is. Wrong ones are counted, and after some of them nobody there is listened to for a while.
    pub fn judge(&self, secret: &[u8], from: Option<SocketAddr>) -> Result<Key, Denied> {
        let Access::Keys(keys) = &self.access else {
            return Err(Denied::WrongToken);
        };
        let now = Instant::now();
        let allowed = self.attempts.check(from, now);
        allowed.map_err(|after| Denied::TooMany { after })?;
        if let Some(key) = keys.find(secret) {
            return Ok(key);
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
    use crate::keys::{Role, Token};

    fn ask(door: &Door, headers: &HeaderMap) -> Result<Who, Denied> {
        door.admit(&Uri::from_static("/_/"), headers, None)
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_token_opens() {
        let key = |name: &str, role, secret| Key {
            name: name.into(),
            role,
            token: Token::new(secret),
        };
        let keys = Keys::new(vec![
            key("ada", Role::Deploy, "s3cret"),
            key("grafana", Role::Read, "0ther"),
        ]);
        let door = Door::new(Access::Keys(keys));
        let ada = || Ok(Who::Token("ada".into(), Role::Deploy));
        for (value, expected) in [
            ("Bearer s3cret", ada()),
            ("bearer   s3cret ", ada()),
            ("Bearer 0ther", Ok(Who::Token("grafana".into(), Role::Read))),
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
}
