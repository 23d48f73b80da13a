//! The table of cases (`tests/fixtures/proxy`), asked of the rules alone.
//!
//! **Absent on purpose:** what a server does for every rule alike, such as leaving out what belongs to a connection. The
//! server's own tests send the same cases over sockets.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue};
use rookery_proxy_rules::{RuleSet, parse};
use serde_json::Value;

const CASES: &str = include_str!("../../tests/fixtures/proxy/cases.json");
const PLACES: [(&str, &str); 4] = [
    ("{a}", "a.test:4001"),
    ("{b}", "b.test:4002"),
    ("{tls}", "tls.test:4003"),
    ("{client}", "client.test"),
];

fn sets() -> Vec<Value> {
    let mut text = CASES.to_owned();
    for (placeholder, place) in PLACES {
        text = text.replace(placeholder, place);
    }
    let cases: Value = serde_json::from_str(&text).unwrap();
    cases["sets"].as_array().unwrap().clone()
}

fn compiled(set: &Value) -> RuleSet {
    let specs = parse(&set["proxy"]).unwrap();
    let variables = set["env"].as_object();
    let granted: Vec<String> = variables
        .into_iter()
        .flat_map(|variables| variables.keys().cloned())
        .collect();
    let environment = |name: &str| set["env"][name].as_str().map(str::to_owned);
    RuleSet::compile(&specs, &granted, &environment).unwrap()
}

fn client_headers(request: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("client.test"));
    for pair in request["headers"].as_array().into_iter().flatten() {
        let name: HeaderName = pair[0].as_str().unwrap().parse().unwrap();
        headers.append(name, pair[1].as_str().unwrap().parse().unwrap());
    }
    headers
}

#[test]
fn every_case_asks_the_upstream_as_it_says() {
    for set in sets() {
        let rules = compiled(&set);
        for case in set["cases"].as_array().unwrap() {
            let name = format!("{}: {}", set["name"], case["name"]);
            check(&rules, case, &name);
        }
    }
}

fn check(rules: &RuleSet, case: &Value, name: &str) {
    let request = &case["request"];
    let matched = rules.find(request["path"].as_str().unwrap()).matched;
    let expected = &case["upstream"];
    let Some(matched) = matched else {
        assert!(expected.is_null(), "{name}: no rule");
        return;
    };
    let rule = matched.rule();
    assert_eq!(
        Some(rule.index() as u64),
        expected["rule"].as_u64(),
        "{name}"
    );
    let uri = matched.uri(request["query"].as_str()).unwrap();
    let (origin, path) = (&expected["origin"], &expected["path"]);
    let url = format!("{}{}", origin.as_str().unwrap(), path.as_str().unwrap());
    assert_eq!(uri.to_string(), url, "{name}");

    let mut headers = client_headers(request);
    rule.set_headers(&mut headers);
    for (header, value) in expected["headers"].as_object().unwrap() {
        let sent: Vec<_> = headers.get_all(header).iter().collect();
        match value.as_str() {
            Some(value) => assert_eq!(sent, [value], "{name}: {header}"),
            // What the server leaves out for every rule is not the rules' to leave out.
            None if request.to_string().contains(header) => {}
            None => assert!(sent.is_empty(), "{name}: {header}"),
        }
    }
}

#[test]
fn the_table_is_well_formed() {
    let mut names = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    for set in sets() {
        for case in set["cases"].as_array().unwrap() {
            assert!(
                names.insert(format!("{} {}", set["name"], case["name"])),
                "{case}"
            );
            assert!(
                case["request"]["path"].as_str().unwrap().starts_with('/'),
                "{case}"
            );
            kinds.insert(case["only"].as_str().map(str::to_owned));
        }
    }
    assert!(names.len() > 40);
    let known = [None, Some("http".to_owned()), Some("ws".to_owned())];
    assert!(kinds.iter().all(|kind| known.contains(kind)), "{kinds:?}");
}
