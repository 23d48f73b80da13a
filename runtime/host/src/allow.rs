//! What a manifest grants, as questions with a yes or a no.

/// The topics that a guest may name.
///
/// An empty list grants all topics of the namespace. A pattern is a name, or a prefix that ends in `*`.
#[derive(Clone, Debug, Default)]
pub struct TopicGrants {
    patterns: Box<[Box<str>]>,
}

impl TopicGrants {
    /// The grants that these patterns give.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        TopicGrants {
            patterns: patterns.into_iter().map(Box::from).collect(),
        }
    }

    /// Whether the topic may be named.
    pub fn allows(&self, topic: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| covers(pattern, topic))
    }
}

fn covers(pattern: &str, topic: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => topic.starts_with(prefix),
        None => pattern == topic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_allowed_by_its_name_or_by_a_prefix() {
        let check = |patterns: &[&str], topic: &str, expected: bool| {
            let grants = TopicGrants::new(patterns.iter().copied());
            assert_eq!(grants.allows(topic), expected, "{patterns:?} {topic}");
        };
        check(&[], "anything", true);
        check(&["news"], "news", true);
        check(&["news"], "newsletter", false);
        check(&["room:*"], "room:general", true);
        check(&["room:*"], "broom:general", false);
        check(&["*"], "", true);
    }
}
