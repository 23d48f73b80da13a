//! What counts as a pattern, and which engine each needs.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(source: &str, expected: Result<Engine, PatternError>) {
    assert_eq!(
        Pattern::parse(source).map(|pattern| pattern.engine()),
        expected,
        "{source}"
    );
}

#[test]
fn the_seeds_patterns_run_in_linear_time() {
    for source in [
        r"^/api/v(\d+)/(.*)$",
        r"^/api/(.*)$",
        r"^/_api/login$",
        r"^/(?<name>[a-z]+)/\w*?$",
        r"(?:a|b)+",
        r"a{2}b{2,}c{2,3}?",
        r"(?i:x)y",
        r"[)(\]]",
        r"é+",
        r"^\/api\/",
    ] {
        check(source, Ok(Engine::Linear));
    }
}

#[test]
fn backtracking_syntax_is_taken_and_marked() {
    for source in [
        r"^/(?!admin)(.*)$",
        r"(?=a)b",
        r"(?<=a)b",
        r"(?<!a)b",
        r"(a)\1",
        r"(?<x>a)\k<x>",
        r"(?=a)*",
        r"[^]",
        r"a{",
        r"a{,3}",
    ] {
        check(source, Ok(Engine::Bounded));
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
    check("(?<>a)", Err(PatternError::UnknownGroup { at: 0 }));
    check("(?<1>a)", Err(PatternError::UnknownGroup { at: 0 }));
    check("(?i)a", Err(PatternError::UnknownGroup { at: 0 }));
    check("x(?", Err(PatternError::UnknownGroup { at: 1 }));
}

#[test]
fn size_is_bounded_before_anything_is_compiled() {
    check(&"a".repeat(PATTERN_BYTES_MAX), Ok(Engine::Linear));
    check(
        &"a".repeat(PATTERN_BYTES_MAX + 1),
        Err(PatternError::TooLong),
    );
    check(r"((\w{99}){99}){99}", Err(PatternError::TooLarge));
    check(
        &"(".repeat(PATTERN_BYTES_MAX),
        Err(PatternError::Unclosed {
            open: '(',
            at: PATTERN_BYTES_MAX - 1,
        }),
    );
}

proptest! {
    #[test]
    fn no_text_panics_the_scanner(source in any::<String>()) {
        let _ = Pattern::parse(&source);
    }

    #[test]
    fn no_mix_of_metacharacters_panics_the_scanner(source in r"[a1(){}\[\]\\|?*+^$<>=!:,k-]{0,40}") {
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
