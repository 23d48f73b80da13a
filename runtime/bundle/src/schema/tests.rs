//! The schema says what the parser does.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use serde_json::json;

use super::*;
use crate::validate::parse_manifest;

const SHIPPED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/worker-config.schema.json"
);

#[test]
fn the_shipped_schema_is_up_to_date() {
    let current = format!("{:#}\n", schema());
    let path = Path::new(SHIPPED);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let shipped = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        shipped == current,
        "run UPDATE=1 cargo test -p rookery-bundle, then commit docs/worker-config.schema.json"
    );
}

#[test]
fn every_documented_key_is_known_and_nothing_else() {
    let schema = schema();
    let properties = schema["properties"].as_object().unwrap();
    let keys: Vec<_> = properties.keys().map(String::as_str).collect();
    let expected = [
        "$schema",
        "name",
        "version",
        "entrypoint",
        "static",
        "command",
        "runtime",
        "isolation",
        "proxy",
        "headers",
        "injectBase",
        "spaFallback",
        "health",
        "timeout",
        "ttl",
        "ttlMode",
        "idleTimeout",
        "maxRequests",
        "lowMemory",
        "workers",
        "concurrency",
        "queue",
        "memory",
        "maxBodySize",
        "namespace",
        "database",
        "grants",
        "sessions",
        "jobs",
    ];
    assert_eq!(keys, expected);
    assert_eq!(schema["additionalProperties"], json!(false));
}

/// Every object of the schema, with its path.
fn objects<'a>(path: &str, schema: &'a Value, found: &mut Vec<(String, &'a Map<String, Value>)>) {
    if let Some(properties) = schema["properties"].as_object() {
        found.push((path.to_owned(), properties));
        for (name, below) in properties {
            objects(&format!("{path}.{name}"), below, found);
        }
    }
    if schema["items"].is_object() {
        objects(&format!("{path}[]"), &schema["items"], found);
    }
}

#[test]
fn every_key_has_a_text() {
    let schema = schema();
    let mut found = Vec::new();
    objects("", &schema, &mut found);
    assert_eq!(found.len(), 8, "the root and its sections");
    for (path, properties) in found {
        for (name, property) in properties {
            let text = property["description"].as_str().unwrap_or_default();
            assert!(
                text.ends_with('.') && !text.contains("  "),
                "{path}.{name}: {text:?}"
            );
        }
    }
}

#[test]
fn every_default_of_the_schema_is_the_parsers() {
    let schema = schema();
    let mut manifest = Map::new();
    let mut sections = Vec::new();
    objects("", &schema, &mut sections);
    for (name, property) in schema["properties"].as_object().unwrap() {
        let below = property["properties"].as_object().map(defaults_of);
        if let Some(value) = property
            .get("default")
            .cloned()
            .or(below.map(Value::Object))
        {
            manifest.insert(name.clone(), value);
        }
    }
    assert!(manifest.len() > 15, "{manifest:?}");
    let parsed = parse_manifest(Value::Object(manifest).to_string().as_bytes()).unwrap();
    assert_eq!(parsed.manifest, Manifest::default());
    assert!(parsed.warnings.is_empty(), "{:?}", parsed.warnings);
}

fn defaults_of(properties: &Map<String, Value>) -> Map<String, Value> {
    properties
        .iter()
        .filter_map(|(name, property)| {
            let below = property["properties"]
                .as_object()
                .map(|below| Value::Object(defaults_of(below)));
            Some((name.clone(), property.get("default").cloned().or(below)?))
        })
        .collect()
}
