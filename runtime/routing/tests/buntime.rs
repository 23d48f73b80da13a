//! The behaviours of Buntime that are kept or corrected on the way from a path to a version, by their numbers.
//!
//! Row 17 and the folders of rows 7 and 18 are the catalog's; the answers of rows 9 and 16 are written by the gateway.

use rookery_routing::{Address, AddressError, Fallback, Table};
use semver::Version;

fn hello(versions: &str) -> Table<()> {
    versions
        .split_whitespace()
        .map(|text| ("hello", Version::parse(text).expect("a version"), ()))
        .collect()
}

/// Version and tail that a path gets with the fallback of the seed's code: none.
fn get(table: &Table<()>, path: &str) -> Option<(String, String)> {
    let address = Address::parse(path).ok()?;
    let resolved = table.resolve(address.app(), address.selector(), Fallback::None)?;
    Some((resolved.version.to_string(), address.tail().into()))
}

#[track_caller]
fn check(versions: &str, path: &str, expected: &str) {
    let served = get(&hello(versions), path).map(|(version, _)| version);
    assert_eq!(served.as_deref(), Some(expected), "{path} of {versions}");
}

#[track_caller]
fn check_tail(path: &str, tail: &str) {
    let seen = get(&hello("1.0.0 1.2.0 2.0.0"), path).map(|(_, tail)| tail);
    assert_eq!(seen.as_deref(), Some(tail), "{path}");
}

#[test]
fn row_1_a_major_selects_its_highest_version() {
    check("1.0.0 1.2.0 2.0.0", "/hello@1", "1.2.0");
}

#[test]
fn row_2_a_version_selects_itself() {
    check("1.0.0 1.2.0 2.0.0", "/hello@1.0.0", "1.0.0");
}

#[test]
fn row_3_ranges_follow_npm() {
    for (selector, expected) in [
        ("1.2", "1.2.0"),
        ("~1.2.0", "1.2.0"),
        ("^1.0.0", "1.2.0"),
        ("%3E%3D1%20%3C2", "1.2.0"),
        ("*", "2.0.0"),
    ] {
        check("1.0.0 1.2.0 2.0.0", &format!("/hello@{selector}"), expected);
    }
}

#[test]
fn row_4_stable_comes_first_and_a_switch_prefers_prereleases() {
    check("1.0.0 2.0.0 3.0.0-beta.1", "/hello", "2.0.0");
    let mut builder = Table::builder();
    for text in ["2.0.0", "3.0.0-beta.1"] {
        builder.insert("hello", Version::parse(text).expect("a version"), ());
    }
    builder.prefer_prerelease("hello");
    assert_eq!(
        get(&builder.build(), "/hello"),
        Some(("3.0.0-beta.1".into(), "/".into()))
    );
}

#[test]
fn row_5_of_prereleases_alone_the_highest_answers() {
    let versions = "1.0.0-alpha 1.0.0-beta 1.0.0-rc.1";
    check(versions, "/hello", "1.0.0-rc.1");
    check(versions, "/hello@1.0.0-alpha", "1.0.0-alpha");
}

#[test]
fn row_6_numbers_are_compared_as_numbers() {
    check("1.2.0 1.10.0", "/hello", "1.10.0");
    check("1.2.0 1.10.0", "/hello@1", "1.10.0");
}

#[test]
fn row_7_a_leading_v_means_nothing() {
    check("1.0.0", "/hello@v1.0.0", "1.0.0");
    check("1.0.0", "/hello@1", "1.0.0");
}

#[test]
fn row_8_without_a_match_nothing_or_the_highest_answers() {
    let (table, address) = (
        hello("1.0.0 2.0.0"),
        Address::parse("/hello@9.9.9").expect("an address"),
    );
    let resolve = |fallback| table.resolve(address.app(), address.selector(), fallback);
    assert!(resolve(Fallback::None).is_none());
    let highest = resolve(Fallback::Highest).expect("the fallback");
    assert_eq!(
        (highest.version.to_string(), highest.exact),
        ("2.0.0".into(), false)
    );
}

#[test]
fn row_9_an_unknown_app_is_told_as_typed() {
    for (path, key) in [
        ("/unknown/x", "unknown"),
        ("/unknown@1/x", "unknown@1"),
        ("/unknown@%5E1/x", "unknown@^1"),
    ] {
        assert_eq!(get(&hello("1.0.0"), path), None);
        assert_eq!(Address::parse(path).expect("an address").key(), key);
    }
}

#[test]
fn row_10_what_is_no_version_is_not_found() {
    for path in ["/hello@abc", "/hello@1.0.0.0"] {
        assert_eq!(get(&hello("1.0.0"), path), None, "{path}");
    }
    assert_eq!(
        Address::parse("/hello@1.0.0.0")
            .expect_err("no selector")
            .key(),
        "hello@1.0.0.0"
    );
}

#[test]
fn row_11_the_app_sees_its_own_path() {
    check_tail("/hello", "/");
    check_tail("/hello/", "/");
    check_tail("/hello/a/b", "/a/b");
}

#[test]
fn row_12_the_apps_name_may_come_again() {
    check_tail("/hello/api/hello/x", "/api/hello/x");
}

#[test]
fn row_13_an_encoded_range_keeps_the_tail() {
    assert_eq!(
        get(&hello("1.0.0 1.2.0 2.0.0"), "/hello@%5E1.0.0/deep"),
        Some(("1.2.0".into(), "/deep".into()))
    );
}

#[test]
fn row_14_no_name_leaves_the_apps_folder() {
    for path in [
        "/../x",
        "/..%2fapps%2fhello/",
        "/%2e%2e/",
        "/a..b/",
        "/hello%2f..%2fx",
        "/hello%00",
        "/%ff",
    ] {
        let error = Address::parse(path).expect_err(path);
        assert!(
            matches!(
                error,
                AddressError::Name { .. } | AddressError::Encoding { .. }
            ),
            "{path}: {error}"
        );
    }
}

#[test]
fn row_15_a_double_slash_stays_a_path() {
    check_tail("/hello//evil.com/x", "//evil.com/x");
}

#[test]
fn row_16_the_root_names_no_app() {
    for path in ["/", "//hello"] {
        assert_eq!(Address::parse(path), Err(AddressError::Root), "{path}");
    }
}

#[test]
fn row_18_a_scoped_app_is_addressable() {
    let table: Table<()> = [("@acme/chat", Version::new(1, 0, 0), ())]
        .into_iter()
        .collect();
    assert_eq!(
        get(&table, "/@acme/chat@1/ws"),
        Some(("1.0.0".into(), "/ws".into()))
    );
}
