//! What counts as a pattern.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(source: &str, expected: Result<(), PatternError>) {
    assert_eq!(Pattern::parse(source).map(drop), expected, "{source}");
}

#[test]
fn what_javascript_reads_is_read() {
    for source in [
        r"^/api/v(\d+)/(.*)$",
        r"^/(?<name>[a-z]+)/\w*?$",
        r"a{2}b{2,}c{2,3}?",
        r"(?i:x)y(?-i:z)(?s-im:.)",
        r"[)(\]]",
        r"[\w-z][-a][a-][]]?[^]",
        r"é+💩?",
        r"^\/api\/",
        r"(?=a)*",
        r"a{",
        r"a{,3}}]",
        r"\u{61}\x\c\08\9",
        r"\k",
        r"(?<x>a)\k<x>\1\2",
    ] {
        check(source, Ok(()));
    }
}

#[test]
fn broken_syntax_is_refused_where_it_breaks() {
    check("", Err(PatternError::Empty));
    check("(a", Err(PatternError::Unclosed { open: '(', at: 0 }));
    check("a[b", Err(PatternError::Unclosed { open: '[', at: 1 }));
    check(r"a[b\]", Err(PatternError::Unclosed { open: '[', at: 1 }));
    check("a)", Err(PatternError::Unopened { at: 1 }));
    check("*", Err(PatternError::NothingToRepeat { at: 0 }));
    check("a|+", Err(PatternError::NothingToRepeat { at: 2 }));
    check("a**", Err(PatternError::NothingToRepeat { at: 2 }));
    check("(?<=a)*", Err(PatternError::NothingToRepeat { at: 6 }));
    check("{1}", Err(PatternError::NothingToRepeat { at: 0 }));
    check(r"a\", Err(PatternError::TrailingBackslash));
    check("(?P<x>a)", Err(PatternError::UnknownGroup { at: 0 }));
    check("(?-:a)", Err(PatternError::UnknownGroup { at: 0 }));
    check("(?ii:a)", Err(PatternError::UnknownGroup { at: 0 }));
    check("(?i--:a)", Err(PatternError::UnknownGroup { at: 0 }));
    check("(?<x>a)|(?<x>b)", Err(PatternError::SameName { at: 8 }));
    check(r"(?<x>a)\k", Err(PatternError::UnknownName { at: 8 }));
    check(r"(?<x>a)\k<y>", Err(PatternError::UnknownName { at: 8 }));
    check("a{3,2}", Err(PatternError::OutOfOrder { at: 1 }));
    check("[z-a]", Err(PatternError::OutOfOrder { at: 1 }));
    check("(?<>a)", Err(PatternError::UnknownGroup { at: 0 }));
    check("(?<1>a)", Err(PatternError::UnknownGroup { at: 0 }));
    check("(?i)a", Err(PatternError::UnknownGroup { at: 0 }));
    check("x(?", Err(PatternError::UnknownGroup { at: 1 }));
}

#[test]
fn size_is_bounded_before_anything_is_compiled() {
    check(&"a".repeat(PATTERN_BYTES_MAX), Ok(()));
    check(
        &"a".repeat(PATTERN_BYTES_MAX + 1),
        Err(PatternError::TooLong),
    );
    check(r"((\w{99}){99}){99}", Err(PatternError::TooLarge));
    check("a{99999999999999999999}", Err(PatternError::TooLarge));
    let nested = |depth: usize| format!("{}{}", "(".repeat(depth), ")".repeat(depth));
    check(&nested(tree::NEST_MAX), Ok(()));
    check(
        &nested(tree::NEST_MAX + 1),
        Err(PatternError::TooDeep { at: tree::NEST_MAX }),
    );
}

proptest! {
    #[test]
    fn no_text_panics_the_parser(source in any::<String>()) {
        let _ = Pattern::parse(&source);
    }

    #[test]
    fn no_mix_of_metacharacters_panics_the_parser(source in r"[a1(){}\[\]\\|?*+^$<>=!:,kcxu0-]{0,40}") {
        let _ = Pattern::parse(&source);
    }

    #[test]
    fn what_a_linear_engine_takes_from_the_common_subset_is_taken(source in r"[a-c1/.()|?*+^$]{1,12}") {
        // Nothing in this alphabet means more to JavaScript than to the regex crate, so it may refuse only
        // what both refuse, and quantifiers that Rust stacks or puts on an anchor.
        if Pattern::parse(&source).is_err() {
            let stacked = ["**", "*+", "+*", "++", "?*", "?+", "^*", "^+", "^?", "$*", "$+", "$?", "??"];
            prop_assert!(
                regex::Regex::new(&source).is_err() || stacked.iter().any(|pair| source.contains(pair)),
                "{source} was refused"
            );
        }
    }
}
