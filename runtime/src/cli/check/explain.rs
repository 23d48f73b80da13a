//! Which proxy rule a path is for, and what the rule's target would be sent.
//!
//! **Absent on purpose:** asking the target, and what a server adds for every rule alike (`X-Forwarded-For` and the like).
//! A value that comes out of a variable is not shown: it may be a credential.

use http::header::HOST;
use rookery_proxy_rules::{Certificate, Engine, Matched, Rule, RuleSet};
use serde_json::{Value, json};

use crate::style::{BAD, DIM, GOOD, KEY, WARN, paint};

/// What became of one path.
pub struct Explained {
    path: String,
    rules: usize,
    found: Option<Sent>,
    /// The patterns that came to their limit.
    gave_up: Vec<String>,
}

/// What would be sent, whatever the method; for a WebSocket, too.
struct Sent {
    /// From 0.
    index: usize,
    pattern: String,
    engine: Engine,
    url: Result<String, String>,
    /// None: as the client sent it.
    host: Option<String>,
    headers: Vec<(String, String)>,
    certificate: Certificate,
}

impl Explained {
    /// Asks the rules for a path, which may have a query.
    pub fn of(rules: &RuleSet, asked: &str) -> Self {
        let (path, query) = match asked.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (asked, None),
        };
        let lookup = rules.find(path);
        let gave_up = lookup.gave_up.iter();
        Self {
            path: asked.to_owned(),
            rules: rules.rules().len(),
            found: lookup.matched.map(|matched| Sent::of(&matched, query)),
            gave_up: gave_up.map(|one| one.rule.name().to_owned()).collect(),
        }
    }

    /// For a person, a line each.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .gave_up
            .iter()
            .map(|pattern| {
                let limit = paint(WARN, "gave up:");
                format!("{limit} {pattern} came to its limit of steps and counts as not matching")
            })
            .collect();
        match &self.found {
            Some(sent) => lines.extend(sent.lines(&self.path, self.rules)),
            None => lines.push(format!(
                "{} is for no proxy rule, of {}: files and workers are asked",
                paint(KEY, &self.path),
                self.rules
            )),
        }
        lines
    }

    /// For scripts.
    pub fn to_json(&self) -> Value {
        json!({
            "path": self.path,
            "rule": self.found.as_ref().map(Sent::to_json),
            "gaveUp": self.gave_up,
        })
    }
}

impl Sent {
    fn of(matched: &Matched<'_>, query: Option<&str>) -> Self {
        let rule = matched.rule();
        let url = matched.uri(query);
        Self {
            index: rule.index(),
            pattern: rule.name().to_owned(),
            engine: rule.engine(),
            url: url
                .map(|url| url.to_string())
                .map_err(|error| error.to_string()),
            host: host(rule),
            headers: headers(rule),
            certificate: rule.certificate(),
        }
    }

    fn lines(&self, path: &str, rules: usize) -> Vec<String> {
        let number = self.index + 1;
        let mut lines = vec![
            format!("{} is for proxy rule {number} of {rules}", paint(KEY, path)),
            labelled(
                "pattern",
                format!("{} ({})", self.pattern, self.engine_text()),
            ),
            match &self.url {
                Ok(url) => labelled("url", paint(GOOD, url)),
                Err(error) => labelled("url", paint(BAD, error)),
            },
            match &self.host {
                Some(host) => labelled("host", host),
                None => labelled("host", paint(DIM, "as the client sent it")),
            },
        ];
        let headers = self.headers.iter();
        lines.extend(headers.map(|(name, value)| labelled("header", format!("{name}: {value}"))));
        if self.certificate == Certificate::Any {
            lines.push(labelled("certificate", paint(WARN, "not verified")));
        }
        lines
    }

    fn engine_text(&self) -> &'static str {
        match self.engine {
            Engine::Linear => "linear time",
            Engine::Bounded => "counted steps",
        }
    }

    fn to_json(&self) -> Value {
        let headers: serde_json::Map<String, Value> = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        json!({
            "index": self.index,
            "pattern": self.pattern,
            "engine": match self.engine {
                Engine::Linear => "linear",
                Engine::Bounded => "bounded",
            },
            "url": self.url.as_ref().ok(),
            "error": self.url.as_ref().err(),
            "host": self.host,
            "headers": headers,
            "verifiesCertificate": self.certificate == Certificate::Verified,
        })
    }
}

fn labelled(label: &str, value: impl std::fmt::Display) -> String {
    format!("  {} {value}", paint(DIM, format_args!("{label:<11}")))
}

fn host(rule: &Rule) -> Option<String> {
    // The last one of a name counts.
    let (_, host) = rule.headers().iter().rfind(|(name, _)| name == HOST)?;
    Some(shown(host))
}

/// What is set beside the host, each name once.
fn headers(rule: &Rule) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in rule.headers().iter().filter(|(name, _)| name != HOST) {
        headers.retain(|(known, _)| known != name.as_str());
        headers.push((name.to_string(), shown(value)));
    }
    headers
}

fn shown(value: &http::HeaderValue) -> String {
    if value.is_sensitive() {
        "(from a variable)".to_owned()
    } else {
        String::from_utf8_lossy(value.as_bytes()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn explained(path: &str) -> Explained {
        let rules = json!([
            {"pattern": r"^/(?:a+)+(?=x)", "target": "http://slow"},
            {
                "pattern": r"^/api/v(\d+)/(.*)$", "target": "https://b/base", "rewrite": "/$1/$2", "changeOrigin": true,
                "secure": false, "headers": {"x-a": "1", "Origin": "https://other", "authorization": "Bearer ${TOKEN}"},
            },
            {"pattern": "^/plain", "target": "http://b"},
        ]);
        let specs = rookery_proxy_rules::parse(&rules).unwrap();
        let granted = ["TOKEN".to_owned()];
        let rules = RuleSet::compile(&specs, &granted, &|_| Some("s3cret".to_owned())).unwrap();
        Explained::of(&rules, path)
    }

    #[test]
    fn a_path_is_explained_with_what_would_be_sent() {
        let json = explained("/api/v2/users?q=1").to_json();
        let rule = &json["rule"];
        assert_eq!(
            (&rule["index"], &rule["engine"]),
            (&1.into(), &"linear".into())
        );
        assert_eq!(rule["url"], "https://b/base/2/users?q=1");
        assert_eq!(rule["host"], "b");
        assert_eq!(rule["verifiesCertificate"], false);
        assert_eq!(
            rule["headers"],
            json!({"x-a": "1", "origin": "https://other", "authorization": "(from a variable)"})
        );
        let lines = explained("/api/v2/users?q=1").lines().join("\n");
        assert!(lines.contains("proxy rule 2 of 3"), "{lines}");
        assert!(!lines.contains("s3cret"), "{lines}");
    }

    #[test]
    fn a_client_keeps_its_host_where_no_rule_changes_it() {
        let json = explained("/plain").to_json();
        assert_eq!(json["rule"]["host"], Value::Null);
        assert_eq!(json["rule"]["verifiesCertificate"], true);
    }

    #[test]
    fn what_matches_nothing_or_gives_up_is_said() {
        let json = explained("/x").to_json();
        assert_eq!((&json["rule"], &json["gaveUp"]), (&Value::Null, &json!([])));
        let slow = explained(&format!("/{}", "a".repeat(100)));
        assert_eq!(slow.to_json()["gaveUp"], json!([r"^/(?:a+)+(?=x)"]));
        assert!(slow.lines()[0].contains("limit"), "{:?}", slow.lines());
    }
}
