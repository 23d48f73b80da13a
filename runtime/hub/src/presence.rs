//! Who is present at a topic, and the news of it for the topic's subscribers.
//!
//! **Invariant:** a session that is detached is present nowhere: who tracks one holds its list of topics, which is closed
//! first. **Invariant:** after the news of the last change, a subscriber who applied all of them since a list knows
//! exactly who is there; news that cannot say it all say so.
//! **Absent on purpose:** a place in the topic's stream. News are of now; who missed them asks for a list.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use bytestring::ByteString;
use rookery_contract::{ABOUT_BYTES_MAX, Payload, Present, Roster, SessionId, TopicError};
use serde::Serialize;

use crate::hold::{Holds, Outcome};
use crate::publisher::Publisher;
use crate::session::Session;
use crate::subscribe::Subscriptions;
use crate::topic::Topic;

/// Topics that one session is present at, so that what is said of it stays small, too.
const PRESENCES_MAX: usize = 32;
/// News of more sessions than this say that a list is needed instead.
const CHANGES_MAX: usize = 256;

/// Who is present at one topic.
#[derive(Default)]
pub(crate) struct Presence {
    here: BTreeMap<SessionId, Here>,
    /// Counts the changes.
    version: u64,
    changes: Changes,
    /// What the news that are due wait for.
    pub(crate) holds: Holds,
    beat: Beat,
}

struct Here {
    about: ByteString,
    /// What it waits for to be true.
    holds: Holds,
}

/// Whose presence changed since the subscribers were told.
enum Changes {
    Of(BTreeSet<SessionId>),
    TooMany,
}

impl Default for Changes {
    fn default() -> Changes {
        Changes::Of(BTreeSet::new())
    }
}

/// Whether the wheel has this topic.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Beat {
    #[default]
    None,
    Due,
}

/// What a change leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Noted {
    /// Nothing changed, or the wheel has the topic.
    Enough,
    /// The wheel has to be told.
    First,
}

#[derive(Serialize)]
struct News<'a> {
    presence: &'a str,
    version: u64,
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<Vec<Joined<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<Vec<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reset: Option<bool>,
}

#[derive(Serialize)]
struct Joined<'a> {
    session: u64,
    about: &'a str,
}

impl Presence {
    /// Whether nobody is present and nobody has to be told.
    pub(crate) fn is_vacant(&self) -> bool {
        self.here.is_empty() && self.beat == Beat::None
    }

    fn track(&mut self, session: SessionId, about: &str, holds: &Holds) -> Noted {
        let known = self.here.get(&session);
        let is_new = known.is_none_or(|known| *known.about != *about);
        // What is durable and said again need not wait.
        if is_new || known.is_some_and(|known| !known.holds.are_kept()) {
            let here = Here {
                about: ByteString::from(about),
                holds: holds.clone(),
            };
            self.here.insert(session, here);
        }
        if is_new {
            self.note(session, holds)
        } else {
            Noted::Enough
        }
    }

    /// `None` when it was not there.
    fn untrack(&mut self, session: SessionId, holds: &Holds) -> Option<Noted> {
        self.here.remove(&session)?;
        Some(self.note(session, holds))
    }

    fn note(&mut self, session: SessionId, holds: &Holds) -> Noted {
        self.version += 1;
        self.holds.drop_kept();
        self.holds.add_all(holds);
        if let Changes::Of(changed) = &mut self.changes {
            changed.insert(session);
            if changed.len() > CHANGES_MAX {
                self.changes = Changes::TooMany;
            }
        }
        match std::mem::replace(&mut self.beat, Beat::Due) {
            Beat::None => Noted::First,
            Beat::Due => Noted::Enough,
        }
    }

    /// What the subscribers are to be told, and what that waits for. The wheel has let go of the topic.
    pub(crate) fn take_news(&mut self, topic: &str) -> (Payload, Holds) {
        self.beat = Beat::None;
        let mut news = News {
            presence: topic,
            version: self.version,
            count: self.here.len(),
            joined: None,
            left: None,
            reset: None,
        };
        match std::mem::take(&mut self.changes) {
            Changes::TooMany => news.reset = Some(true),
            Changes::Of(changed) => {
                let joined = |id: &SessionId| {
                    let here = self.here.get(id)?;
                    let about = &*here.about;
                    Some(Joined {
                        session: id.0,
                        about,
                    })
                };
                news.joined = Some(changed.iter().filter_map(joined).collect());
                let left = changed.iter().filter(|id| !self.here.contains_key(id));
                news.left = Some(left.map(|id| id.0).collect());
            }
        }
        let text = serde_json::to_string(&news).expect("text and numbers can be written");
        (Payload::Text(text.into()), std::mem::take(&mut self.holds))
    }

    fn list(&self, after: Option<SessionId>, limit: usize) -> Roster {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let present = |(session, here): (&SessionId, &Here)| Present {
            session: *session,
            about: here.about.clone(),
        };
        let rest = self.here.range((from, Bound::Unbounded));
        Roster {
            sessions: rest.take(limit).map(present).collect(),
            count: u32::try_from(self.here.len()).unwrap_or(u32::MAX),
            version: self.version,
        }
    }

    /// What was said of some is lost: they are not here.
    pub(crate) fn lose(&mut self) {
        self.here.retain(|_, here| !here.holds.are_lost());
        self.version += 1;
        // The subscribers are closed, so nobody waits for these news.
        self.changes = Changes::default();
        self.holds = Holds::default();
    }
}

impl Publisher {
    /// Makes a session present at a topic, or replaces what is said about it.
    pub fn track(&mut self, id: SessionId, topic: &str, about: &str) -> Result<(), TopicError> {
        if about.len() > ABOUT_BYTES_MAX {
            return Err(TopicError::TooLarge);
        }
        let session = self.realm.session(id).ok_or(TopicError::Gone)?;
        if self.is_lost() {
            return Err(TopicError::Gone);
        }
        session.track(topic, about, &self.holds)
    }

    /// Ends a session's presence at a topic; it need not be there.
    pub fn untrack(&mut self, id: SessionId, topic: &str) {
        if let Some(session) = self.realm.session(id) {
            session.untrack(topic, &self.holds);
        }
    }

    /// Who is present at a topic: those with ids above `after`, at most `limit` (at least 1).
    pub fn list(&mut self, topic: &str, after: Option<SessionId>, limit: u32) -> Roster {
        let limit = limit.clamp(1, self.realm.config().page_messages_max.max(1)) as usize;
        let Some(topic) = self.realm.find_topic(topic) else {
            return Roster::default();
        };
        let Some(state) = topic.lock() else {
            return Roster::default();
        };
        let Some(presence) = &state.presence else {
            return Roster::default();
        };
        self.holds.add_all(&presence.holds);
        presence.list(after, limit)
    }
}

impl Topic {
    fn has_present(&self, session: SessionId) -> bool {
        let state = self.lock();
        let presence = state.as_ref().and_then(|state| state.presence.as_ref());
        presence.is_some_and(|presence| presence.here.contains_key(&session))
    }
}

impl Session {
    fn track(self: &Arc<Self>, name: &str, about: &str, holds: &Holds) -> Result<(), TopicError> {
        let mut subscriptions = self.subscriptions.lock();
        let Subscriptions::Open(own) = &mut *subscriptions else {
            return Err(TopicError::Gone);
        };
        let known = own.present.iter().any(|topic| **topic.name() == *name);
        if own.present.len() >= PRESENCES_MAX && !known {
            // Where it was present by a write that was lost, it is not any more.
            own.present.retain(|topic| topic.has_present(self.id()));
            if own.present.len() >= PRESENCES_MAX {
                return Err(TopicError::TooMany);
            }
        }
        let (topic, noted) = self.realm.with_topic(name, |topic, state| {
            // Before it has the news: when what they wait for is lost, the topic is among those that lose it.
            let noted = match holds.mark(topic) {
                Outcome::Lost => Err(TopicError::Gone),
                Outcome::Kept | Outcome::Open => {
                    let presence = state.presence.get_or_insert_default();
                    Ok(presence.track(self.id(), about, holds))
                }
            };
            (Arc::clone(topic), noted)
        })?;
        if noted.is_ok() && !own.present.iter().any(|known| Arc::ptr_eq(known, &topic)) {
            // One that was lost may have left its topic behind, which is another one now.
            own.present.retain(|known| **known.name() != *name);
            own.present.push(Arc::clone(&topic));
        }
        drop(subscriptions);
        match noted {
            Ok(noted) => {
                self.realm.beat_for(&topic, noted);
                Ok(())
            }
            Err(error) => {
                self.realm.remove_if_vacant(&topic);
                Err(error)
            }
        }
    }

    fn untrack(&self, name: &str, holds: &Holds) {
        let topic = {
            let mut subscriptions = self.subscriptions.lock();
            let Subscriptions::Open(own) = &mut *subscriptions else {
                return;
            };
            let Some(index) = own.present.iter().position(|topic| **topic.name() == *name) else {
                return;
            };
            let topic = own.present.swap_remove(index);
            if own.present.is_empty() {
                own.present = Vec::new();
            }
            topic
        };
        self.absent_from(&topic, holds);
    }

    /// Ends a presence that is not in the session's list any more.
    pub(crate) fn absent_from(&self, topic: &Arc<Topic>, holds: &Holds) {
        let noted = topic.lock().and_then(|mut state| {
            holds.mark(topic);
            state.presence.as_mut()?.untrack(self.id(), holds)
        });
        if let Some(noted) = noted {
            self.realm.beat_for(topic, noted);
        }
    }
}
