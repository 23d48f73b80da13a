//! Everything that was said since a position, or the news that this is not known any more.
//!
//! Places are given out in one order, and messages are told in another when two isolates speak at once: who was told place 6
//! may not have been told place 5. So recovery also goes over what was stamped shortly before the position.
//!
//! **Invariant:** who was told everything up to a position, went away, entered the room again and then read to the last page
//! has been told everything. Some of it twice; a message is known by its id.

use rookery_sdk::kv::{Change, KvError};

use super::position::{Position, Reading};
use super::{Clock, Log, Said};

/// For how long a message may be stamped and not yet told: no invocation runs longer than the manifests say.
pub(crate) const UNDER_WAY_MS: u64 = 10_000;

/// A page of what was missed, oldest first.
#[derive(Debug, PartialEq)]
pub(crate) struct Recovered {
    pub(crate) messages: Vec<Said>,
    /// Where to go on: with the next page, or when there is none, the next time.
    pub(crate) position: String,
    pub(crate) has_more: bool,
    /// False when something that was said since the position may not be there any more. Then there is no message here.
    pub(crate) complete: bool,
}

impl Log<'_> {
    /// Where somebody goes on who has seen everything up to now.
    pub(crate) fn position(&self) -> Result<String, KvError> {
        Ok(self.begun()?.position(Reading::FromHeard).to_string())
    }

    /// At most so many messages since a position.
    pub(crate) fn recover(&self, since: &str, limit: usize) -> Result<Recovered, KvError> {
        let clock = self.begun()?;
        let oldest = clock.oldest();
        let known = Position::parse(since).filter(|since| {
            since.epoch == clock.epoch && (oldest..=clock.places).contains(&since.offset)
        });
        let start = match known {
            Some(since) if since.reading == Reading::FromPage => Some(since.offset),
            Some(since) => self.first_under_way(since.offset, oldest)?,
            None => None,
        };
        let (Some(since), Some(mut place)) = (known, start) else {
            return Ok(Recovered {
                messages: Vec::new(),
                position: clock.position(Reading::FromHeard).to_string(),
                has_more: false,
                complete: false,
            });
        };
        let mut messages = Vec::new();
        while place < clock.places && messages.len() < limit {
            messages.extend(self.at(place)?);
            place += 1;
        }
        let has_more = place < clock.places;
        let position = Position {
            offset: place,
            reading: if has_more {
                Reading::FromPage
            } else {
                Reading::FromHeard
            },
            ..since
        };
        Ok(Recovered {
            messages,
            position: position.to_string(),
            has_more,
            complete: true,
        })
    }

    /// The first place up to `offset` that may not have been told when what is before `offset` was; None when that may be
    /// one that is not kept any more.
    fn first_under_way(&self, offset: u64, oldest: u64) -> Result<Option<u64>, KvError> {
        let mut first = oldest;
        for place in (oldest..offset).rev() {
            if let Some(told) = self.at(place)? {
                let since_ms = told.timestamp.saturating_sub(UNDER_WAY_MS);
                first = self.first_from(since_ms as f64, oldest, offset)?;
                break;
            }
        }
        Ok((first > oldest || oldest == 0).then_some(first))
    }

    fn begun(&self) -> Result<Clock, KvError> {
        self.bucket
            .change(&self.clock_key(), |old: Option<Clock>| match old {
                Some(clock) if !clock.epoch.is_empty() => Change::Keep(clock),
                other => {
                    let clock = other.unwrap_or_default().begun();
                    Change::Write(clock.clone(), clock)
                }
            })
    }
}

#[cfg(test)]
mod tests;
