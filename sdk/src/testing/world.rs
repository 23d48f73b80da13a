//! What a namespace has: sessions, topics, who is present, a bucket, settings, a clock.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::rosters::Rosters;
use super::store::Store;
use super::topics::Topics;
use crate::event::{Closed, Payload};
use crate::session::{SendStatus, SessionId};
use crate::sql::{SqlError, Value};
use crate::topic::TopicError;

/// Where the clock stands when a test begins: 2026-01-01 UTC, in milliseconds.
const START_MS: u64 = 1_767_225_600_000;

/// A test's answers to statements.
pub(crate) type AnswerSql =
    Box<dyn FnMut(&str, &[Value]) -> Result<(Vec<String>, Vec<Vec<Value>>), SqlError>>;

pub(crate) struct World {
    pub(crate) now_ms: u64,
    pub(crate) seed: u64,
    pub(crate) sessions: BTreeMap<SessionId, Attached>,
    pub(crate) topics: Topics,
    pub(crate) rosters: Rosters,
    pub(crate) store: Store,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) log: Vec<String>,
    /// What the test answers to statements.
    pub(crate) sql: Option<AnswerSql>,
    last_session: u64,
}

#[derive(Default)]
pub(crate) struct Attached {
    pub(crate) attachment: Vec<u8>,
    pub(crate) outbox: Vec<Payload>,
    pub(crate) closing: Option<Closed>,
    /// The app was told that the session ended.
    pub(crate) ended: bool,
    /// Name and due time.
    pub(crate) timers: Vec<(String, u64)>,
    pub(crate) auto_replies: Vec<(String, String)>,
}

impl World {
    pub(crate) fn new() -> World {
        World {
            now_ms: START_MS,
            seed: 0x9e37_79b9_7f4a_7c15,
            sessions: BTreeMap::new(),
            topics: Topics::default(),
            rosters: Rosters::default(),
            store: Store::default(),
            settings: BTreeMap::new(),
            log: Vec::new(),
            sql: None,
            last_session: 0,
        }
    }

    pub(crate) fn attach_session(&mut self) -> SessionId {
        self.last_session += 1;
        let id = SessionId(self.last_session);
        self.sessions.insert(id, Attached::default());
        id
    }

    /// A session that can still be sent to.
    pub(crate) fn live(&mut self, id: SessionId) -> Option<&mut Attached> {
        self.sessions
            .get_mut(&id)
            .filter(|session| session.closing.is_none())
    }

    pub(crate) fn send(&mut self, id: SessionId, payload: &Payload) -> SendStatus {
        match self.live(id) {
            Some(session) => {
                session.outbox.push(payload.clone());
                SendStatus::Queued
            }
            None => SendStatus::Gone,
        }
    }

    /// Ends a session for its topics at once; the app is told later.
    pub(crate) fn close(&mut self, id: SessionId, code: u16, reason: &str) {
        if let Some(session) = self.live(id) {
            session.closing = Some(Closed {
                code,
                reason: reason.to_owned(),
            });
            session.timers.clear();
            self.topics.forget(id);
            self.rosters.forget(id, self.now_ms);
        }
    }

    pub(crate) fn track(
        &mut self,
        id: SessionId,
        topic: &str,
        about: &str,
    ) -> Result<(), TopicError> {
        if self.live(id).is_none() {
            return Err(TopicError::Gone);
        }
        self.rosters.track(id, topic, about, self.now_ms)
    }

    /// Tells subscribers who came and went, as far as it is due by then.
    pub(crate) fn tell_news(&mut self, until_ms: u64) {
        for (topic, news) in self.rosters.take_news(until_ms) {
            for member in self.topics.members(&topic) {
                self.send(member, &Payload::Text(news.clone()));
            }
        }
    }

    /// The earliest timer that is due by then, taken out.
    pub(crate) fn take_timer(&mut self, until_ms: u64) -> Option<(SessionId, String, u64)> {
        let (id, at, due) = self
            .sessions
            .iter()
            .flat_map(|(id, session)| {
                let timers = session.timers.iter().enumerate();
                timers.map(move |(at, (_, due))| (*id, at, *due))
            })
            .filter(|(_, _, due)| *due <= until_ms)
            .min_by_key(|(_, _, due)| *due)?;
        let session = self.sessions.get_mut(&id)?;
        let (name, _) = session.timers.remove(at);
        Some((id, name, due))
    }

    /// Sessions that ended without the app having been told, each marked as told.
    pub(crate) fn take_ended(&mut self) -> Vec<(SessionId, Closed)> {
        self.sessions
            .iter_mut()
            .filter(|(_, session)| !session.ended)
            .filter_map(|(id, session)| {
                let closed = session.closing.clone()?;
                session.ended = true;
                Some((*id, closed))
            })
            .collect()
    }

    /// xorshift64*: repeatable, and no two draws of a test alike.
    pub(crate) fn random(&mut self) -> u64 {
        self.seed ^= self.seed >> 12;
        self.seed ^= self.seed << 25;
        self.seed ^= self.seed >> 27;
        self.seed.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<RefCell<World>>>> = const { RefCell::new(None) };
}

/// Makes this the world that the SDK's calls reach, until the guard is dropped.
pub(crate) fn enter(world: &Rc<RefCell<World>>) -> Entered {
    let outer = CURRENT.with(|current| current.replace(Some(world.clone())));
    Entered(outer)
}

pub(crate) struct Entered(Option<Rc<RefCell<World>>>);

impl Drop for Entered {
    fn drop(&mut self) {
        let outer = self.0.take();
        CURRENT.with(|current| current.replace(outer));
    }
}

/// Runs with the current world; None outside of every host.
pub(crate) fn with<R>(run: impl FnOnce(&mut World) -> R) -> Option<R> {
    let world = CURRENT.with(|current| current.borrow().clone())?;
    Some(run(&mut world.borrow_mut()))
}
