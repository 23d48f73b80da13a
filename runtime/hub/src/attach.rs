//! How a session comes and goes.
//!
//! **Invariant:** the guest hears `Opened` first and `Closed` last, once each. A session that is detached gets no message
//! of a topic any more, from then on.

use std::ops::Deref;
use std::sync::Arc;

use bytestring::ByteString;
use rookery_bundle::Namespace;
use rookery_contract::Opened;

use crate::config::SessionLimits;
use crate::hub::Hub;
use crate::ready::ReadyQueue;
use crate::session::Session;
use crate::waking::WakeList;

/// The close code of a connection that ended without one (RFC 6455, 7.4.1). Never on the wire.
const ABNORMAL: u16 = 1006;

/// What it takes to attach a client.
pub struct Attach {
    /// Whose session it is.
    pub namespace: Namespace,
    /// Where it waits for the guest: the queue of its revision.
    pub ready: Arc<ReadyQueue>,
    /// What the guest is told first.
    pub opened: Opened,
    /// Its bounds.
    pub limits: SessionLimits,
}

/// A session that is attached for as long as this lives. Dropping it detaches the session as one whose connection broke,
/// unless it was detached before.
pub struct Attached(Arc<Session>);

impl Attached {
    /// The session, to share between the tasks of its connection.
    pub fn session(&self) -> &Arc<Session> {
        &self.0
    }
}

impl Deref for Attached {
    type Target = Arc<Session>;

    fn deref(&self) -> &Arc<Session> {
        &self.0
    }
}

/// A session that no guest is told of yet, so that a place can be looked for. It may be moved meanwhile. Dropping it is
/// as if it had never been.
pub struct Arrival(Option<Arc<Session>>);

impl Arrival {
    /// The session. It has an id and can be named, and waits for nobody.
    pub fn session(&self) -> &Arc<Session> {
        self.0.as_ref().expect("it is there until it began")
    }

    /// From now on it waits for the guest.
    pub fn begin(mut self) -> Attached {
        let session = self.0.take().expect("it begins once");
        session.call();
        Attached(session)
    }

    /// It does not come after all: gives what the guest would have been told, to begin another one. `None` when it was
    /// moved meanwhile, and so may have been told.
    pub fn withdraw(mut self) -> Option<Opened> {
        let session = self.0.take()?;
        match session.withdraw() {
            Some(opened) => Some(opened),
            None => {
                drop(Attached(session));
                None
            }
        }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if let Some(session) = self.0.take()
            && session.withdraw().is_none()
        {
            drop(Attached(session));
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.0.detach(ABNORMAL, "");
    }
}

impl Hub {
    /// Attaches a client and queues its `Opened`.
    pub fn attach(&self, attach: Attach) -> Attached {
        self.arrive(attach).begin()
    }

    /// Attaches a client whose `Opened` waits until it [begins](Arrival::begin).
    pub fn arrive(&self, attach: Attach) -> Arrival {
        let realm = self.realm(&attach.namespace);
        let id = self.next_session_id();
        let session = Session::new(id, Arc::clone(&realm), attach.ready, attach.limits);
        // Listed first: a guest that is told of a session must be able to name it.
        realm.list_session(&session);
        session.expect(attach.opened);
        Arrival(Some(session))
    }
}

impl Session {
    /// The client is gone: unsubscribes, cancels timers, drops what waits to be written and queues `Closed`. The
    /// session stays known until the guest has heard of it. Only the first call counts.
    pub fn detach(self: &Arc<Self>, code: u16, reason: &str) {
        if !self.leave_topics() {
            return;
        }
        self.realm.timers().forget(self.id());
        self.outbox.abandon(&mut WakeList::default());
        self.end(code, ByteString::from(reason));
    }
}
