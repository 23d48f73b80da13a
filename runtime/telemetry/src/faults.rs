//! What guests failed of: one entry for each reason of each version, however often it happens.
//!
//! **Invariant:** at most [`GROUPS_MAX`] entries are kept; the one that was not heard of the longest gives way.

use std::collections::VecDeque;

use serde::Serialize;

use crate::tail::Line;

/// How many different faults are kept.
pub const GROUPS_MAX: usize = 40;
/// The longest reason that is kept, in characters.
const REASON_CHARS_MAX: usize = 600;

/// One way in which one version failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FaultGroup {
    /// The app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it did then, as the log says it.
    pub during: String,
    /// What the host saw.
    pub reason: String,
    /// What the guest said right before, the newest time.
    pub said: Vec<String>,
    /// How often.
    pub count: u64,
    /// The first time, in milliseconds since 1970.
    pub first: u64,
    /// The last time.
    pub last: u64,
}

/// The entries, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(VecDeque<FaultGroup>);

impl Faults {
    /// Counts one.
    pub(crate) fn add(&mut self, line: &Line, reason: String, said: Vec<String>) {
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        let known = self.0.iter().position(|group| {
            group.reason == reason && group.app == line.app && group.version == line.version
        });
        let mut group = match known.and_then(|index| self.0.remove(index)) {
            Some(group) => group,
            None => FaultGroup {
                app: line.app.clone(),
                version: line.version.clone(),
                during: line.message.clone(),
                reason,
                said: Vec::new(),
                count: 0,
                first: line.at,
                last: line.at,
            },
        };
        group.count += 1;
        group.last = line.at;
        if !said.is_empty() {
            group.said = said;
        }
        self.0.push_front(group);
        self.0.truncate(GROUPS_MAX);
    }

    pub(crate) fn list(&self) -> Vec<FaultGroup> {
        self.0.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::Severity;

    fn line(app: &str, at: u64) -> Line {
        Line {
            number: 0,
            at,
            level: Severity::Warn,
            target: "rookery_gateway",
            app: Some(app.to_owned()),
            version: None,
            message: "a request failed".to_owned(),
            fields: String::new(),
        }
    }

    #[test]
    fn the_same_fault_is_counted_and_comes_to_the_front() {
        let mut faults = Faults::default();
        for (app, at, reason) in [
            ("a", 1, "trap"),
            ("b", 2, "trap"),
            ("a", 3, "memory"),
            ("a", 4, "trap"),
        ] {
            faults.add(&line(app, at), reason.to_owned(), vec![at.to_string()]);
        }
        faults.add(&line("a", 5), "trap".to_owned(), Vec::new());
        let list = faults.list();
        let shown: Vec<_> = list
            .iter()
            .map(|group| (group.app.as_deref(), &*group.reason, group.count))
            .collect();
        assert_eq!(
            shown,
            [
                (Some("a"), "trap", 3),
                (Some("a"), "memory", 1),
                (Some("b"), "trap", 1)
            ]
        );
        assert_eq!((list[0].first, list[0].last), (1, 5));
        assert_eq!(
            list[0].said,
            ["4"],
            "a fault in silence keeps what was said before"
        );
    }

    #[test]
    fn the_oldest_gives_way() {
        let mut faults = Faults::default();
        for number in 0..=GROUPS_MAX as u64 {
            faults.add(&line("a", number), number.to_string(), Vec::new());
        }
        let list = faults.list();
        assert_eq!(list.len(), GROUPS_MAX);
        assert!(list.iter().all(|group| group.reason != "0"));
    }
}
