//! The JSON Schema of `worker.config.json`, made by the calls that read it.

use serde_json::{Map, Value};

use crate::manifest::Manifest;
use crate::object;

/// The JSON Schema (draft 2020-12) of `worker.config.json`: what editors complete and check.
pub fn schema() -> Value {
    let described = object::describe(Manifest::read);
    let head = [
        ("$schema", "https://json-schema.org/draft/2020-12/schema"),
        ("title", "worker.config.json"),
        (
            "description",
            "How rookery serves one version of an app. Unknown keys are errors.",
        ),
    ];
    let mut schema: Map<String, Value> = head
        .map(|(key, text)| (key.to_owned(), text.into()))
        .into_iter()
        .collect();
    if let Value::Object(described) = described {
        schema.extend(described);
    }
    Value::Object(schema)
}

#[cfg(test)]
mod tests;
