//! Reads the part of YAML that JSON has too: `manifest.yaml` gives what the same object in JSON gives.
//!
//! | YAML | gives |
//! | --- | --- |
//! | mappings, sequences, quoted and block text | objects, arrays, strings |
//! | `null`, `~`, nothing; `true`, `false`; `7`, `0x1f`, `1.5`, `1e3` | what they are in YAML 1.2's core schema |
//! | `30s`, `1.2.0`, `yes`, any other plain text | a string |
//!
//! **Invariant:** what is read is at most as large as its text, and at most [`DEPTH_MAX`] deep.
//! **Absent on purpose:** anchors, aliases and merges, by which a few lines stand for gigabytes; tags, keys that are no
//! text, and a second document: each is refused with its place.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput};
use serde_json::{Map, Number, Value};

/// How deep objects and arrays may lie in each other. serde_json's bound is 128.
const DEPTH_MAX: usize = 64;

/// Why a text was not read, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Defect {
    pub(crate) reason: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Counted from 1.
    pub(crate) column: usize,
}

/// The value of a text; null for one that says nothing.
pub(crate) fn parse(text: &str) -> Result<Value, Defect> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
    };
    let mut value = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(value.unwrap_or(Value::Null)),
            (Event::DocumentStart(_), at) if value.is_some() => {
                return Err(defect("a second document", at.start));
            }
            (Event::DocumentStart(_), _) => {
                let (event, at) = reader.next()?;
                value = Some(reader.value(event, at, 0)?);
            }
            _ => {}
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Defect> {
        match self.parser.next_event() {
            Some(event) => event.map_err(|error| broken(&error)),
            // The parser ends with an event of its own; after that nobody asks.
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn value(&mut self, event: Event<'t>, at: Span, depth: usize) -> Result<Value, Defect> {
        if depth > DEPTH_MAX {
            return Err(defect("it is too deep", at.start));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                refuse_marks(anchor, tag.is_some(), at)?;
                Ok(scalar(&text, style))
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_marks(anchor, tag.is_some(), at)?;
                self.array(depth)
            }
            Event::MappingStart(anchor, tag) => {
                refuse_marks(anchor, tag.is_some(), at)?;
                self.object(depth)
            }
            Event::Alias(_) => Err(defect("aliases are not read", at.start)),
            _ => Err(defect("a value is missing", at.start)),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Defect> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                (event, at) => items.push(self.value(event, at, depth + 1)?),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Defect> {
        let mut members = Map::new();
        loop {
            let (event, at) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(Value::Object(members)),
                Event::Scalar(text, _, anchor, tag) => {
                    refuse_marks(anchor, tag.is_some(), at)?;
                    text.into_owned()
                }
                _ => return Err(defect("a key must be text", at.start)),
            };
            if key == "<<" {
                return Err(defect("merges are not read", at.start));
            }
            let (event, value_at) = self.next()?;
            let value = self.value(event, value_at, depth + 1)?;
            if members.contains_key(&key) {
                let key = crate::shape::quoted(&key);
                return Err(defect(format!("\"{key}\" is there twice"), at.start));
            }
            members.insert(key, value);
        }
    }
}

fn refuse_marks(anchor: usize, has_tag: bool, at: Span) -> Result<(), Defect> {
    match (anchor, has_tag) {
        (0, false) => Ok(()),
        (0, true) => Err(defect("tags are not read", at.start)),
        _ => Err(defect("anchors are not read", at.start)),
    }
}

/// What a scalar is by the core schema. What is quoted, or a block, is text.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x") {
        return digits_of(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return digits_of(digits, 8);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let starts = unsigned.strip_prefix('.').unwrap_or(unsigned);
    if !starts.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    // Rust's floats are written as YAML's, but for words, which do not begin with a digit.
    Number::from_f64(text.parse::<f64>().ok()?)
}

fn digits_of(digits: &str, radix: u32) -> Option<Number> {
    let are_digits = digits.bytes().all(|byte| char::from(byte).is_digit(radix));
    let number = u64::from_str_radix(digits, radix)
        .ok()
        .filter(|_| are_digits);
    number.map(Number::from)
}

fn broken(error: &ScanError) -> Defect {
    defect(error.info(), *error.marker())
}

fn defect(reason: impl Into<String>, at: Marker) -> Defect {
    Defect {
        reason: reason.into(),
        line: at.line(),
        column: at.col() + 1,
    }
}

#[cfg(test)]
mod tests;
