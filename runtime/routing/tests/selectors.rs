//! Every row of the product's selector table: from a path to the version that answers.

use rookery_routing::{Address, AddressError, Fallback, Table, TableBuilder};
use semver::Version;

fn version(text: &str) -> Version {
    Version::parse(text).expect("a version")
}

fn builder(versions: &str) -> TableBuilder<()> {
    let mut builder = Table::builder();
    for text in versions.split_whitespace() {
        builder.insert("chat", version(text), ());
    }
    builder
}

/// The version that answers `/chat@selector/`, marked with `!` when it is the fallback; `404` when none does.
fn served(table: &Table<()>, selector: &str, fallback: Fallback) -> String {
    let address = match Address::parse(&format!("/chat{selector}/")) {
        Ok(address) => address,
        Err(AddressError::Selector { .. }) => return "404".into(),
        Err(error) => panic!("{selector}: {error}"),
    };
    match table.resolve(address.app(), address.selector(), fallback) {
        Some(resolved) => format!(
            "{}{}",
            if resolved.exact { "" } else { "!" },
            resolved.version
        ),
        None => "404".into(),
    }
}

#[track_caller]
fn check(table: &Table<()>, fallback: Fallback, rows: &[(&str, &str)]) {
    for (selector, expected) in rows {
        assert_eq!(
            served(table, selector, fallback),
            *expected,
            "/chat{selector} with {fallback:?}"
        );
    }
}

const VERSIONS: &str = "1.0.0 1.2.0 1.2.3 1.10.0 2.0.0-rc.1 2.0.0 2.1.0-rc.1 3.0.0-beta.1";

/// Row 1: none.
#[test]
fn without_a_selector_the_highest_stable_version_answers() {
    check(
        &builder(VERSIONS).build(),
        Fallback::None,
        &[("", "2.0.0"), ("@", "2.0.0")],
    );
}

/// Row 1: "a prerelease only when there is nothing else".
#[test]
fn a_prerelease_answers_when_there_is_nothing_else() {
    let table = builder("1.0.0-beta 1.0.0-alpha 1.0.0-rc.1").build();
    check(&table, Fallback::None, &[("", "1.0.0-rc.1")]);
}

/// Row 1: "or `prefer_prerelease`".
#[test]
fn a_prerelease_answers_when_it_is_preferred() {
    let mut builder = builder(VERSIONS);
    builder.prefer_prerelease("chat");
    let rows = [("", "3.0.0-beta.1"), ("@*", "2.0.0"), ("@1", "1.10.0")];
    check(&builder.build(), Fallback::None, &rows);
}

/// Row 2: `1.2.3`, `v1.2.3`, `2.0.0-rc.1`.
#[test]
fn a_version_selects_itself() {
    let rows = [
        ("@1.2.3", "1.2.3"),
        ("@v1.2.3", "1.2.3"),
        ("@=1.2.3", "1.2.3"),
        ("@2.0.0-rc.1", "2.0.0-rc.1"),
        ("@3.0.0-beta.1", "3.0.0-beta.1"),
    ];
    check(&builder(VERSIONS).build(), Fallback::None, &rows);
}

/// Row 3: `1`, `1.2`, `1.x`, `^1.2`, `~1.2.3`, `>=1 <2`, `*`.
#[test]
fn a_range_selects_the_highest_that_satisfies_it() {
    let rows = [
        ("@1", "1.10.0"),
        ("@1.2", "1.2.3"),
        ("@1.x", "1.10.0"),
        ("@%5E1.2", "1.10.0"),
        ("@^1.2", "1.10.0"),
        ("@~1.2.0", "1.2.3"),
        ("@~1.2.3", "1.2.3"),
        ("@%3E=1%20%3C2", "1.10.0"),
        ("@*", "2.0.0"),
        ("@1.0.0%20-%201.2", "1.2.3"),
        ("@1.2%7C%7C2", "2.0.0"),
        ("@%3C1.2", "1.0.0"),
    ];
    check(&builder(VERSIONS).build(), Fallback::None, &rows);
}

/// Row 3: "prereleases as npm's `includePrerelease` only when the range names one".
#[test]
fn a_range_selects_a_prerelease_only_when_it_names_one() {
    let rows = [
        ("@3", "404"),
        ("@%3E2.0.0", "404"),
        ("@%3E2.0.0-0", "3.0.0-beta.1"),
        ("@^2.0.0-rc.1", "2.1.0-rc.1"),
        ("@%3E=2.1.0-0", "3.0.0-beta.1"),
    ];
    check(&builder(VERSIONS).build(), Fallback::None, &rows);
}

/// Row 4: a tag. An unknown one is 404 whatever the fallback.
#[test]
fn a_tag_selects_what_it_points_to() {
    let mut builder = builder(VERSIONS);
    builder
        .tag("chat", "latest", version("1.2.3"))
        .tag("chat", "canary", version("3.0.0-beta.1"));
    let rows = [
        ("@latest", "1.2.3"),
        ("@canary", "3.0.0-beta.1"),
        ("@Latest", "404"),
        ("@nightly", "404"),
    ];
    check(&builder.build(), Fallback::Highest, &rows);
    check(
        &builder_without_tags(),
        Fallback::Highest,
        &[("@latest", "404")],
    );
}

fn builder_without_tags() -> Table<()> {
    builder(VERSIONS).build()
}

/// "No match": the default falls back for an exact or a range selector and says so; `none` is 404.
#[test]
fn without_a_match_the_highest_answers_if_the_operator_lets_it() {
    let table = builder(VERSIONS).build();
    for selector in ["@9.9.9", "@9", "@^9.1", "@1.2.4", "@3"] {
        check(&table, Fallback::Highest, &[(selector, "!2.0.0")]);
        check(&table, Fallback::None, &[(selector, "404")]);
    }
    let only_prereleases = builder("1.0.0-alpha 1.0.0-beta").build();
    check(
        &only_prereleases,
        Fallback::Highest,
        &[("@1", "!1.0.0-beta"), ("@2.0.0", "!1.0.0-beta")],
    );
}

/// "An unknown app or an unparsable selector is always 404."
#[test]
fn an_unparsable_selector_and_an_unknown_app_never_fall_back() {
    let table = builder(VERSIONS).build();
    for selector in ["@1.0.0.0", "@1@2", "@%00", "@%C3%A9", "@1..2", "@-"] {
        check(&table, Fallback::Highest, &[(selector, "404")]);
    }
    for path in ["/unknown/", "/unknown@1/", "/Chat/"] {
        let address = Address::parse(path).expect("an address");
        assert!(
            table
                .resolve(address.app(), address.selector(), Fallback::Highest)
                .is_none(),
            "{path}"
        );
    }
}

/// Build metadata decides last, and only where it is asked for.
#[test]
fn builds_of_one_version_are_told_apart() {
    let table = builder("1.0.0 1.0.0+b1 1.0.0+b2").build();
    let rows = [
        ("", "1.0.0+b2"),
        ("@1", "1.0.0+b2"),
        ("@1.0.0", "1.0.0"),
        ("@1.0.0+b1", "1.0.0+b1"),
        ("@1.0.0+b9", "1.0.0+b2"),
    ];
    check(&table, Fallback::None, &rows);
    check(
        &builder("1.0.0+b1").build(),
        Fallback::None,
        &[("@1.0.0", "1.0.0+b1")],
    );
}
