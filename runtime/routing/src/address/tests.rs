//! Rows of the path grammar.

use proptest::prelude::*;

use super::*;
use crate::SelectorError;

#[test]
fn a_path_is_an_app_a_selector_and_a_tail() {
    // path, app, selector, key, prefix, tail
    let rows = [
        ("/hello", "hello", "", "hello", "/hello", "/"),
        ("/hello/", "hello", "", "hello", "/hello", "/"),
        ("/hello/a/b", "hello", "", "hello", "/hello", "/a/b"),
        ("/hello//x", "hello", "", "hello", "/hello", "//x"),
        ("/hello@/x", "hello", "", "hello@", "/hello@", "/x"),
        ("/hello@1/x", "hello", "1", "hello@1", "/hello@1", "/x"),
        ("/hello%401/x", "hello", "1", "hello@1", "/hello%401", "/x"),
        (
            "/hello@%5E1.0.0/deep",
            "hello",
            "^1.0.0",
            "hello@^1.0.0",
            "/hello@%5E1.0.0",
            "/deep",
        ),
        (
            "/hello@%3E=1%20%3C2/",
            "hello",
            ">=1 <2",
            "hello@>=1 <2",
            "/hello@%3E=1%20%3C2",
            "/",
        ),
        ("/h%65llo/x", "hello", "", "hello", "/h%65llo", "/x"),
        (
            "/hello@1.0.0+b1",
            "hello",
            "1.0.0+b1",
            "hello@1.0.0+b1",
            "/hello@1.0.0+b1",
            "/",
        ),
        (
            "/Hello.App_2-x@latest",
            "Hello.App_2-x",
            "latest",
            "Hello.App_2-x@latest",
            "/Hello.App_2-x@latest",
            "/",
        ),
        (
            "/@acme/chat",
            "@acme/chat",
            "",
            "@acme/chat",
            "/@acme/chat",
            "/",
        ),
        (
            "/@acme/chat@1/ws",
            "@acme/chat",
            "1",
            "@acme/chat@1",
            "/@acme/chat@1",
            "/ws",
        ),
        (
            "/%40acme/ch%61t%40~1/",
            "@acme/chat",
            "~1",
            "@acme/chat@~1",
            "/%40acme/ch%61t%40~1",
            "/",
        ),
        // The tail is the app's own: encoded, strange or with the app's name in it, it stays as it is.
        (
            "/hello/%2e%2e%2fx%00%ff/@1",
            "hello",
            "",
            "hello",
            "/hello",
            "/%2e%2e%2fx%00%ff/@1",
        ),
        (
            "/hello@2/xhello@2y",
            "hello",
            "2",
            "hello@2",
            "/hello@2",
            "/xhello@2y",
        ),
    ];
    for (path, app, selector, key, prefix, tail) in rows {
        let address = Address::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let read = (
            address.app(),
            address.selector_text(),
            address.key(),
            address.prefix(),
            address.tail(),
        );
        assert_eq!(read, (app, selector, key, prefix, tail), "{path}");
        assert_eq!(
            Ok(address.selector()),
            Selector::parse(selector).as_ref(),
            "{path}"
        );
    }
}

#[test]
fn a_path_without_a_first_segment_names_no_app() {
    for path in [
        "",
        "/",
        "//",
        "//hello",
        "//evil.com/x",
        "*",
        "hello",
        "@acme/chat",
    ] {
        assert_eq!(Address::parse(path), Err(AddressError::Root), "{path:?}");
    }
}

#[test]
fn what_could_be_taken_for_a_path_is_no_name() {
    // path, the key that the client is told
    let rows = [
        ("/.", "."),
        ("/..", ".."),
        ("/../x", ".."),
        ("/%2e%2e/x", ".."),
        ("/a..b/x", "a..b"),
        ("/..%2fapps%2fhello/", "../apps/hello"),
        ("/a%2fb", "a/b"),
        ("/a%5Cb", "a\\b"),
        ("/a%00", "a\0"),
        ("/.env", ".env"),
        ("/_", "_"),
        ("/_/nope", "_"),
        ("/-a", "-a"),
        ("/a%20b", "a b"),
        ("/a%zz", "a%zz"),
        ("/a%", "a%"),
        ("/h%C3%A9", "hé"),
        ("/@", "@"),
        ("/@acme", "@acme"),
        ("/@acme/", "@acme/"),
        ("/@acme//x", "@acme/"),
        ("/@/chat", "@/chat"),
        ("/@1.0.0", "@1.0.0"),
        ("/@acme@1/chat", "@acme@1/chat"),
        ("/@acme/../x", "@acme/.."),
        ("/@../chat", "@../chat"),
        ("/@acme%2Fchat/x", "@acme/chat/x"),
        ("/@acme/a%2Fb", "@acme/a/b"),
    ];
    for (path, key) in rows {
        assert_eq!(
            Address::parse(path),
            Err(AddressError::Name { key: key.into() }),
            "{path}"
        );
    }
}

#[test]
fn a_name_has_a_bound() {
    let longest = "a".repeat(128);
    assert_eq!(
        Address::parse(&format!("/{longest}/x")).map(|address| address.app().len()),
        Ok(128)
    );
    assert!(matches!(
        Address::parse(&format!("/{longest}a/x")),
        Err(AddressError::Name { .. })
    ));
    assert!(matches!(
        Address::parse(&format!("/@a/{longest}/x")),
        Err(AddressError::Name { .. })
    ));
}

#[test]
fn a_key_that_is_not_utf8_is_told_as_it_came() {
    let error = Address::parse("/a%ff@1/x").expect_err("not UTF-8");
    assert_eq!(
        error,
        AddressError::Encoding {
            key: "a%ff@1".into()
        }
    );
    assert_eq!(error.key(), "a%ff@1");
}

#[test]
fn an_unparsable_selector_is_told_with_its_app() {
    for (path, key) in [
        ("/hello@1.0.0.0/x", "hello@1.0.0.0"),
        ("/hello@1@2/z", "hello@1@2"),
        ("/a@%00", "a@\0"),
    ] {
        let expected = AddressError::Selector {
            key: key.into(),
            reason: SelectorError::Unknown,
        };
        assert_eq!(Address::parse(path), Err(expected), "{path}");
    }
}

proptest! {
    #[test]
    fn no_path_panics_and_an_address_is_made_of_its_path(
        path in prop_oneof![any::<String>(), "/[-a-z0-9@%/.^~ ]{0,24}", "(/(@|%40|%2f|%00|%ff|a|1|[.]){0,5}){1,4}"],
    ) {
        let Ok(address) = Address::parse(&path) else { return Ok(()) };
        let tail = if address.prefix().len() == path.len() { "" } else { address.tail() };
        prop_assert_eq!(format!("{}{}", address.prefix(), tail), path);
        prop_assert!(address.tail().starts_with('/'));
        prop_assert!(address.key().starts_with(address.app()));
        prop_assert!(!address.app().contains(".."));
        prop_assert_eq!(address.app().contains('/'), address.app().starts_with('@'));
    }

    #[test]
    fn a_written_address_is_read_back(app in "(@[a-z0-9]{1,8}/)?[a-zA-Z0-9][a-zA-Z0-9_-]{0,8}", tail in "(/[a-z%@/]{0,9})?") {
        let address = Address::parse(&format!("/{app}@~1.2{tail}")).expect("a written address");
        prop_assert_eq!(address.app(), app);
        prop_assert_eq!(address.selector_text(), "~1.2");
        prop_assert_eq!(address.tail(), if tail.is_empty() { "/" } else { tail.as_str() });
    }
}
