//! Reads the `proxy` value of a manifest: an object of pattern → rule, or a list of rules that name their pattern.
//!
//! **Invariant:** the answer is every rule in the file's order, or every fault; a rule with a fault hides no other's.

use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::error::{Cause, RuleFault};
use crate::pattern::Pattern;
use crate::rule::RuleSpec;
use crate::schema::{CHANGE_ORIGIN, HEADERS, KEYS, PATTERN, REWRITE, SECURE, TARGET};
use crate::target;
use crate::template::Template;

/// The most rules that one bundle may have.
pub const RULES_MAX: usize = 4096;

/// How many instructions all patterns together may become: what one path can cost is in proportion to it.
const WEIGHT_MAX: u64 = 1 << 17;

/// Headers that belong to a connection or to the framing of its messages. With them, a rule could make two servers
/// disagree on where a request ends.
const OF_THE_CONNECTION: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-version",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Reads and checks all rules.
pub fn parse(proxy: &Value) -> Result<Vec<RuleSpec>, Vec<RuleFault>> {
    let mut faults = Vec::new();
    // Collected before it is judged: stopping at the first rule with a fault would hide the others' faults.
    let rules: Vec<Option<RuleSpec>> = match proxy {
        Value::Object(rules) if rules.len() <= RULES_MAX => rules
            .iter()
            .map(|(pattern, body)| keyed_rule(pattern, body, &mut faults))
            .collect(),
        Value::Array(rules) if rules.len() <= RULES_MAX => rules
            .iter()
            .enumerate()
            .map(|(index, body)| listed_rule(index, body, &mut faults))
            .collect(),
        Value::Object(_) | Value::Array(_) => {
            return Err(vec![fault(
                String::new(),
                format!("more than {RULES_MAX} rules"),
            )]);
        }
        _ => {
            let reason = "expected an object of pattern and rule, or a list of rules";
            return Err(vec![fault(String::new(), reason.to_owned())]);
        }
    };
    let rules: Vec<RuleSpec> = rules.into_iter().flatten().collect();
    let weights = rules.iter().map(|rule| rule.pattern.weight());
    if weights.fold(0, u64::saturating_add) > WEIGHT_MAX {
        faults.push(fault(
            String::new(),
            "the patterns together are too large".to_owned(),
        ));
    }
    if faults.is_empty() {
        Ok(rules)
    } else {
        Err(faults)
    }
}

fn keyed_rule(pattern: &str, body: &Value, faults: &mut Vec<RuleFault>) -> Option<RuleSpec> {
    let at = format!("[{:?}]", shortened(pattern));
    let mut reader = Reader::new(
        at,
        body,
        &KEYS[1..].iter().map(|key| key.name).collect::<Vec<_>>(),
        faults,
    )?;
    let pattern = Pattern::parse(pattern)
        .map_err(|error| reader.fault("", error.to_string()))
        .ok();
    reader.rule(pattern)
}

fn listed_rule(index: usize, body: &Value, faults: &mut Vec<RuleFault>) -> Option<RuleSpec> {
    let names: Vec<_> = KEYS.iter().map(|key| key.name).collect();
    let mut reader = Reader::new(format!("[{index}]"), body, &names, faults)?;
    let pattern = reader.required(PATTERN).and_then(|text| {
        Pattern::parse(text)
            .map_err(|error| reader.fault(PATTERN, error.to_string()))
            .ok()
    });
    reader.rule(pattern)
}

/// One rule's keys, and where its faults go.
struct Reader<'a> {
    at: String,
    body: &'a Map<String, Value>,
    faults: &'a mut Vec<RuleFault>,
}

impl<'a> Reader<'a> {
    /// None, with a fault, for a rule that is no object. Unknown keys are faults at once.
    fn new(
        at: String,
        body: &'a Value,
        known: &[&str],
        faults: &'a mut Vec<RuleFault>,
    ) -> Option<Self> {
        let Value::Object(body) = body else {
            faults.push(fault(at, "expected an object".to_owned()));
            return None;
        };
        let mut reader = Self { at, body, faults };
        for key in body.keys().filter(|key| !known.contains(&key.as_str())) {
            let reason = format!(
                "unknown key; the nearest known one is {:?}",
                nearest(key, known)
            );
            reader.fault(&shortened(key), reason);
        }
        Some(reader)
    }

    /// Reads everything but the pattern; None when anything at all was wrong.
    fn rule(&mut self, pattern: Option<Pattern>) -> Option<RuleSpec> {
        let target = self
            .required(TARGET)
            .and_then(|text| self.template(TARGET, text))
            .and_then(|target| {
                target::check(&target)
                    .map_err(|reason| self.fault(TARGET, reason.to_owned()))
                    .ok()?;
                Some(target)
            });
        let rewrite = self
            .text(REWRITE)
            .and_then(|text| self.template(REWRITE, text));
        let change_origin = self.flag(CHANGE_ORIGIN).unwrap_or(false);
        let secure = self.flag(SECURE).unwrap_or(true);
        let headers = self.headers();
        Some(RuleSpec {
            at: self.at.clone(),
            pattern: pattern?,
            target: target?,
            rewrite,
            change_origin,
            secure,
            headers,
        })
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.body.get(key).filter(|value| !value.is_null())
    }

    fn required(&mut self, key: &'static str) -> Option<&'a str> {
        if self.value(key).is_none() {
            self.fault(key, "is missing".to_owned());
        }
        self.text(key)
    }

    fn text(&mut self, key: &'static str) -> Option<&'a str> {
        let value = self.value(key)?;
        if !value.is_string() {
            self.fault(key, "expected a string".to_owned());
        }
        value.as_str()
    }

    fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        if !value.is_boolean() {
            self.fault(key, "expected true or false".to_owned());
        }
        value.as_bool()
    }

    fn template(&mut self, key: &str, text: &str) -> Option<Template> {
        Template::parse(text)
            .map_err(|error| self.fault(key, error.to_string()))
            .ok()
    }

    fn headers(&mut self) -> Vec<(HeaderName, Template)> {
        let headers = match self.value(HEADERS) {
            None => return Vec::new(),
            Some(Value::Object(headers)) => headers,
            Some(_) => {
                self.fault(HEADERS, "expected an object of name and value".to_owned());
                return Vec::new();
            }
        };
        headers
            .iter()
            .filter_map(|(name, value)| self.header(name, value))
            .collect()
    }

    fn header(&mut self, name: &str, value: &Value) -> Option<(HeaderName, Template)> {
        let key = format!("{HEADERS}[{:?}]", shortened(name));
        let Ok(name) = name.parse::<HeaderName>() else {
            self.fault(&key, "is not a header's name".to_owned());
            return None;
        };
        if OF_THE_CONNECTION.contains(&name.as_str()) {
            self.fault(&key, "is the connection's own and cannot be set".to_owned());
            return None;
        }
        let Some(text) = value.as_str() else {
            self.fault(&key, "expected a string".to_owned());
            return None;
        };
        // The value is not shown: it may be a credential.
        if HeaderValue::from_str(text).is_err() {
            self.fault(
                &key,
                "has a character that no header's value may have".to_owned(),
            );
            return None;
        }
        Some((name, self.template(&key, text)?))
    }

    fn fault(&mut self, key: &str, reason: String) {
        let dot = if key.is_empty() { "" } else { "." };
        self.faults
            .push(fault(format!("{}{dot}{key}", self.at), reason));
    }
}

fn fault(at: String, reason: String) -> RuleFault {
    RuleFault {
        at,
        reason,
        cause: Cause::Rule,
    }
}

fn nearest<'k>(key: &str, known: &[&'k str]) -> &'k str {
    let distance = |name: &&&str| {
        strsim::damerau_levenshtein(&shortened(key).to_lowercase(), &name.to_lowercase())
    };
    known.iter().min_by_key(distance).expect("a rule has keys")
}

/// Enough of a text to find it again; a fault is one readable line.
fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests;
