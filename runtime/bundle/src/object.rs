//! Reads a JSON object key by key, and describes it by the same calls.
//!
//! A part of the manifest is one function over an [`Object`]. Over a JSON value it reads; over nothing, it names its
//! keys. So the keys that the parser knows, the defaults that it fills in and the JSON Schema that an editor shows cannot differ.
//!
//! **Invariant:** a fault never ends the reading: the value becomes its default, and whoever asked for the manifest
//! looks at the faults before using it.

use serde_json::{Map, Value, json};

use crate::error::Fault;
use crate::shape::{Shape, Shown, nearest, quoted};

/// A key, what its value looks like, and what it is for.
pub(crate) struct Field<S> {
    pub(crate) name: &'static str,
    pub(crate) shape: S,
    pub(crate) text: &'static str,
}

/// A key whose absence means a value.
pub(crate) struct Defaulted<S: Shown> {
    field: Field<S>,
    default: S::Value,
    zero: Zero,
}

/// What a zero means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zero {
    Itself,
    Default,
}

pub(crate) const fn field<S>(name: &'static str, shape: S, text: &'static str) -> Field<S> {
    Field { name, shape, text }
}

impl<S: Shape> Field<S> {
    fn described(&self) -> Value {
        let text = match self.shape.note() {
            None => self.text.to_owned(),
            Some(note) => format!("{} {note}", self.text),
        };
        described(self.shape.schema(), &text)
    }
}

impl<S: Shown> Field<S> {
    pub(crate) const fn or(self, default: S::Value) -> Defaulted<S> {
        Defaulted {
            field: self,
            default,
            zero: Zero::Itself,
        }
    }

    /// Buntime takes every falsy value for "not set"; manifests that were written for it rely on that.
    pub(crate) const fn or_zero(self, default: S::Value) -> Defaulted<S> {
        Defaulted {
            field: self,
            default,
            zero: Zero::Default,
        }
    }
}

/// What reading found besides the values.
#[derive(Default, Debug)]
pub(crate) struct Notes {
    pub(crate) faults: Vec<Fault>,
    pub(crate) warnings: Vec<String>,
}

impl Notes {
    pub(crate) fn fault(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.faults.push(Fault {
            field: field.into(),
            reason: reason.into(),
        });
    }

    pub(crate) fn warn(&mut self, field: &str, text: impl std::fmt::Display) {
        self.warnings.push(format!("{field}: {text}"));
    }
}

/// A JSON object that is being read, or the place of one that is not there.
pub(crate) struct Object<'a> {
    path: String,
    json: Option<&'a Map<String, Value>>,
    notes: &'a mut Notes,
    known: Vec<&'static str>,
    required: Vec<&'static str>,
    properties: Option<Map<String, Value>>,
}

/// Reads an object with `build`, then refuses the keys that `build` did not ask for.
pub(crate) fn read<T>(
    json: &Map<String, Value>,
    notes: &mut Notes,
    build: impl FnOnce(&mut Object) -> T,
) -> T {
    let mut object = Object::new(String::new(), Some(json), notes, None);
    let built = build(&mut object);
    object.refuse_unknown_keys();
    built
}

/// The JSON Schema of the object that `build` reads.
pub(crate) fn describe<T>(build: impl FnOnce(&mut Object) -> T) -> Value {
    let mut notes = Notes::default();
    let mut object = Object::new(String::new(), None, &mut notes, Some(Map::new()));
    build(&mut object);
    object.into_schema()
}

impl<'a> Object<'a> {
    fn new(
        path: String,
        json: Option<&'a Map<String, Value>>,
        notes: &'a mut Notes,
        properties: Option<Map<String, Value>>,
    ) -> Self {
        Self {
            path,
            json,
            notes,
            known: Vec::new(),
            required: Vec::new(),
            properties,
        }
    }

    /// The value of a key, if it is there and has no fault.
    pub(crate) fn get<S: Shape>(&mut self, field: &Field<S>) -> Option<S::Value> {
        self.know(field.name, || field.described());
        self.value(&field.shape, field.name)
    }

    /// The value of a key that must be there; None comes with a fault.
    pub(crate) fn require<S: Shape>(&mut self, field: &Field<S>) -> Option<S::Value> {
        self.required.push(field.name);
        if self.raw(field.name).is_none() {
            let path = self.path_of(field.name);
            self.notes.fault(path, "is missing");
        }
        self.get(field)
    }

    /// The value of a key, or its default.
    pub(crate) fn get_or<S: Shown>(&mut self, wanted: &Defaulted<S>) -> S::Value {
        let Defaulted {
            field,
            default,
            zero,
        } = wanted;
        self.know(field.name, || {
            let mut schema = field.described();
            schema["default"] = field.shape.show(default);
            schema
        });
        if *zero == Zero::Default
            && self
                .raw(field.name)
                .is_some_and(|json| field.shape.is_zero(json))
        {
            let path = self.path_of(field.name);
            self.notes.warn(
                &path,
                format_args!("0 is taken for the default, {}", field.shape.show(default)),
            );
            return default.clone();
        }
        self.value(&field.shape, field.name)
            .unwrap_or_else(|| default.clone())
    }

    /// An object below this one. Its keys have their defaults when it is absent.
    pub(crate) fn section<T>(
        &mut self,
        name: &'static str,
        text: &'static str,
        build: impl FnOnce(&mut Object) -> T,
    ) -> T {
        let json = self.raw(name);
        if json.is_some_and(|json| !json.is_object()) {
            let path = self.path_of(name);
            self.notes.fault(path, "expected an object");
        }
        let mut schema = None;
        let built = self.below(
            self.path_of(name),
            json.and_then(Value::as_object),
            &mut schema,
            build,
        );
        self.know(name, || described(schema.unwrap_or_default(), text));
        built
    }

    /// A list of objects below this one; those with faults are left out.
    pub(crate) fn sections<T>(
        &mut self,
        name: &'static str,
        text: &'static str,
        items_max: usize,
        build: impl Fn(&mut Object) -> Option<T>,
    ) -> Vec<T> {
        let mut item_schema = None;
        if self.properties.is_some() {
            self.below(String::new(), None, &mut item_schema, &build);
        }
        self.know(name, || {
            let items = item_schema.unwrap_or_default();
            described(
                json!({"type": "array", "items": items, "maxItems": items_max}),
                text,
            )
        });
        let path = self.path_of(name);
        let items = match self.raw(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) if items.len() <= items_max => items,
            Some(Value::Array(_)) => {
                self.notes
                    .fault(path, format!("more than {items_max} items"));
                return Vec::new();
            }
            Some(_) => {
                self.notes.fault(path, "expected a list");
                return Vec::new();
            }
        };
        let mut built = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{path}[{index}]");
            match item {
                Value::Object(json) => {
                    built.extend(self.below(path, Some(json), &mut None, &build))
                }
                _ => self.notes.fault(path, "expected an object"),
            }
        }
        built
    }

    /// Reads one object below this one, and describes it when this one is being described.
    fn below<T>(
        &mut self,
        path: String,
        json: Option<&'a Map<String, Value>>,
        schema: &mut Option<Value>,
        build: impl FnOnce(&mut Object) -> T,
    ) -> T {
        let properties = self.properties.as_ref().map(|_| Map::new());
        let mut below = Object::new(path, json, self.notes, properties);
        let built = build(&mut below);
        below.refuse_unknown_keys();
        if below.properties.is_some() {
            *schema = Some(below.into_schema());
        }
        built
    }

    fn know(&mut self, name: &'static str, schema: impl FnOnce() -> Value) {
        debug_assert!(!self.known.contains(&name), "{name} is asked for twice");
        self.known.push(name);
        if let Some(properties) = &mut self.properties {
            properties.insert(name.to_owned(), schema());
        }
    }

    fn value<S: Shape>(&mut self, shape: &S, name: &str) -> Option<S::Value> {
        let path = self.path_of(name);
        match shape.read(self.raw(name)?) {
            Ok(value) => Some(value),
            Err(faults) => {
                let placed = faults.into_iter().map(|fault| Fault {
                    field: format!("{path}{}", fault.field),
                    ..fault
                });
                self.notes.faults.extend(placed);
                None
            }
        }
    }

    /// `null` is what some tools write for a key that is not set.
    fn raw(&self, name: &str) -> Option<&'a Value> {
        self.json?.get(name).filter(|value| !value.is_null())
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn refuse_unknown_keys(&mut self) {
        let unknown = self
            .json
            .into_iter()
            .flat_map(Map::keys)
            .filter(|key| !self.known.contains(&key.as_str()));
        for key in unknown.collect::<Vec<_>>() {
            let path = self.path_of(&quoted(key));
            let reason = format!(
                "unknown key; the nearest known one is \"{}\"",
                nearest(key, &self.known)
            );
            self.notes.fault(path, reason);
        }
    }

    fn into_schema(self) -> Value {
        let mut schema = json!({
            "type": "object",
            "properties": self.properties.unwrap_or_default(),
            "additionalProperties": false,
        });
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        schema
    }
}

fn described(mut schema: Value, text: &str) -> Value {
    schema["description"] = text.into();
    schema
}
