//! Values that one key alone has: the command, the health path, the response headers, the proxy rules, checked text.

use http::{HeaderName, HeaderValue};
use rookery_proxy_rules::RuleSpec;
use serde_json::{Value, json};

use crate::error::Fault;
use crate::manifest::Health;
use crate::name::{AppName, Namespace};
use crate::shape::{Shape, Shown, expected, quoted, wrong};

const COMMAND_WORDS_MAX: usize = 256;
const HEADERS_MAX: usize = 64;

/// Headers that describe the connection or the framing; a response that set them would break it.
const SERVER_HEADERS: [&str; 9] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Program and arguments, as a list or as a line that a shell would split.
pub(crate) struct Command;

impl Shape for Command {
    type Value = Vec<String>;

    fn read(&self, json: &Value) -> Result<Self::Value, Vec<Fault>> {
        let words = match json {
            Value::String(line) => shlex::split(line)
                .ok_or_else(|| wrong("has a quote that is not closed, or ends in \"\\\""))?,
            Value::Array(words) => words
                .iter()
                .map(|word| {
                    word.as_str()
                        .map(str::to_owned)
                        .ok_or_else(|| expected("a list of strings", word))
                })
                .collect::<Result<_, _>>()?,
            _ => return Err(expected("a string or a list of strings", json)),
        };
        match words.first() {
            None => Err(wrong("names no program")),
            Some(program) if program.is_empty() => Err(wrong("names no program")),
            Some(_) if words.len() > COMMAND_WORDS_MAX => {
                Err(wrong(format!("has more than {COMMAND_WORDS_MAX} words")))
            }
            Some(_) if words.iter().any(|word| word.contains('\0')) => {
                Err(wrong("must not contain a NUL character"))
            }
            Some(_) => Ok(words),
        }
    }

    fn schema(&self) -> Value {
        json!({"anyOf": [
            {"type": "string", "minLength": 1},
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": COMMAND_WORDS_MAX},
        ]})
    }
}

/// A path below the app, or `false`.
pub(crate) struct HealthPath;

impl Shape for HealthPath {
    type Value = Health;

    fn read(&self, json: &Value) -> Result<Health, Vec<Fault>> {
        match json {
            Value::Bool(false) => Ok(Health::Off),
            Value::String(path) if is_health_path(path) => Ok(Health::Path(path.clone().into())),
            Value::String(_) => Err(wrong(
                "must start with \"/\" and have no space, \"?\" or \"#\"",
            )),
            _ => Err(expected("a path or false", json)),
        }
    }

    fn schema(&self) -> Value {
        json!({"anyOf": [{"type": "string", "pattern": "^/[^\\s?#]*$"}, {"const": false}]})
    }
}

impl Shown for HealthPath {
    fn show(&self, value: &Health) -> Value {
        match value {
            Health::Path(path) => path.as_ref().into(),
            Health::Off => false.into(),
        }
    }
}

fn is_health_path(path: &str) -> bool {
    path.starts_with('/')
        && path
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'?' && b != b'#')
}

/// Names and values that a response can carry.
pub(crate) struct ResponseHeaders;

impl Shape for ResponseHeaders {
    type Value = Vec<(HeaderName, HeaderValue)>;

    fn read(&self, json: &Value) -> Result<Self::Value, Vec<Fault>> {
        let entries = json
            .as_object()
            .ok_or_else(|| expected("an object of name and value", json))?;
        if entries.len() > HEADERS_MAX {
            return Err(wrong(format!("has more than {HEADERS_MAX} headers")));
        }
        let mut headers = Vec::with_capacity(entries.len());
        let mut faults = Vec::new();
        for (name, value) in entries {
            match header(name, value) {
                Ok(header) => headers.push(header),
                Err(reason) => faults.push(Fault {
                    field: format!(".{}", quoted(name)),
                    reason,
                }),
            }
        }
        if faults.is_empty() {
            Ok(headers)
        } else {
            Err(faults)
        }
    }

    fn schema(&self) -> Value {
        json!({"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": HEADERS_MAX})
    }
}

fn header(name: &str, value: &Value) -> Result<(HeaderName, HeaderValue), String> {
    let name: HeaderName = name.parse().map_err(|_| "is not a header's name")?;
    if SERVER_HEADERS.contains(&name.as_str()) {
        return Err("belongs to the server".to_owned());
    }
    // The value is not shown: it may be a credential.
    let text = value.as_str().ok_or("expected a string")?;
    let value = HeaderValue::from_str(text)
        .map_err(|_| "has a character that no header's value may have")?;
    Ok((name, value))
}

/// Proxy rules; their own crate reads them.
pub(crate) struct Rules;

impl Shape for Rules {
    type Value = Vec<RuleSpec>;

    fn read(&self, json: &Value) -> Result<Self::Value, Vec<Fault>> {
        rookery_proxy_rules::parse(json).map_err(|faults| {
            faults
                .into_iter()
                .map(|fault| Fault {
                    field: fault.at,
                    reason: fault.reason,
                })
                .collect()
        })
    }

    fn schema(&self) -> Value {
        rookery_proxy_rules::schema()
    }
}

pub(crate) fn app_name(text: &str) -> Result<AppName, String> {
    AppName::parse(text).map_err(|error| error.to_string())
}

pub(crate) fn namespace(text: &str) -> Result<Namespace, String> {
    Namespace::parse(text).map_err(|error| error.to_string())
}

pub(crate) fn database_url(text: &str) -> Result<String, String> {
    // The URL is not shown: it may have a password in it.
    let is_known = ["sqlite:", "postgres:", "postgresql:"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    let is_filled_in = text
        .split_once("${")
        .is_some_and(|(_, rest)| rest.contains('}'));
    if is_known || is_filled_in {
        return Ok(text.to_owned());
    }
    Err("must start with sqlite:, postgres: or postgresql:, or contain ${NAME}".to_owned())
}
