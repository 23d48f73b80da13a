//! Where a session is served now, and how it moves to another revision and back.
//!
//! **Invariant:** a session is a member of one site at a time, and of none after it left. While it moves it may be listed
//! in both.
//! Lock order: a berth's place before the members of a site; never two sites' members at once.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_contract::SessionId;
use rookery_hub::{CloseCode, ReadyQueue, Session};
use rookery_routing::{Address, Lot, Selector};
use rookery_supervisor::RevisionId;

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

/// Where it is, and was.
#[derive(Default)]
struct Place {
    site: Option<Arc<Site>>,
    /// Where it goes back to while the site where it is is on trial. No reason for that one to live on: it holds itself.
    back: Option<Back>,
    /// The revision that it went back from.
    left: Option<RevisionId>,
}

/// A way back.
struct Back {
    home: Weak<Site>,
    reason: Reason,
}

/// Why there is one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// It came from there.
    Moved,
    /// It was opened where it is, and would be there if that were not tried out.
    Opened,
}

/// What a session asked for when it was opened. It decides where the session belongs for all its life.
#[derive(Clone)]
pub(crate) struct Asked {
    pub app: Box<str>,
    pub selector: Selector,
    pub lot: Lot,
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

    /// Puts a session that no guest has heard of into its first site. False when that takes nobody new.
    pub fn arrive(self: &Arc<Self>, first: &Arc<Site>) -> bool {
        let mut place = self.place.lock();
        let arrived = first.members.welcome(self);
        if arrived {
            place.site = Some(Arc::clone(first));
        }
        arrived
    }

    /// It leaves the site where it arrived, for another one to begin in. False when it was moved from there meanwhile.
    pub fn withdraw(&self, first: &Arc<Site>) -> bool {
        let mut place = self.place.lock();
        if !place.is_in(first) {
            return false;
        }
        place.site = None;
        first.members.exit(self.id());
        true
    }

    /// Where it is.
    pub fn site(&self) -> Option<Arc<Site>> {
        self.place.lock().site.clone()
    }

    /// Who is here.
    pub fn id(&self) -> SessionId {
        self.session.id()
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

    /// Lets another site serve the session, if it takes it. The client does not notice. To a revision that is tried out, or
    /// that was deployed later than the one that it comes from, it goes on trial, which takes so long at least.
    pub fn move_to(self: &Arc<Self>, target: &Arc<Site>, ready: &Arc<ReadyQueue>, trial: Duration) {
        let mut place = self.place.lock();
        let Some(from) = place.site.clone() else {
            return;
        };
        if Arc::ptr_eq(&from, target) || !target.members.enter(self) {
            return;
        }
        // Looked at after entering: a trial that fails later finds a member.
        let is_tried = |site: &Site| site.trial.is_judged();
        let is_newer = from.revision.id < target.revision.id;
        let standing = if is_tried(target) || (is_newer && !is_tried(&from)) {
            target.trial.enter(trial)
        } else {
            Standing::Passed
        };
        place.back = match standing {
            Standing::Failed => return target.members.exit(self.id()),
            // Held before it is left, so that it does not close in between.
            Standing::OnTrial(end) => from.members.hold(end).then(|| Back {
                home: Arc::downgrade(&from),
                reason: Reason::Moved,
            }),
            Standing::Passed => None,
        };
        from.members.exit(self.id());
        self.session.move_to(ready, &version(&from));
        target.moves.moved.incr();
        place.site = Some(Arc::clone(target));
    }

    /// Says where it goes back to from this site, where it was opened; whoever came from elsewhere goes back there.
    pub fn give_home(&self, site: &Site, home: &Arc<Site>) {
        let mut place = self.place.lock();
        if place.is_in(site) && place.back.is_none() {
            place.back = Some(Back {
                home: Arc::downgrade(home),
                reason: Reason::Opened,
            });
        }
    }

    /// Whether it was taken over by the site where it is, and has where to go back to.
    pub fn is_on_trial(&self) -> bool {
        let place = self.place.lock();
        let back = place.back.as_ref();
        back.is_some_and(|back| back.reason == Reason::Moved)
    }

    /// Whether it went back from there.
    pub fn has_left(&self, site: &Site) -> bool {
        self.place.lock().left == Some(site.revision.id)
    }

    /// Goes back, if it has where to go back to from this site, and that place still takes it.
    pub fn go_back(self: &Arc<Self>, from: &Site) -> bool {
        let mut place = self.place.lock();
        if !place.is_in(from) {
            return false;
        }
        let Some(home) = place.back.take().and_then(|back| back.home.upgrade()) else {
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
        place.left = Some(from.revision.id);
        true
    }

    /// Closes the session, if it is still here. True when it was.
    pub fn close_at(&self, site: &Site, why: CloseCode) -> bool {
        let place = self.place.lock();
        // Held until it is told: it does not move away in between.
        let is_here = place.is_in(site);
        if is_here {
            self.session.close(why);
        }
        is_here
    }

    /// The session is detached.
    pub fn leave(&self) {
        if let Some(site) = std::mem::take(&mut *self.place.lock()).site {
            site.members.exit(self.id());
        }
    }
}

impl Place {
    fn is_in(&self, site: &Site) -> bool {
        let here = self.site.as_deref();
        here.is_some_and(|here| std::ptr::eq(here, site))
    }
}

fn version(site: &Site) -> String {
    site.revision.bundle.version.to_string()
}
