//! The version of a bundle, as folders, manifests and `package.json` write it.

use semver::Version;

/// As long as node-semver reads.
const VERSION_BYTES_MAX: usize = 256;

/// Takes an exact version: `1.2.3`, `v1.2.3`, `2.0.0-rc.1`, `1.0.0+b1`. None for anything else, such as `1.0` or `latest`.
pub fn parse_version(text: &str) -> Option<Version> {
    if text.len() > VERSION_BYTES_MAX {
        return None;
    }
    Version::parse(text.strip_prefix('v').unwrap_or(text)).ok()
}

pub(crate) fn from_manifest(text: &str) -> Result<Version, String> {
    parse_version(text)
        .ok_or_else(|| "must be a whole version, such as 1.2.0 or 2.0.0-rc.1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            parse_version(text)
                .map(|version| version.to_string())
                .as_deref(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn only_whole_versions_are_versions() {
        check("1.2.3", Some("1.2.3"));
        check("v1.2.3", Some("1.2.3"));
        check("2.0.0-rc.1", Some("2.0.0-rc.1"));
        check("1.0.0+b1", Some("1.0.0+b1"));
        for text in [
            "", "1", "1.0", "1.0.0.0", "latest", "vv1.0.0", "01.0.0", "1.0.0 ", "V1.0.0",
        ] {
            check(text, None);
        }
        check(&format!("1.0.0-{}", "a".repeat(256)), None);
    }
}
