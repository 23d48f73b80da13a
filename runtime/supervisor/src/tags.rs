//! Which version each tag leads to. Pure.
//!
//! **Invariant:** a tag that is moved leads to where it led until the version that it is moved to serves, so that nobody
//! meets a gap.
//! **Absent on purpose:** where tags come from. Links on disk are one source, and others may join them.

use std::collections::BTreeMap;

use rookery_bundle::AppName;
use semver::Version;

/// The version of each app's tags.
pub type Tags = BTreeMap<(AppName, Box<str>), Version>;

/// The tags that are served: those that are `wanted`, as far as their versions serve; `before` is what was served.
pub fn served(wanted: &Tags, before: &Tags, serves: impl Fn(&AppName, &Version) -> bool) -> Tags {
    let leads = |key: &(AppName, Box<str>), version: &Version| {
        let now = Some(version).filter(|version| serves(&key.0, version));
        let still = before.get(key).filter(|version| serves(&key.0, version));
        now.or(still).cloned()
    };
    let tags = wanted.iter();
    let served = tags.filter_map(|(key, version)| Some((key.clone(), leads(key, version)?)));
    served.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn tags(rows: &[(&str, &str)]) -> Tags {
        let key = |tag: &str| (AppName::parse("chat").unwrap(), tag.into());
        let rows = rows.iter();
        rows.map(|(tag, version)| (key(tag), Version::parse(version).unwrap()))
            .collect()
    }

    #[track_caller]
    fn check(
        wanted: &[(&str, &str)],
        before: &[(&str, &str)],
        live: &[&str],
        expected: &[(&str, &str)],
    ) {
        let serves = |_: &AppName, version: &Version| live.contains(&&*version.to_string());
        let found = served(&tags(wanted), &tags(before), serves);
        assert_eq!(found, tags(expected));
    }

    #[test]
    fn a_tag_leads_to_its_version_once_that_serves_and_until_then_to_the_one_before() {
        let (one, two) = (("latest", "1.0.0"), ("latest", "2.0.0"));
        check(&[one], &[], &["1.0.0"], &[one]);
        check(&[two], &[one], &["1.0.0"], &[one]);
        check(&[two], &[one], &["1.0.0", "2.0.0"], &[two]);
        check(&[two], &[one], &[], &[]);
        check(&[two], &[], &["1.0.0"], &[]);
        check(&[], &[one], &["1.0.0"], &[]);
    }
}
