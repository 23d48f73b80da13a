//! The permissions that a manifest asks for.
//!
//! **Invariant:** a pattern that exists can be compared without a further check; nothing is granted that is not listed,
//! but for the app's own topics and jobs.
//! **Absent on purpose:** what the operator allows, and the enforcement: that is the host's, for every kind of worker.

use std::net::Ipv6Addr;

use serde_json::{Value, json};

use crate::error::Fault;
use crate::fields;
use crate::object::Object;
use crate::shape::{List, Shape, Shown, Text, expected};

/// The longest topic that can be named, in bytes; the guest contract's bound.
const TOPIC_BYTES_MAX: usize = 256;

/// What the app asks to be allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grants {
    /// Servers that it may send requests to.
    pub hosts: Vec<HostPattern>,
    /// Environment variables that it may read.
    pub env: Vec<String>,
    /// Topics that it may use.
    pub topics: TopicGrant,
    /// Whether its jobs run.
    pub jobs: bool,
}

impl Grants {
    pub(crate) fn read(grants: &mut Object) -> Self {
        Self {
            hosts: grants.get(&fields::GRANTS_HOSTS).unwrap_or_default(),
            env: grants.get(&fields::GRANTS_ENV).unwrap_or_default(),
            topics: grants.get_or(&fields::GRANTS_TOPICS),
            jobs: grants.get_or(&fields::GRANTS_JOBS),
        }
    }

    /// Whether a request to this host and port is asked for. The host is without brackets.
    pub fn allows_host(&self, host: &str, port: u16) -> bool {
        self.hosts.iter().any(|pattern| pattern.matches(host, port))
    }

    /// Whether this topic is asked for.
    pub fn allows_topic(&self, topic: &str) -> bool {
        self.topics.has(topic)
    }
}

/// Some of the topics of an app's namespace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TopicGrant {
    /// Every one.
    All,
    /// Those that a pattern matches; an empty list is none.
    Some(Vec<TopicPattern>),
}

impl TopicGrant {
    /// None of them.
    pub(crate) const NONE: TopicGrant = TopicGrant::Some(Vec::new());

    /// Whether this topic is among them.
    pub fn has(&self, topic: &str) -> bool {
        match self {
            TopicGrant::All => true,
            TopicGrant::Some(patterns) => patterns.iter().any(|pattern| pattern.matches(topic)),
        }
    }
}

/// `host`, `host:port`, `*.host` or `*`; compared without regard to case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostPattern {
    host: HostMatch,
    port: Option<u16>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum HostMatch {
    Any,
    Exact(String),
    /// With its dot in front, so that `*.b.c` never matches `ab.c`.
    Below(String),
}

impl HostPattern {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "must be a host, host:port, *.host or *, without a scheme or a path";
        let lower = text.to_ascii_lowercase();
        let (host, port) = match lower.rsplit_once(':') {
            Some((host, port)) if !lower.ends_with(']') => (
                host,
                Some(port.parse().ok().filter(|port| *port > 0).ok_or(EXPECTED)?),
            ),
            _ => (lower.as_str(), None),
        };
        let host = match (host, host.strip_prefix("*.")) {
            ("*", _) => HostMatch::Any,
            (_, Some(below)) if is_host_name(below) => HostMatch::Below(format!(".{below}")),
            _ => HostMatch::Exact(exact_host(host).ok_or(EXPECTED)?),
        };
        Ok(Self { host, port })
    }

    /// Whether this host, without brackets, and port are meant.
    pub fn matches(&self, host: &str, port: u16) -> bool {
        let host = host.to_ascii_lowercase();
        let is_host = match &self.host {
            HostMatch::Any => true,
            HostMatch::Exact(exact) => *exact == host,
            HostMatch::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        };
        is_host && self.port.is_none_or(|only| only == port)
    }
}

/// A host name or an address; an IPv6 address loses its brackets.
fn exact_host(host: &str) -> Option<String> {
    match host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(inner) => inner
            .parse::<Ipv6Addr>()
            .ok()
            .map(|address| address.to_string()),
        None => is_host_name(host).then(|| host.to_owned()),
    }
}

fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// A topic's name, or the start of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicPattern(String);

impl TopicPattern {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let stars = text.matches('*').count();
        let valid = (1..=TOPIC_BYTES_MAX).contains(&text.len())
            && !text.contains(char::is_control)
            && (stars == 0 || stars == 1 && text.ends_with('*'));
        valid.then(|| Self(text.to_owned())).ok_or_else(|| {
            format!("must be 1 to {TOPIC_BYTES_MAX} bytes without control characters, with a \"*\" only at its end")
        })
    }

    /// Whether this topic is meant.
    pub fn matches(&self, topic: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) => topic.starts_with(start),
            None => topic == self.0,
        }
    }
}

/// `true`, `false` or a list of topic patterns.
pub(crate) struct Topics {
    pub(crate) items_max: usize,
}

impl Topics {
    fn list(&self) -> List<Text<TopicPattern>> {
        List {
            item: Text(TopicPattern::parse),
            items_max: self.items_max,
        }
    }
}

impl Shape for Topics {
    type Value = TopicGrant;

    fn read(&self, json: &Value) -> Result<TopicGrant, Vec<Fault>> {
        match json {
            Value::Bool(true) => Ok(TopicGrant::All),
            Value::Bool(false) => Ok(TopicGrant::Some(Vec::new())),
            Value::Array(_) => self.list().read(json).map(TopicGrant::Some),
            _ => Err(expected("true, false or a list of topics", json)),
        }
    }

    fn schema(&self) -> Value {
        json!({"anyOf": [{"type": "boolean"}, self.list().schema()]})
    }
}

impl Shown for Topics {
    fn show(&self, value: &TopicGrant) -> Value {
        match value {
            TopicGrant::All => true.into(),
            TopicGrant::Some(patterns) => {
                patterns.iter().map(|pattern| pattern.0.as_str()).collect()
            }
        }
    }
}

pub(crate) fn variable(text: &str) -> Result<String, String> {
    let valid = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    valid
        .then(|| text.to_owned())
        .ok_or_else(|| "must be a letter or \"_\", then letters, digits and \"_\"".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn check(pattern: &str, host: &str, port: u16, expected: bool) {
        let parsed = HostPattern::parse(pattern).unwrap();
        assert_eq!(
            parsed.matches(host, port),
            expected,
            "{pattern} against {host}:{port}"
        );
    }

    #[test]
    fn a_host_pattern_matches_what_it_names_and_nothing_else() {
        check("api.example.com", "api.example.com", 443, true);
        check("API.example.com", "api.EXAMPLE.com", 443, true);
        check("api.example.com", "api.example.com.evil.net", 443, false);
        check("api.example.com:8443", "api.example.com", 443, false);
        check("api.example.com:8443", "api.example.com", 8443, true);
        check("*.example.com", "a.b.example.com", 80, true);
        check("*.example.com", "example.com", 80, false);
        check("*.example.com", "badexample.com", 80, false);
        check("*", "anything", 1, true);
        check("*:443", "anything", 80, false);
        check("127.0.0.1:3000", "127.0.0.1", 3000, true);
        check("[0:0::1]:3000", "::1", 3000, true);
        check("[::1]", "::1", 80, true);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "", "http://a", "a/b", "a b", "a:", "a:0", "a:99999", "*.", "*.*.a", "a*", "[::1",
            "::1", "-a", "a..b",
        ] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_star_ends_a_topic() {
        let rooms = TopicPattern::parse("room.*").unwrap();
        assert!(rooms.matches("room.1") && rooms.matches("room."));
        assert!(!rooms.matches("rooms"));
        assert!(TopicPattern::parse("*").unwrap().matches("anything"));
        for text in ["", "a*b", "**", "a\n"] {
            assert!(TopicPattern::parse(text).is_err(), "{text:?}");
        }
    }
}
