//! The keys of a rule: one table for the parser and for the JSON Schema.

use serde_json::{Map, Value, json};

use crate::parse::RULES_MAX;
use crate::pattern::PATTERN_BYTES_MAX;

/// One key of a rule.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    shape: fn() -> Value,
    text: &'static str,
}

pub(crate) const PATTERN: &str = "pattern";
pub(crate) const TARGET: &str = "target";
pub(crate) const REWRITE: &str = "rewrite";
pub(crate) const CHANGE_ORIGIN: &str = "changeOrigin";
pub(crate) const SECURE: &str = "secure";
pub(crate) const HEADERS: &str = "headers";

/// Every key; the first stands in the rule only when the rules are a list.
pub(crate) const KEYS: [Key; 6] = [
    Key {
        name: PATTERN,
        shape: || json!({"type": "string", "minLength": 1, "maxLength": PATTERN_BYTES_MAX}),
        text: "JavaScript regex for the path below the app, without the query; unanchored unless it says otherwise.",
    },
    Key {
        name: TARGET,
        shape: || json!({"type": "string", "pattern": r"^(https?|wss?)://|\$\{"}),
        text: "Where matching requests go: an http, https, ws or wss URL; ${NAME} is filled in from the operator's \
               environment.",
    },
    Key {
        name: REWRITE,
        shape: || json!({"type": "string"}),
        text: "The path to ask the target for; $1 to $n are the pattern's groups, ${NAME} a variable. Without it, the \
               path is kept.",
    },
    Key {
        name: CHANGE_ORIGIN,
        shape: || json!({"type": "boolean", "default": false}),
        text: "Send the target's Host and Origin instead of the client's.",
    },
    Key {
        name: SECURE,
        shape: || json!({"type": "boolean", "default": true}),
        text: "Verify the target's certificate.",
    },
    Key {
        name: HEADERS,
        shape: || json!({"type": "object", "additionalProperties": {"type": "string"}}),
        text: "Headers to send with the request, over the client's own; ${NAME} is a variable.",
    },
];

/// The JSON Schema of a manifest's `proxy`: an object of pattern → rule, or a list of rules that name their pattern.
pub fn schema() -> Value {
    json!({
        "anyOf": [
            {
                "type": "object",
                "maxProperties": RULES_MAX,
                "additionalProperties": rule(&KEYS[1..], &[TARGET]),
            },
            {
                "type": "array",
                "maxItems": RULES_MAX,
                "items": rule(&KEYS, &[PATTERN, TARGET]),
            },
        ]
    })
}

fn rule(keys: &[Key], required: &[&str]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| {
            let mut shape = (key.shape)();
            shape["description"] = key.text.into();
            (key.name.to_owned(), shape)
        })
        .collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}
