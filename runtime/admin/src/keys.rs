//! The tokens that open, by name, and what each is for.
//!
//! **Invariant:** how long a look takes says nothing about any token: digests are compared, all bytes of all of them.
//! **Invariant:** the tokens themselves are not kept, and nothing here shows a digest.
//! **Absent on purpose:** where they come from. Whoever made the keys replaces them, while the server runs.

use std::fmt;
use std::hint::black_box;
use std::sync::Arc;

use parking_lot::RwLock;
use sha2::{Digest, Sha256};

/// What a token is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// To look: numbers, deployments, the log, the dashboard.
    Read,
    /// To change what is served, and to look at its files.
    Deploy,
}

/// The digest of a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

/// A token with its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// As the log has it.
    pub name: Arc<str>,
    /// What it is for.
    pub role: Role,
    /// The token.
    pub token: Token,
}

/// All tokens that are good now. Clones are the same keys.
#[derive(Clone, Debug)]
pub struct Keys(Arc<RwLock<Arc<[Key]>>>);

impl Role {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Read => "read",
            Role::Deploy => "deploy",
        }
    }
}

impl Token {
    /// Of the secret that the operator chose.
    pub fn new(secret: &str) -> Token {
        Token(Sha256::digest(secret).into())
    }

    /// Of its SHA-256, for an operator who keeps no secrets in files.
    pub fn of_digest(digest: [u8; 32]) -> Token {
        Token(digest)
    }

    fn is(&self, given: &[u8; 32]) -> bool {
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

impl Keys {
    /// These.
    pub fn new(keys: Vec<Key>) -> Keys {
        Keys(Arc::new(RwLock::new(keys.into())))
    }

    /// These from now on. Logins that were bought with a token that is not among them end.
    pub fn replace(&self, keys: Vec<Key>) {
        *self.0.write() = keys.into();
    }

    /// Whose a secret is.
    pub(crate) fn find(&self, secret: &[u8]) -> Option<Key> {
        let given: [u8; 32] = Sha256::digest(secret).into();
        let keys = Arc::clone(&self.0.read());
        let mut found = None;
        for key in keys.iter() {
            if key.token.is(&given) {
                found = Some(key);
            }
        }
        found.cloned()
    }

    /// What a key that was good before may now. `None` when it is not good any more.
    pub(crate) fn still(&self, before: &Key) -> Option<Role> {
        let keys = Arc::clone(&self.0.read());
        let mut same = keys.iter();
        let same = same.find(|key| key.name == before.name && key.token == before.token)?;
        Some(same.role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, role: Role, secret: &str) -> Key {
        Key {
            name: name.into(),
            role,
            token: Token::new(secret),
        }
    }

    #[test]
    fn a_secret_is_the_one_whose_name_is_known() {
        let digest = Sha256::digest("hashed");
        let hashed = Key {
            token: Token::of_digest(digest.into()),
            ..key("hashed", Role::Read, "")
        };
        let keys = Keys::new(vec![
            key("ada", Role::Deploy, "s3cret"),
            hashed,
            key("grafana", Role::Read, "other"),
        ]);
        let found = |secret: &[u8]| {
            keys.find(secret)
                .map(|key| (key.name.to_string(), key.role))
        };
        assert_eq!(found(b"s3cret"), Some(("ada".to_owned(), Role::Deploy)));
        assert_eq!(found(b"hashed"), Some(("hashed".to_owned(), Role::Read)));
        assert_eq!(found(b"other"), Some(("grafana".to_owned(), Role::Read)));
        assert_eq!(found(b""), None);
        assert_eq!(found(b"s3cre"), None);
    }

    #[test]
    fn a_key_that_was_replaced_is_not_good_any_more() {
        let keys = Keys::new(vec![key("ada", Role::Deploy, "one")]);
        let before = keys.find(b"one");
        assert_eq!(
            before.as_ref().and_then(|key| keys.still(key)),
            Some(Role::Deploy)
        );
        keys.replace(vec![key("ada", Role::Read, "one")]);
        assert_eq!(
            before.as_ref().and_then(|key| keys.still(key)),
            Some(Role::Read)
        );
        keys.replace(vec![key("ada", Role::Deploy, "two")]);
        assert_eq!(before.as_ref().and_then(|key| keys.still(key)), None);
        assert_eq!(keys.find(b"one"), None);
    }

    #[test]
    fn a_token_is_not_shown() {
        let keys = Keys::new(vec![key("ada", Role::Read, "s3cret")]);
        let shown = format!("{keys:?}");
        assert!(
            shown.contains("ada") && shown.contains("token: Token }"),
            "{shown}"
        );
    }
}
