//! Switches, choices and checked text, alone or in lists.

use serde_json::{Value, json};

use super::{Shape, Shown, expected, wrong};
use crate::error::Fault;

/// `true` or `false`.
pub(crate) struct Flag;

impl Shape for Flag {
    type Value = bool;

    fn read(&self, json: &Value) -> Result<bool, Vec<Fault>> {
        json.as_bool()
            .ok_or_else(|| expected("true or false", json))
    }

    fn schema(&self) -> Value {
        json!({"type": "boolean"})
    }
}

impl Shown for Flag {
    fn show(&self, value: &bool) -> Value {
        (*value).into()
    }
}

/// `true` or `false`, also as the text that an environment variable would have.
pub(crate) struct Switch;

impl Shape for Switch {
    type Value = bool;

    fn read(&self, json: &Value) -> Result<bool, Vec<Fault>> {
        match json {
            Value::Bool(flag) => Ok(*flag),
            Value::String(text) if text == "true" || text == "1" => Ok(true),
            Value::String(text) if text == "false" || text == "0" => Ok(false),
            _ => Err(expected("true, false, \"1\" or \"0\"", json)),
        }
    }

    fn schema(&self) -> Value {
        json!({"enum": [true, false, "true", "false", "1", "0"]})
    }
}

impl Shown for Switch {
    fn show(&self, value: &bool) -> Value {
        (*value).into()
    }
}

/// One of a few words.
pub(crate) struct Choice<T: 'static>(pub(crate) &'static [(&'static str, T)]);

impl<T: Clone + PartialEq> Shape for Choice<T> {
    type Value = T;

    fn read(&self, json: &Value) -> Result<T, Vec<Fault>> {
        let chosen = self.0.iter().find(|(word, _)| json == word);
        let words = || {
            self.0
                .iter()
                .map(|(word, _)| format!("\"{word}\""))
                .collect::<Vec<_>>()
                .join(", ")
        };
        chosen
            .map(|(_, value)| value.clone())
            .ok_or_else(|| expected(&format!("one of {}", words()), json))
    }

    fn schema(&self) -> Value {
        json!({"enum": self.0.iter().map(|(word, _)| *word).collect::<Vec<_>>()})
    }
}

impl<T: Clone + PartialEq> Shown for Choice<T> {
    fn show(&self, value: &T) -> Value {
        self.0
            .iter()
            .find(|(_, known)| known == value)
            .map(|(word, _)| *word)
            .into()
    }
}

/// A text that `parse` makes something of, or says what it must be.
pub(crate) struct Text<T>(pub(crate) fn(&str) -> Result<T, String>);

impl<T: Clone> Shape for Text<T> {
    type Value = T;

    fn read(&self, json: &Value) -> Result<T, Vec<Fault>> {
        let text = json.as_str().ok_or_else(|| expected("a string", json))?;
        (self.0)(text).map_err(wrong)
    }

    fn schema(&self) -> Value {
        json!({"type": "string"})
    }
}

/// A list of values of one shape.
pub(crate) struct List<S> {
    pub(crate) item: S,
    pub(crate) items_max: usize,
}

impl<S: Shape> Shape for List<S> {
    type Value = Vec<S::Value>;

    fn read(&self, json: &Value) -> Result<Self::Value, Vec<Fault>> {
        let items = json.as_array().ok_or_else(|| expected("a list", json))?;
        if items.len() > self.items_max {
            return Err(wrong(format!("has more than {} items", self.items_max)));
        }
        let mut values = Vec::with_capacity(items.len());
        let mut faults = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match self.item.read(item) {
                Ok(value) => values.push(value),
                Err(found) => faults.extend(found.into_iter().map(|fault| Fault {
                    field: format!("[{index}]{}", fault.field),
                    ..fault
                })),
            }
        }
        if faults.is_empty() {
            Ok(values)
        } else {
            Err(faults)
        }
    }

    fn schema(&self) -> Value {
        json!({"type": "array", "items": self.item.schema(), "maxItems": self.items_max})
    }
}
