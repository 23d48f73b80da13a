//! What is counted, and where a rule leads.

#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn rules() -> Rules {
    let specs = rookery_proxy_rules::parse(&json!([
        { "pattern": "^/a", "target": "http://[::1]:81" },
        { "pattern": "^/b", "target": "https://b", "secure": false },
        { "pattern": "^/c", "target": "wss://c" },
    ]));
    let set = RuleSet::compile(&specs.unwrap(), &[], &|_| None).unwrap();
    Rules::new("px@1.0.0", &Arc::new(set))
}

#[test]
fn a_rule_leads_to_its_target_and_says_what_it_believes() {
    let rules = rules();
    let target = |path| rules.find(path).unwrap().target.clone();
    assert_eq!(
        target("/a"),
        Target::Tcp {
            host: "::1".into(),
            port: 81
        }
    );
    let tls = |host: &str, verify| Target::Tls {
        host: host.into(),
        port: 443,
        verify,
    };
    assert_eq!(target("/b"), tls("b", Verify::Nobody));
    assert_eq!(target("/c"), tls("c", Verify::Roots));
    assert!(rules.find("/d").is_none());
}

#[test]
fn each_rule_is_counted_by_itself_and_only_when_it_was_asked() {
    let rules = rules();
    let begin = |path| Counting::begin(Arc::clone(&rules.find(path).unwrap().figures));
    begin("/c").answered(StatusCode::OK);
    begin("/c").answered(StatusCode::NO_CONTENT);
    begin("/c").answered(StatusCode::BAD_GATEWAY);
    drop(begin("/c"));
    let open = OpenTunnel::new(Arc::clone(&rules.find("/c").unwrap().figures));
    let [snapshot] = &rules.snapshot()[..] else {
        panic!("one rule was asked")
    };
    assert_eq!((snapshot.index, &*snapshot.pattern), (2, "^/c"));
    assert_eq!(snapshot.target, "https://c");
    assert_eq!(snapshot.requests, 4);
    assert_eq!(snapshot.statuses, [0, 2, 0, 0, 1]);
    assert_eq!(snapshot.cancelled, 1);
    assert_eq!(snapshot.latency.count(), 3);
    assert_eq!(snapshot.tunnels, 1);
    drop(open);
    assert_eq!(rules.snapshot()[0].tunnels, 0);
}
