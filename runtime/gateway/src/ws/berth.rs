//! Where a session is served now, and how it moves to another revision and back.
//!
//! **Invariant:** a session is a member of one site at a time, and of none after it left. While it moves it may be listed
//! in both.
//! Lock order: a berth's place before the members of a site; never two sites' members at once.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_contract::SessionId;
use rookery_hub::{ReadyQueue, Session};
use rookery_routing::{Address, Lot, Selector};

use crate::site::Site;
use crate::trial::Standing;

/// A session's place.
pub(crate) struct Berth {
    session: Arc<Session>,
    app: Box<str>,
    selector: Selector,
    lot: Lot,
    place: Mutex<Place>,
}

#[derive(Default)]
struct Place {
    site: Option<Arc<Site>>,
    /// Where it came from while it is on trial where it is. No reason for that site to live on: it holds itself.
    back: Option<Weak<Site>>,
}

/// What a session asked for when it was opened. It decides where the session belongs for all its life.
pub(crate) struct Asked {
    app: Box<str>,
    selector: Selector,
    lot: Lot,
}

impl Asked {
    /// What the path said, and the lot that a rollout decides by.
    pub fn of(address: &Address, lot: Lot) -> Self {
        Asked {
            app: address.app().into(),
            selector: address.selector().clone(),
            lot,
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
            lot: asked.lot,
            place: Mutex::default(),
        })
    }

    /// Puts the session into the site that waits for its events already. False when the site takes no more.
    pub fn enter(self: &Arc<Self>, first: &Arc<Site>) -> bool {
        let mut place = self.place.lock();
        let entered = first.members.enter(self);
        if entered {
            place.site = Some(Arc::clone(first));
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

    /// What a rollout decides by.
    pub fn lot(&self) -> Lot {
        self.lot
    }

    /// Lets another site serve the session, if it takes it. The client does not notice. To a revision that was deployed
    /// later than the one that it comes from, it goes on trial, which takes so long.
    pub fn move_to(self: &Arc<Self>, target: &Arc<Site>, ready: &Arc<ReadyQueue>, trial: Duration) {
        let mut place = self.place.lock();
        let Some(from) = place.site.clone() else {
            return;
        };
        if Arc::ptr_eq(&from, target) || !target.members.enter(self) {
            return;
        }
        // Looked at after entering: a trial that fails later finds a member.
        let standing = if from.revision.id < target.revision.id {
            target.trial.enter(trial)
        } else {
            Standing::Passed
        };
        place.back = match standing {
            Standing::Failed => return target.members.exit(self.id()),
            // Held before it is left, so that it does not close in between.
            Standing::OnTrial(end) => from.members.hold(end).then(|| Arc::downgrade(&from)),
            Standing::Passed => None,
        };
        from.members.exit(self.id());
        self.session.move_to(ready, &version(&from));
        target.moves.moved.incr();
        place.site = Some(Arc::clone(target));
    }

    /// Whether it has where to go back to.
    pub fn is_on_trial(&self) -> bool {
        self.place.lock().back.is_some()
    }

    /// Goes back to where it came from, if it is on trial in this site and that place still takes it.
    pub fn go_back(self: &Arc<Self>, from: &Site) -> bool {
        let mut place = self.place.lock();
        if !(place.site.as_deref()).is_some_and(|site| std::ptr::eq(site, from)) {
            return false;
        }
        let Some(home) = place.back.take().and_then(|home| home.upgrade()) else {
            return false;
        };
        let Some(ready) = home.ready_if_any() else {
            return false;
        };
        if !home.members.enter(self) {
            return false;
        }
        from.members.exit(self.id());
        self.session.move_to(ready, &version(from));
        place.site = Some(home);
        true
    }

    /// The session is detached.
    pub fn leave(&self) {
        if let Some(site) = std::mem::take(&mut *self.place.lock()).site {
            site.members.exit(self.id());
        }
    }
}

fn version(site: &Site) -> String {
    site.revision.bundle.version.to_string()
}
