//! What the author of a valid bundle should know about what it will cost, or will not do.
//!
//! **Absent on purpose:** faults. Nothing here refuses a bundle.

use crate::entrypoint::Kind;
use crate::manifest::{Isolation, Manifest};

/// A line each.
pub(crate) fn advice(manifest: &Manifest, kind: Kind) -> Vec<String> {
    let mut lines = Vec::new();
    if kind == Kind::Process && manifest.ttl.is_zero() {
        lines.push(
            "ttl: is 0, so every request starts a process of its own, which takes tens of milliseconds of a core and \
             as many megabytes; set ttl (in seconds) to keep processes"
                .to_owned(),
        );
    }
    if kind != Kind::Process && manifest.isolation == Isolation::Strict {
        lines.push(
            "isolation: has an effect on processes only; an isolate is always strict".to_owned(),
        );
    }
    if kind != Kind::Process && manifest.runtime.is_some() {
        lines.push("runtime: has an effect on scripts only".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;
    use crate::parse_manifest;

    #[track_caller]
    fn check(manifest: &Value, kind: Kind, about: &[&str]) {
        let parsed = parse_manifest(manifest.to_string().as_bytes()).unwrap();
        let lines = advice(&parsed.manifest, kind);
        let fields: Vec<_> = lines
            .iter()
            .filter_map(|line| line.split(':').next())
            .collect();
        assert_eq!(fields, about, "{manifest}");
    }

    #[test]
    fn a_process_for_every_request_is_said_to_cost() {
        check(&json!({}), Kind::Process, &["ttl"]);
        check(&json!({}), Kind::Wasm, &[]);
        check(&json!({"ttl": 60}), Kind::Process, &[]);
    }

    #[test]
    fn what_is_about_processes_is_said_to_do_nothing_elsewhere() {
        let manifest = json!({"ttl": 60, "isolation": "strict", "runtime": "bun"});
        check(&manifest, Kind::Wasm, &["isolation", "runtime"]);
        check(&manifest, Kind::Process, &[]);
    }
}
