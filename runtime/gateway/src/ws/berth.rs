//! Where a session is served now, and how it moves to another revision.
//!
//! **Invariant:** a session is a member of one site at a time, and of none after it left.
//! Lock order: a berth's site before the members of a site; never two sites' members at once.

use std::sync::Arc;

use parking_lot::Mutex;
use rookery_contract::SessionId;
use rookery_hub::Session;
use rookery_routing::{Address, Selector};

use crate::site::Site;

/// A session's place.
pub(crate) struct Berth {
    session: Arc<Session>,
    app: Box<str>,
    selector: Selector,
    site: Mutex<Option<Arc<Site>>>,
}

/// What a session asked for when it was opened. It decides where the session belongs for all its life.
pub(crate) struct Asked {
    app: Box<str>,
    selector: Selector,
}

impl Asked {
    /// What the path said.
    pub fn of(address: &Address) -> Self {
        Asked {
            app: address.app().into(),
            selector: address.selector().clone(),
        }
    }
}

impl Berth {
    /// A place for the session, in no site yet.
    pub fn new(session: &Arc<Session>, asked: Asked) -> Arc<Berth> {
        Arc::new(Berth {
            session: Arc::clone(session),
            app: asked.app,
            selector: asked.selector,
            site: Mutex::new(None),
        })
    }

    /// Puts the session into the site that waits for its events already. False when the site takes no more.
    pub fn enter(self: &Arc<Self>, first: &Arc<Site>) -> bool {
        let mut site = self.site.lock();
        let entered = first.members.enter(self);
        if entered {
            *site = Some(Arc::clone(first));
        }
        entered
    }

    /// Who is here.
    pub fn id(&self) -> SessionId {
        self.session.id()
    }

    /// Who is here.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The app that was asked for.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// The version that was asked for.
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// Lets another site serve the session, if it takes it. The client does not notice.
    pub fn move_to(self: &Arc<Self>, target: &Arc<Site>, ready: &Arc<rookery_hub::ReadyQueue>) {
        let mut site = self.site.lock();
        let Some(from) = site.as_ref() else {
            return;
        };
        if !target.members.enter(self) {
            return;
        }
        from.members.exit(self.id());
        let version = from.revision.bundle.version.to_string();
        self.session.move_to(ready, &version);
        *site = Some(Arc::clone(target));
    }

    /// The session is detached.
    pub fn leave(&self) {
        if let Some(site) = self.site.lock().take() {
            site.members.exit(self.id());
        }
    }
}
