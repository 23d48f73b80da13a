//! Passwords: hashed and checked on the host, where a millisecond of Argon2id costs a millisecond and not ten.
//!
//! **Invariant:** so many at once as there are permits; the others wait, and no thread that serves is used.
//! **Invariant:** a hash that a guest brings asks for no more memory and time than ours do.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};
use tokio::sync::Semaphore;

/// The longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// The longest hash, in bytes.
const HASH_BYTES_MAX: usize = 512;

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PasswordError {
    /// It is longer than a password may be.
    #[error("a password is at most {PASSWORD_BYTES_MAX} bytes long")]
    TooLong,
    /// The server is ending, or has no randomness.
    #[error("passwords cannot be hashed now")]
    Unavailable,
}

/// Hashes and checks, a few at a time.
#[derive(Debug)]
pub struct Passwords {
    permits: Arc<Semaphore>,
}

impl Passwords {
    /// At most so many at once, at least one. Each uses 19 MiB while it runs.
    pub fn new(at_once: usize) -> Passwords {
        Passwords {
            permits: Arc::new(Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS))),
        }
    }

    /// Those of all guests together: half of the cores, for the others serve.
    pub fn of_the_machine() -> &'static Passwords {
        static ALL: LazyLock<Passwords> = LazyLock::new(|| {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            Passwords::new(cores / 2)
        });
        &ALL
    }

    /// The hash of a password with a salt of its own, as a PHC string.
    ///
    /// # Errors
    /// [`PasswordError`]
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        self.run(password, |password| {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string())
                .map_err(|_| PasswordError::Unavailable)
        })
        .await
    }

    /// Whether a password has this hash. A hash that is none, or that is harder than ours, is nobody's.
    ///
    /// # Errors
    /// [`PasswordError`]
    pub async fn verify(&self, password: String, hash: String) -> Result<bool, PasswordError> {
        self.run(password, move |password| {
            if hash.len() > HASH_BYTES_MAX {
                return Ok(false);
            }
            let Ok(known) = PasswordHash::new(&hash) else {
                return Ok(false);
            };
            let Ok(params) = Params::try_from(&known) else {
                return Ok(false);
            };
            let is_modest = params.m_cost() <= Params::DEFAULT_M_COST
                && params.t_cost() <= Params::DEFAULT_T_COST * 2
                && params.p_cost() <= Params::DEFAULT_P_COST * 4;
            let verifies = || {
                let checked = Argon2::default().verify_password(password.as_bytes(), &known);
                checked.is_ok()
            };
            Ok(is_modest && verifies())
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        password: String,
        work: impl FnOnce(&str) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordError::TooLong);
        }
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| PasswordError::Unavailable)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&password);
            // Kept until the work is done, even when nobody waits for it any more.
            drop(permit);
            done
        });
        done.await.map_err(|_| PasswordError::Unavailable)?
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn a_password_has_its_hash_and_no_other() {
        let passwords = Passwords::new(1);
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        let again = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert_ne!(hash, again, "each has a salt of its own");
        let check =
            |password: &str, hash: &str| passwords.verify(password.to_owned(), hash.to_owned());
        assert_eq!(check("correct horse", &hash).await, Ok(true));
        assert_eq!(check("wrong horse", &hash).await, Ok(false));
        assert_eq!(check("correct horse", "").await, Ok(false));
        assert_eq!(
            check("correct horse", "$argon2id$nonsense").await,
            Ok(false)
        );
    }

    #[tokio::test]
    async fn a_hash_that_asks_for_too_much_is_nobodys() {
        let passwords = Passwords::new(1);
        let hash = passwords.hash("x".to_owned()).await.unwrap();
        let greedy = hash.replace("m=19456", "m=4194304");
        assert_ne!(greedy, hash);
        assert_eq!(passwords.verify("x".to_owned(), greedy).await, Ok(false));
        let slow = hash.replace("t=2", "t=200");
        assert_eq!(passwords.verify("x".to_owned(), slow).await, Ok(false));
        let long = "x".repeat(PASSWORD_BYTES_MAX + 1);
        assert_eq!(passwords.hash(long).await, Err(PasswordError::TooLong));
    }

    #[tokio::test]
    async fn no_more_work_at_once_than_there_are_permits() {
        let passwords = Passwords::new(1);
        let turn = Arc::clone(&passwords.permits)
            .acquire_owned()
            .await
            .unwrap();
        let mut hash = std::pin::pin!(passwords.hash("x".to_owned()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(hash.as_mut().poll(&mut context).is_pending());
        assert_eq!(passwords.permits.available_permits(), 0, "it waits");
        drop(turn);
        assert!(hash.await.is_ok());
        assert_eq!(passwords.permits.available_permits(), 1);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_still_counts() {
        let passwords = Passwords::new(1);
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (end, ends) = std::sync::mpsc::channel::<()>();
        {
            let slow = passwords.run(String::new(), move |_| {
                let _ = begun.send(());
                let _ = ends.recv();
                Ok(())
            });
            tokio::select! {
                biased;
                _ = slow => panic!("it cannot end"),
                _ = has_begun => {}
            }
        }
        assert!(Arc::clone(&passwords.permits).try_acquire_owned().is_err());
        drop(end);
        assert_eq!(passwords.run(String::new(), |_| Ok(7)).await, Ok(7));
    }
}
