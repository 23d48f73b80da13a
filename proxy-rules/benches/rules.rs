//! Which of 1,000 rules a path is for. The target is 5 µs, rewrite and URL included.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rookery_proxy_rules::{RuleSet, parse};
use serde_json::{Map, Value, json};

const RULES: usize = 1000;

fn compiled(pattern: impl Fn(usize) -> String, rewrite: &str) -> RuleSet {
    let rules: Map<String, Value> = (0..RULES)
        .map(|i| {
            let target = format!("http://backend-{i}:3000/base");
            (pattern(i), json!({"target": target, "rewrite": rewrite}))
        })
        .collect();
    let specs = parse(&Value::Object(rules)).expect("the rules are well formed");
    RuleSet::compile(&specs, &[], &|_| None).expect("the rules compile")
}

/// Asks for a path of every tenth rule in turn, so that no one path stays in the first cache; then for one of none.
fn shape(c: &mut Criterion, name: &str, rules: &RuleSet, path: impl Fn(usize) -> String) {
    let paths: Vec<String> = (0..RULES).step_by(10).map(path).collect();
    for path in &paths {
        assert!(rules.find(path).matched.is_some(), "{path}");
    }
    let mut next = 0;
    c.bench_function(&format!("{name}, match"), |b| {
        b.iter(|| {
            next = (next + 1) % paths.len();
            let lookup = rules.find(black_box(&paths[next]));
            lookup.matched.map(|matched| matched.uri(Some("q=1")))
        });
    });
    c.bench_function(&format!("{name}, no match"), |b| {
        b.iter(|| {
            rules
                .find(black_box("/assets/app/main.4f2a91.js"))
                .matched
                .is_none()
        });
    });
}

fn benches(c: &mut Criterion) {
    let prefixes = compiled(
        |i| format!(r"^/api/service-{i}/v(\d+)/(.*)$"),
        "/version/$1/$2",
    );
    shape(c, "prefixes", &prefixes, |i| {
        format!("/api/service-{i}/v2/users/4711")
    });

    let looks = compiled(|i| format!(r"^/api/service-{i}/(?!admin)(.*)$"), "/$1");
    shape(c, "look-ahead", &looks, |i| {
        format!("/api/service-{i}/users/4711")
    });

    let suffixes = compiled(|i| format!(r"/(\w+)\.x{i}$"), "/$1");
    shape(c, "suffixes", &suffixes, |i| {
        format!("/some/where/else/file.x{i}")
    });

    let inner = compiled(|i| format!(r"/part{i}/.*/end"), "/x");
    shape(c, "inner", &inner, |i| format!("/a/part{i}/b/c/end"));

    compile(c);
}

fn compile(c: &mut Criterion) {
    let mut text = String::from("{");
    for i in 0..RULES {
        let comma = if i == 0 { "" } else { "," };
        write!(
            text,
            r#"{comma}"^/api/service-{i}/v(\\d+)/(.*)$": {{"target": "http://b", "rewrite": "/$1/$2"}}"#
        )
        .expect("a String takes all text");
    }
    text.push('}');
    let rules: Value = serde_json::from_str(&text).expect("the text is JSON");
    c.bench_function("read and compile", |b| {
        b.iter(|| {
            let specs = parse(&rules).expect("the rules are well formed");
            RuleSet::compile(&specs, &[], &|_| None).expect("the rules compile")
        });
    });
}

criterion_group!(rules, benches);
criterion_main!(rules);
