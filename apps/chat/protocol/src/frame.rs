//! What a client sends, before anyone knows whether it makes sense.
//!
//! **Invariant:** parsing keeps flat values only and walks over nested ones without recursion. The protocol has none, and
//! an isolate's stack is small.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The fields of a payload. Of a repeated key the last one counts, as in JavaScript.
pub(crate) type Fields = BTreeMap<String, Scalar>;

/// A frame of type `publish` with an object as its payload.
#[derive(Debug, PartialEq)]
pub(crate) struct Publish {
    pub(crate) channel: String,
    pub(crate) fields: Fields,
    /// By what name the client wants to know the answers; see `Extras`.
    pub(crate) request_id: Option<String>,
}

/// The longest name of a request in bytes. It is told to a whole room, so it is small.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// A value of a payload.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Text(String),
    Number(f64),
    /// Null, a truth value, a list or an object: valid nowhere.
    Other,
}

/// The frame, if it is one that asks for something.
pub(crate) fn parse(text: &str) -> Option<Publish> {
    let frame: Frame = serde_json::from_str(text).ok()?;
    match (frame.kind?, frame.channel?, frame.payload?) {
        (Scalar::Text(kind), Scalar::Text(channel), Payload::Object(fields))
            if kind == "publish" =>
        {
            let request_id = match frame.request_id {
                Some(Scalar::Text(id)) if (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) => {
                    Some(id)
                }
                _ => None,
            };
            Some(Publish {
                channel,
                fields,
                request_id,
            })
        }
        _ => None,
    }
}

#[derive(Default)]
struct Frame {
    kind: Option<Scalar>,
    channel: Option<Scalar>,
    payload: Option<Payload>,
    request_id: Option<Scalar>,
}

enum Payload {
    Object(Fields),
    Other,
}

impl<'de> Deserialize<'de> for Frame {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Frame, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Frame;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Frame, A::Error> {
                let mut frame = Frame::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "type" => frame.kind = Some(map.next_value()?),
                        "channel" => frame.channel = Some(map.next_value()?),
                        "payload" => frame.payload = Some(map.next_value()?),
                        "requestId" => frame.request_id = Some(map.next_value()?),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(frame)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
        deserializer.deserialize_any(Flat)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalar, D::Error> {
        deserializer.deserialize_any(Single)
    }
}

/// Reads an object's fields, and no other value.
struct Flat;

/// Reads one value without looking into it.
struct Single;

macro_rules! visit_scalars {
    ($wrap:expr) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON value")
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok($wrap(Scalar::Text(text.to_owned())))
        }

        fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
            Ok($wrap(Scalar::Text(text)))
        }

        fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
            Ok($wrap(Scalar::Number(number)))
        }

        // Every number is a double, as in JavaScript.
        fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
            Ok($wrap(Scalar::Number(number as f64)))
        }

        fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
            Ok($wrap(Scalar::Number(number as f64)))
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($wrap(Scalar::Other))
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($wrap(Scalar::Other))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok($wrap(Scalar::Other))
        }
    };
}

impl<'de> Visitor<'de> for Flat {
    type Value = Payload;

    visit_scalars!(|_| Payload::Other);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Payload, A::Error> {
        let mut fields = Fields::new();
        while let Some((key, value)) = map.next_entry()? {
            fields.insert(key, value);
        }
        Ok(Payload::Object(fields))
    }
}

impl<'de> Visitor<'de> for Single {
    type Value = Scalar;

    visit_scalars!(std::convert::identity);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_publish_with_an_object_is_understood() {
        let publish = parse(
            r#"{"type":"publish","channel":"a","payload":{"t":"x","n":1.5,"o":{"p":[1]}},"messageId":"1-x"}"#,
        )
        .unwrap();
        assert_eq!(publish.channel, "a");
        assert_eq!(publish.fields["t"], Scalar::Text("x".into()));
        assert_eq!(publish.fields["n"], Scalar::Number(1.5));
        assert_eq!(publish.fields["o"], Scalar::Other);
    }

    #[test]
    fn the_last_of_a_repeated_key_counts() {
        let publish =
            parse(r#"{"type":"publish","payload":[],"channel":"a","payload":{"t":"1","t":"2"}}"#)
                .unwrap();
        assert_eq!(publish.fields["t"], Scalar::Text("2".into()));
    }

    #[test]
    fn everything_else_is_nothing() {
        for text in [
            "",
            "hello",
            "null",
            "[]",
            "{}",
            r#"{"type":"publish","channel":"a"}"#,
            r#"{"type":"publish","channel":"a","payload":null}"#,
            r#"{"type":"publish","channel":"a","payload":[]}"#,
            r#"{"type":"publish","channel":"a","payload":"x"}"#,
            r#"{"type":"publish","channel":7,"payload":{}}"#,
            r#"{"type":"message","channel":"a","payload":{}}"#,
            r#"{"type":"subscribe","channel":"a"}"#,
            r#"{"type":"publish","channel":"a","payload":{"t":"\ud800"}}"#,
            r#"{"type":"publish","channel":"a","payload":{}} trailing"#,
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_deeply_nested_value_costs_no_stack() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        let text = format!(r#"{{"type":"publish","channel":"a","payload":{{"x":{deep}}}}}"#);
        let small_stack = std::thread::Builder::new().stack_size(64 * 1024);
        let parsed = small_stack.spawn(move || parse(&text).is_some());
        assert!(parsed.unwrap().join().unwrap());
    }
}
