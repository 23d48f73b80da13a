//! Which known name somebody may have meant.

/// The known name that is nearest to a misspelt one, when one is near: a third of its letters may differ.
pub(super) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let distance_max = (written.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .filter(|(distance, _)| *distance <= distance_max)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_offered_and_a_far_one_is_not() {
        let known = ["port", "host", "pool_size", "hub.topics_max"];
        for (written, meant) in [
            ("prot", Some("port")),
            ("hots", Some("host")),
            ("poolsize", Some("pool_size")),
            ("hubb.topic_max", Some("hub.topics_max")),
            ("database_url", None),
            ("x", None),
        ] {
            assert_eq!(nearest(written, known), meant, "{written}");
        }
    }
}
