//! Durations, sizes and counts: numbers within bounds, or text that says the same.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Shape, Shown, expected, wrong};
use crate::error::Fault;
use crate::quantity;

/// A duration: seconds as a number, or text with a unit.
pub(crate) struct Seconds(pub(crate) RangeInclusive<Duration>);

impl Seconds {
    fn parse(json: &Value) -> Option<Duration> {
        match json {
            Value::Number(seconds) => Duration::try_from_secs_f64(seconds.as_f64()?).ok(),
            Value::String(text) => quantity::duration(text),
            _ => None,
        }
    }
}

impl Shape for Seconds {
    type Value = Duration;

    fn read(&self, json: &Value) -> Result<Duration, Vec<Fault>> {
        let duration = Self::parse(json).ok_or_else(|| {
            expected(
                "seconds, or a text like \"500ms\", \"45s\", \"2m\", \"1h\"",
                json,
            )
        })?;
        within(duration, &self.0, |bound| quantity::show_duration(*bound))
    }

    fn schema(&self) -> Value {
        json!({"anyOf": [
            {"type": "number", "minimum": self.0.start().as_secs_f64(), "maximum": self.0.end().as_secs_f64()},
            {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*(ms|s|m|h)?\s*$"},
        ]})
    }

    fn note(&self) -> Option<String> {
        let (min, max) = (
            quantity::show_duration(*self.0.start()),
            quantity::show_duration(*self.0.end()),
        );
        Some(format!(
            "Seconds, or text such as \"500ms\", \"45s\", \"2m\", \"1h\"; from {min} to {max}."
        ))
    }
}

impl Shown for Seconds {
    fn show(&self, value: &Duration) -> Value {
        quantity::show_duration(*value).into()
    }

    fn is_zero(&self, json: &Value) -> bool {
        Self::parse(json) == Some(Duration::ZERO)
    }
}

/// A size in bytes: a number, or text with a unit.
pub(crate) struct Bytes(pub(crate) RangeInclusive<u64>);

impl Shape for Bytes {
    type Value = u64;

    fn read(&self, json: &Value) -> Result<u64, Vec<Fault>> {
        let read = match json {
            Value::Number(bytes) => bytes.as_f64().and_then(quantity::whole),
            Value::String(text) => quantity::size(text),
            _ => None,
        };
        let bytes = read
            .ok_or_else(|| expected("bytes, or a text like \"512kb\", \"16mb\", \"1gb\"", json))?;
        within(bytes, &self.0, |bound| quantity::show_size(*bound))
    }

    fn schema(&self) -> Value {
        json!({"anyOf": [
            {"type": "integer", "minimum": self.0.start(), "maximum": self.0.end()},
            {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*([kKmMgG]?[bB])?\s*$"},
        ]})
    }

    fn note(&self) -> Option<String> {
        let (min, max) = (
            quantity::show_size(*self.0.start()),
            quantity::show_size(*self.0.end()),
        );
        Some(format!(
            "Bytes, or text such as \"512kb\", \"16mb\", \"1gb\"; from {min} to {max}."
        ))
    }
}

impl Shown for Bytes {
    fn show(&self, value: &u64) -> Value {
        quantity::show_size(*value).into()
    }
}

/// A whole number, or text that is one.
pub(crate) struct Count<N>(pub(crate) RangeInclusive<N>);

impl<N> Count<N> {
    fn parse(json: &Value) -> Option<u64> {
        match json {
            Value::Number(number) => number.as_f64().and_then(quantity::whole),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

impl<N> Shape for Count<N>
where
    N: Copy + PartialOrd + Into<u64> + TryFrom<u64>,
{
    type Value = N;

    fn read(&self, json: &Value) -> Result<N, Vec<Fault>> {
        let count = Self::parse(json).ok_or_else(|| expected("a whole number", json))?;
        let bounds = (*self.0.start()).into()..=(*self.0.end()).into();
        let count = within(count, &bounds, u64::to_string)?;
        Ok(N::try_from(count).unwrap_or(*self.0.end()))
    }

    fn schema(&self) -> Value {
        let (min, max): (u64, u64) = ((*self.0.start()).into(), (*self.0.end()).into());
        json!({"anyOf": [
            {"type": "integer", "minimum": min, "maximum": max},
            {"type": "string", "pattern": r"^\s*[0-9]+\s*$"},
        ]})
    }

    fn note(&self) -> Option<String> {
        let (min, max): (u64, u64) = ((*self.0.start()).into(), (*self.0.end()).into());
        Some(format!("From {min} to {max}."))
    }
}

impl<N> Shown for Count<N>
where
    N: Copy + PartialOrd + Into<u64> + TryFrom<u64>,
{
    fn show(&self, value: &N) -> Value {
        Value::from((*value).into())
    }

    fn is_zero(&self, json: &Value) -> bool {
        Self::parse(json) == Some(0)
    }
}

fn within<T: PartialOrd>(
    value: T,
    bounds: &RangeInclusive<T>,
    show: impl Fn(&T) -> String,
) -> Result<T, Vec<Fault>> {
    if bounds.contains(&value) {
        return Ok(value);
    }
    Err(wrong(format!(
        "must be from {} to {}",
        show(bounds.start()),
        show(bounds.end())
    )))
}
