//! Who is present at topics, and the news of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::presence::{Present, Roster};
use crate::session::SessionId;
use crate::topic::TopicError;

/// News of one topic come at most so often.
const EVERY_MS: u64 = 500;
/// As the server's.
const ABOUT_BYTES_MAX: usize = 1024;
/// More changes than this are told as a reset.
const CHANGES_MAX: usize = 256;

#[derive(Default)]
pub(crate) struct Rosters(BTreeMap<String, Topic>);

#[derive(Default)]
struct Topic {
    here: BTreeMap<SessionId, String>,
    version: u64,
    changed: BTreeSet<SessionId>,
    /// When subscribers are told.
    due_ms: Option<u64>,
}

impl Rosters {
    pub(crate) fn track(
        &mut self,
        id: SessionId,
        name: &str,
        about: &str,
        now_ms: u64,
    ) -> Result<(), TopicError> {
        super::topics::check_name(name)?;
        if about.len() > ABOUT_BYTES_MAX {
            return Err(TopicError::TooLarge);
        }
        let topic = self.0.entry(name.to_owned()).or_default();
        let before = topic.here.insert(id, about.to_owned());
        if before.as_deref() != Some(about) {
            topic.note(id, now_ms);
        }
        Ok(())
    }

    pub(crate) fn untrack(&mut self, id: SessionId, name: &str, now_ms: u64) {
        if let Some(topic) = self.0.get_mut(name)
            && topic.here.remove(&id).is_some()
        {
            topic.note(id, now_ms);
        }
    }

    pub(crate) fn forget(&mut self, id: SessionId, now_ms: u64) {
        for topic in self.0.values_mut() {
            if topic.here.remove(&id).is_some() {
                topic.note(id, now_ms);
            }
        }
    }

    pub(crate) fn list(&self, name: &str, after: Option<SessionId>, limit: u32) -> Roster {
        let Some(topic) = self.0.get(name) else {
            return Roster::default();
        };
        let rest = topic
            .here
            .iter()
            .filter(|(id, _)| after.is_none_or(|after| **id > after));
        let present = |(id, about): (&SessionId, &String)| Present {
            session: *id,
            about: about.clone(),
        };
        Roster {
            sessions: rest
                .take(limit.clamp(1, 1_000) as usize)
                .map(present)
                .collect(),
            count: topic.count(),
            version: topic.version,
        }
    }

    /// When the next news are due.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        self.0.values().filter_map(|topic| topic.due_ms).min()
    }

    /// The news that are due by then: topic and text.
    pub(crate) fn take_news(&mut self, until_ms: u64) -> Vec<(String, String)> {
        let due = self
            .0
            .iter_mut()
            .filter(|(_, topic)| topic.due_ms.is_some_and(|due| due <= until_ms));
        due.map(|(name, topic)| (name.clone(), topic.news(name)))
            .collect()
    }
}

impl Topic {
    fn count(&self) -> u32 {
        u32::try_from(self.here.len()).unwrap_or(u32::MAX)
    }

    fn note(&mut self, id: SessionId, now_ms: u64) {
        self.version += 1;
        self.changed.insert(id);
        self.due_ms.get_or_insert(now_ms + EVERY_MS);
    }

    fn news(&mut self, name: &str) -> String {
        self.due_ms = None;
        let changed = std::mem::take(&mut self.changed);
        let mut news = News {
            presence: name,
            version: self.version,
            count: self.count(),
            joined: None,
            left: None,
            reset: None,
        };
        if changed.len() > CHANGES_MAX {
            news.reset = Some(true);
        } else {
            let (joined, left): (Vec<_>, Vec<_>) = changed
                .into_iter()
                .partition(|id| self.here.contains_key(id));
            let joined = joined.into_iter().map(|session| Present {
                session,
                about: self.here[&session].clone(),
            });
            (news.joined, news.left) = (Some(joined.collect()), Some(left));
        }
        serde_json::to_string(&news).expect("numbers and texts are JSON")
    }
}

/// What the host tells the subscribers, key by key in its order.
#[derive(Serialize)]
struct News<'a> {
    presence: &'a str,
    version: u64,
    count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<Vec<Present>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<Vec<SessionId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reset: Option<bool>,
}
