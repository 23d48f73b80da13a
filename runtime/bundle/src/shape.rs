//! What a value may look like: each shape reads a JSON value, and says the same in JSON Schema.
//!
//! **Invariant:** a shape's bounds are checked and described from the same numbers.
//! **Absent on purpose:** keys and defaults (`object`), and what a value is for (`fields`).

mod number;

mod word;

use serde_json::Value;

use crate::error::Fault;

pub(crate) use number::{Bytes, Count, Seconds};
pub(crate) use word::{Choice, Flag, List, Switch, Text};

/// What a value may look like.
pub(crate) trait Shape {
    type Value: Clone;

    /// Reads a value; the faults' fields are relative to it.
    fn read(&self, json: &Value) -> Result<Self::Value, Vec<Fault>>;

    /// The JSON Schema of what `read` takes.
    fn schema(&self) -> Value;

    /// Units and bounds in a sentence, for an author who reads the schema's texts.
    fn note(&self) -> Option<String> {
        None
    }
}

/// A shape whose values can be defaults.
pub(crate) trait Shown: Shape {
    /// A value as an author would write it.
    fn show(&self, value: &Self::Value) -> Value;

    /// Whether the value is some way to write the number 0.
    fn is_zero(&self, _json: &Value) -> bool {
        false
    }
}

/// The one fault of a value.
pub(crate) fn wrong(reason: impl Into<String>) -> Vec<Fault> {
    vec![Fault {
        field: String::new(),
        reason: reason.into(),
    }]
}

/// The fault of a value of the wrong kind. Only short scalars are shown again.
pub(crate) fn expected(what: &str, json: &Value) -> Vec<Fault> {
    let found = match json {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("\"{}\"", quoted(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    wrong(format!("expected {what}, found {found}"))
}

/// An author's text for a one-line message: no control characters, and not all of a long one.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    let mut shown: String = text
        .chars()
        .take(SHOWN_CHARS_MAX)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// The known key that is most like a key that is not.
pub(crate) fn nearest(key: &str, known: &[&'static str]) -> &'static str {
    // A key can be as long as the file; past this it is like none of ours anyway.
    let key: String = key.chars().take(64).flat_map(char::to_lowercase).collect();
    known
        .iter()
        .min_by_key(|name| strsim::damerau_levenshtein(&key, &name.to_lowercase()))
        .expect("an object has keys that it asks for")
}

#[cfg(test)]
mod tests;
