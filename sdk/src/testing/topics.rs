//! Topics in memory, with what they keep for recovery.

use std::collections::{BTreeMap, VecDeque};

use crate::event::Payload;
use crate::session::SessionId;
use crate::topic::{Gap, Kept, Page, Position, PublishOptions, TopicError};

/// How long a publication's key is remembered.
const KEY_MS: u64 = 5 * 60 * 1_000;
/// As the server's.
const KEY_BYTES_MAX: usize = 256;
/// As the server's default.
const NAME_BYTES_MAX: usize = 256;

#[derive(Default)]
pub(crate) struct Topics(BTreeMap<String, Topic>);

#[derive(Default)]
struct Topic {
    epoch: u64,
    offset: u64,
    subscribers: Vec<SessionId>,
    kept: VecDeque<(u64, u64, Payload)>,
    keys: Vec<(String, u64, Position)>,
}

pub(crate) fn check_name(name: &str) -> Result<(), TopicError> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(TopicError::InvalidName);
    }
    Ok(())
}

impl Topics {
    pub(crate) fn subscribe(&mut self, id: SessionId, name: &str) -> Result<Position, TopicError> {
        let topic = self.at(name)?;
        if !topic.subscribers.contains(&id) {
            topic.subscribers.push(id);
        }
        Ok(topic.position())
    }

    pub(crate) fn unsubscribe(&mut self, id: SessionId, name: &str) {
        if let Some(topic) = self.0.get_mut(name) {
            topic.subscribers.retain(|other| *other != id);
        }
    }

    pub(crate) fn forget(&mut self, id: SessionId) {
        for topic in self.0.values_mut() {
            topic.subscribers.retain(|other| *other != id);
        }
    }

    pub(crate) fn members(&self, name: &str) -> Vec<SessionId> {
        let topic = self.0.get(name);
        topic.map_or_else(Vec::new, |topic| topic.subscribers.clone())
    }

    pub(crate) fn subscribers(&self, name: &str) -> usize {
        self.0.get(name).map_or(0, |topic| topic.subscribers.len())
    }

    /// The position, and whom to deliver to.
    pub(crate) fn publish(
        &mut self,
        name: &str,
        payload: &Payload,
        options: &PublishOptions<'_>,
        now_ms: u64,
    ) -> Result<(Position, Vec<SessionId>), TopicError> {
        if options
            .conflate
            .is_some_and(|key| key.len() > KEY_BYTES_MAX)
        {
            return Err(TopicError::TooLarge);
        }
        let topic = self.at(name)?;
        topic.keys.retain(|(_, at, _)| now_ms - at < KEY_MS);
        if let Some((.., position)) = topic
            .keys
            .iter()
            .find(|(key, ..)| options.key == Some(key.as_str()))
        {
            return Ok((*position, Vec::new()));
        }
        topic.offset += 1;
        let position = topic.position();
        if let Some(key) = options.key {
            topic.keys.push((key.to_owned(), now_ms, position));
        }
        match options.keep {
            Some((messages, seconds)) => {
                let oldest_ms = now_ms.saturating_sub(u64::from(seconds) * 1_000);
                topic
                    .kept
                    .push_back((topic.offset, now_ms, payload.clone()));
                topic.kept.retain(|(_, at, _)| *at >= oldest_ms);
                let surplus = topic.kept.len().saturating_sub(messages as usize);
                topic.kept.drain(..surplus);
            }
            // What was kept before can no longer be recovered without a gap.
            None => topic.kept.clear(),
        }
        let mut targets = topic.subscribers.clone();
        targets.retain(|id| options.except != Some(*id));
        Ok((position, targets))
    }

    pub(crate) fn recover(&self, name: &str, since: Position, limit: u32) -> Result<Page, Gap> {
        let topic = self.0.get(name).ok_or(Gap::Epoch)?;
        if topic.epoch != since.epoch || since.offset > topic.offset {
            return Err(Gap::Epoch);
        }
        let first_kept = topic.kept.front().map_or(topic.offset + 1, |kept| kept.0);
        if since.offset + 1 < first_kept {
            return Err(Gap::Dropped);
        }
        let missed = topic.kept.iter().filter(|kept| kept.0 > since.offset);
        let messages: Vec<Kept> = missed
            .take(limit.max(1) as usize)
            .map(|(offset, _, payload)| Kept {
                offset: *offset,
                payload: payload.clone(),
            })
            .collect();
        let offset = messages.last().map_or(since.offset, |last| last.offset);
        Ok(Page {
            messages,
            position: Position {
                epoch: topic.epoch,
                offset,
            },
            more: offset < topic.offset,
        })
    }

    fn at(&mut self, name: &str) -> Result<&mut Topic, TopicError> {
        check_name(name)?;
        let epoch = self.0.len() as u64 + 1;
        Ok(self.0.entry(name.to_owned()).or_insert_with(|| Topic {
            epoch,
            ..Topic::default()
        }))
    }
}

impl Topic {
    fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            offset: self.offset,
        }
    }
}
