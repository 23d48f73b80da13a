//! The operator's tokens while the server runs: those of the settings, and those of a file that may be changed.
//!
//! **Invariant:** a file that is broken, or gone, changes nothing: the tokens that were good stay so, and the log says why.
//! **Absent on purpose:** file events. The file is small, and one that a secret store swaps by links makes none.

use std::path::PathBuf;
use std::time::Duration;

use rookery_admin::{Access, Key, Keys, Role, Token};
use rookery_lifecycle::{Shutdown, Tasks};

use crate::config::{ServerConfig, tokens};

/// How often the file is read.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who may ask: whoever has a token, or everybody where there is none. The file is followed until the shutdown.
pub fn access(config: &ServerConfig, tasks: &Tasks, shutdown: &Shutdown) -> Access {
    let own = own(config);
    let keys: Vec<Key> = own.iter().chain(&config.admin_tokens).cloned().collect();
    if keys.is_empty() {
        return Access::Open;
    }
    let keys = Keys::new(keys);
    if let Some(file) = &config.admin_tokens_file {
        let follower = Follower {
            file: file.clone(),
            own,
            known: Ok(config.admin_tokens.clone()),
            keys: keys.clone(),
        };
        let shutdown = shutdown.clone();
        tasks.spawn("admin tokens", async move {
            tokio::select! {
                () = shutdown.requested() => {}
                () = follower.follow() => {}
            }
        });
    }
    Access::Keys(keys)
}

fn own(config: &ServerConfig) -> Option<Key> {
    let token = config.admin_token.as_ref()?;
    Some(Key {
        name: tokens::ADMIN.into(),
        role: Role::Deploy,
        token: Token::new(token.expose()),
    })
}

struct Follower {
    file: PathBuf,
    own: Option<Key>,
    /// What the last look found.
    known: Result<Vec<Key>, Vec<String>>,
    keys: Keys,
}

impl Follower {
    async fn follow(mut self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let file = self.file.clone();
            let read = tokio::task::spawn_blocking(move || tokens::read(&file)).await;
            let Ok(read) = read else { continue };
            let found = read.map(|file| file.keys);
            if found == self.known {
                continue;
            }
            match &found {
                Ok(found) => {
                    let names: Vec<&str> = found.iter().map(|key| &*key.name).collect();
                    tracing::info!(target: "audit", tokens = names.join(" "), "the admin tokens were changed");
                    let keys = self.own.iter().chain(found).cloned().collect();
                    self.keys.replace(keys);
                }
                Err(reasons) => {
                    let reasons = reasons.join("; ");
                    tracing::error!(reasons, "the admin tokens stay as they were");
                }
            }
            self.known = found;
        }
    }
}
