//! Patterns that make a backtracking engine run for years, and paths that make them do it.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::engine::Matcher;

/// As long a path as a careful proxy lets through.
const PATH_BYTES: usize = 4096;

/// A pattern, and what its path begins with, repeats, and ends in.
const CATASTROPHES: [(&str, [&str; 3]); 42] = [
    (r"^/(a+)+$", ["/", "a", "!"]),
    (r"^/(a*)*$", ["/", "a", "!"]),
    (r"^/(a|a)*$", ["/", "a", "!"]),
    (r"^/(a|aa)+$", ["/", "a", "!"]),
    (r"^/(a|a?)+$", ["/", "a", "!"]),
    (r"^/(.*a){20}$", ["/", "a", "!"]),
    (r"^/(.*)(.*)(.*)(.*)(.*)(.*)x$", ["/", "a", ""]),
    (r"^/((a+)+)+b$", ["/", "a", ""]),
    (r"^/([a-zA-Z]+)*$", ["/", "aZ", "!"]),
    (r"^/(\w+\s?)+$", ["/", "w", "!"]),
    (r"^/(\d+)+-(\d+)+$", ["/", "1", ""]),
    (r"(x+x+)+y", ["/", "x", ""]),
    (r"(.*)=(.*)=(.*)=(.*)z", ["/", "=", ""]),
    (r"\.(?:.+)+\.(?:.+)+\.js$", ["/", ".", ""]),
    (r"^/(([a-z])+.)+[A-Z]([a-z])+$", ["/", "a", ""]),
    (r"^/(?:[^/]+/?)+\.html$", ["/", "a/", ""]),
    (r"^(/[^/]*)*/edit$", ["", "/a", ""]),
    (r"^/(?:/?[\w.-]+)*/?$", ["/", "a.", "!"]),
    (r"^/(?:(?:\w|-)+\.?)+$", ["/", "a-", "!"]),
    (r"^/(%[0-9a-f]{2}|[^%])*$", ["/", "%41a", "%"]),
    (r"^/((ab)*)*c$", ["/", "ab", ""]),
    (r"^/(a{0,30}){0,30}$", ["/", "a", "!"]),
    (r"^/.*.*.*.*.*.*.*.*z$", ["/", "y", ""]),
    (r"(a?){40}a{40}$", ["/", "a", "!"]),
    (r"^/[ab]*a[ab]{60}c$", ["/", "ab", ""]),
    (r".{0,2000}x", ["/", "y", ""]),
    // Those that need the machine.
    (r"^/(a+)+(?=!)\1$", ["/", "a", "!"]),
    (r"^/(?=(a+)+$)", ["/", "a", "!"]),
    (r"^/(?!(a|aa)+$).*b", ["/", "a", "!b"]),
    (r"^/(.*)(.*)\1\2$", ["/", "a", "!"]),
    (r"(.+)\1+$", ["/", "ab", "!"]),
    (r"^/(\w+)(\w+)(\w+)-\3\2\1$", ["/", "a", "-b"]),
    (r"(?<=(a+)+)b$", ["/", "a", "!"]),
    (r"(?<!(?:a|aa)*)x", ["/", "a", "x"]),
    (r"^/(?:(a)|a)+(?!.)b?$", ["/", "a", "!"]),
    (r"^/(?:(a|b)*?c?)*(?=d)", ["/", "ab", "!"]),
    (r"((a*)*)*\1b", ["/", "a", ""]),
    (r"(?:(?=(a+))\1)*b", ["/", "a", "!"]),
    (r"(?=.*(.+).*\1.*z)", ["/", "ab", ""]),
    (r"(a*?)*?(?=b)", ["/", "a", ""]),
    (r"^(?:(?=(.*))\1?)+$", ["/", "a", "!"]),
    (r"(?:(a?)(?!b)){200}c", ["/", "a", ""]),
];

fn path([start, pump, end]: [&str; 3]) -> String {
    let room = PATH_BYTES - start.len() - end.len();
    format!("{start}{}{end}", pump.repeat(room / pump.len()))
}

fn is_compiled(matcher: &Matcher) -> bool {
    match matcher {
        Matcher::Linear(capture) => capture.is_compiled(),
        Matcher::Decided | Matcher::Bounded(..) => true,
    }
}

#[test]
fn no_pattern_stalls_the_server() {
    let mut gave_up = 0;
    let started = Instant::now();
    for (pattern, parts) in CATASTROPHES {
        let rules = json!([{"pattern": pattern, "target": "http://a", "rewrite": "/$&$1"}]);
        let rules = RuleSet::compile(&crate::parse(&rules).unwrap(), &[], &|_| None).unwrap();
        let path = path(parts);
        let matcher = &rules.rules[0].matcher;
        // Nothing is compiled on the way of a request: what may be needed is there, and nothing else is needed.
        let was_compiled = is_compiled(matcher);
        let outcome = matcher.run(&path, STEPS_MAX);
        assert!(outcome.steps <= STEPS_MAX, "{pattern}");
        gave_up += rules.find(&path).gave_up.len();
        assert_eq!(is_compiled(matcher), was_compiled, "{pattern}");
    }
    assert!(gave_up > 5, "{gave_up} gave up: these patterns are tame");
    // A backtracking engine would not come to the end of the first. Unoptimised, on a busy machine, this is a second.
    assert!(started.elapsed() < Duration::from_secs(30));
}
