//! Who changed what, from where: one line in the log for each attempt.
//!
//! **Invariant:** what a client chose (names, paths) is written escaped, so that no line can be forged.

use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Method, StatusCode};
use parking_lot::Mutex;

use crate::keys::Role;
use crate::refusal::Refusal;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Somebody on this machine, where that is enough.
    Loopback,
    /// Who sent the token of this name with the request.
    Token(Arc<str>, Role),
    /// Who logged in with it before.
    Login(Arc<str>, Role),
    /// Who did neither.
    Nobody,
}

impl Who {
    /// As the log has it.
    pub fn name(&self) -> String {
        match self {
            Who::Loopback => "loopback".to_owned(),
            Who::Token(name, _) => format!("{name} token"),
            Who::Login(name, _) => format!("{name} login"),
            Who::Nobody => "nobody".to_owned(),
        }
    }

    /// Refuses who may not as much as this. Who is nobody was let in to what everybody may.
    pub fn needs(&self, role: Role) -> Result<(), Refusal> {
        match self {
            Who::Token(name, has) | Who::Login(name, has) if *has < role => Err(Refusal::Role {
                name: name.to_string(),
                has: *has,
                needed: role,
            }),
            _ => Ok(()),
        }
    }
}

/// A line that is not written yet.
pub(crate) struct Audit {
    who: String,
    from: Option<SocketAddr>,
    action: String,
    about: Mutex<Option<String>>,
}

impl Audit {
    /// Of a request.
    pub fn of(who: &Who, from: Option<SocketAddr>, method: &Method, path: &str) -> Audit {
        Audit {
            who: who.name(),
            from,
            action: format!("{method} {path}"),
            about: Mutex::new(None),
        }
    }

    /// What it is about, where the path does not say it.
    pub fn about(&self, what: impl Display) {
        *self.about.lock() = Some(what.to_string());
    }

    /// Writes the line: what was done, or why it was not.
    pub fn write(self, status: StatusCode, reason: Option<&str>) {
        let who = self.who;
        let from = self.from.map(|from| from.to_string()).unwrap_or_default();
        // Escaped here and not by the log, which would quote it once more where its lines are JSON.
        let escaped = |text: &str| text.escape_debug().to_string();
        let action = escaped(&self.action);
        let about = escaped(&self.about.into_inner().unwrap_or_default());
        let is_done = status.is_success() || status.is_redirection();
        let status = status.as_u16();
        if is_done {
            tracing::info!(target: "audit", who, from, action, about, status, "done");
        } else {
            let reason = escaped(reason.unwrap_or_default());
            tracing::warn!(target: "audit", who, from, action, about, status, reason, "refused");
        }
    }
}
