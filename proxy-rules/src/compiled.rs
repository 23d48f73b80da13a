//! One rule, ready: its variables filled in, its pattern compiled, its headers written.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::engine::{Engine, Filter, Matcher};
use crate::error::{Cause, RuleFault};
use crate::rewrite::Rewrite;
use crate::rule::RuleSpec;
use crate::schema::{HEADERS, REWRITE, TARGET};
use crate::target::Target;
use crate::template::{NoValue, Template, Variables};

/// A rule that can be used.
#[derive(Debug)]
pub struct Rule {
    index: usize,
    name: String,
    pub(crate) matcher: Matcher,
    pub(crate) rewrite: Option<Rewrite>,
    target: Target,
    certificate: Certificate,
    headers: Vec<(HeaderName, HeaderValue)>,
    gave_up: AtomicU64,
}

/// Which certificates of a target are taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Certificate {
    /// Those that the machine's own roots vouch for.
    Verified,
    /// Any: `secure` is false.
    Any,
}

impl Rule {
    pub(crate) fn compile(
        index: usize,
        spec: &RuleSpec,
        filter: &Filter,
        variables: &Variables<'_>,
    ) -> Result<Self, Vec<RuleFault>> {
        let mut faults = Faults {
            at: &spec.at,
            found: Vec::new(),
        };
        let target = faults
            .filled(TARGET, &spec.target, variables)
            .and_then(|text| faults.known(TARGET, Target::parse(&text)));
        let pieces = spec.rewrite.as_ref().map(|rewrite| rewrite.fill(variables));
        let rewrite = pieces.and_then(|pieces| {
            let pieces = faults.set(REWRITE, pieces)?;
            Some(Rewrite::new(&pieces, spec.pattern.tree()))
        });
        let headers = faults.headers(spec, variables);
        let read = rewrite
            .as_ref()
            .map_or_else(BTreeSet::new, Rewrite::read_groups);
        let (Some(target), true) = (target, faults.found.is_empty()) else {
            return Err(faults.found);
        };
        Ok(Self {
            index,
            name: spec.pattern.as_str().to_owned(),
            matcher: Matcher::new(spec.pattern.tree(), &read, filter),
            rewrite,
            certificate: if spec.secure {
                Certificate::Verified
            } else {
                Certificate::Any
            },
            headers: own_headers(spec, &target).chain(headers).collect(),
            target,
            gave_up: AtomicU64::new(0),
        })
    }

    /// Its place in the file, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its pattern, as its author wrote it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which engine runs its pattern.
    pub fn engine(&self) -> Engine {
        self.matcher.engine()
    }

    /// Where it sends requests.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Which certificates of the target are taken.
    pub fn certificate(&self) -> Certificate {
        self.certificate
    }

    /// The headers that it sets, in order: with `changeOrigin` the target's `Host` and `Origin`, then its own. A later
    /// one of a name counts.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// Puts its headers over a request's.
    pub fn set_headers(&self, request: &mut HeaderMap) {
        for (name, value) in &self.headers {
            request.insert(name.clone(), value.clone());
        }
    }

    /// On how many paths its pattern came to its limit of steps.
    pub fn gave_up(&self) -> u64 {
        self.gave_up.load(Ordering::Relaxed)
    }

    /// Counts a path on which the pattern came to its limit; whether it is the first.
    pub(crate) fn count_giving_up(&self) -> bool {
        self.gave_up.fetch_add(1, Ordering::Relaxed) == 0
    }
}

fn own_headers(
    spec: &RuleSpec,
    target: &Target,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let own = spec.change_origin.then(|| {
        [
            (HOST, target.host_header()),
            (ORIGIN, target.origin_header()),
        ]
    });
    own.into_iter().flatten()
}

/// Where a rule's faults go.
struct Faults<'a> {
    at: &'a str,
    found: Vec<RuleFault>,
}

impl Faults<'_> {
    fn push(&mut self, key: &str, reason: String, cause: Cause) {
        let dot = if key.is_empty() { "" } else { "." };
        self.found.push(RuleFault {
            at: format!("{}{dot}{key}", self.at),
            reason,
            cause,
        });
    }

    fn known<T, E: ToString>(&mut self, key: &str, outcome: Result<T, E>) -> Option<T> {
        outcome
            .map_err(|reason| self.push(key, reason.to_string(), Cause::Rule))
            .ok()
    }

    fn set<T>(&mut self, key: &str, outcome: Result<T, Vec<NoValue>>) -> Option<T> {
        let missing = match outcome {
            Ok(value) => return Some(value),
            Err(missing) => missing,
        };
        for no_value in missing {
            let reason = no_value.to_string();
            self.push(
                key,
                reason,
                match no_value {
                    NoValue::NotGranted(_) => Cause::Rule,
                    NoValue::NotSet(name) => Cause::NotSet(name),
                },
            );
        }
        None
    }

    fn filled(
        &mut self,
        key: &str,
        template: &Template,
        variables: &Variables<'_>,
    ) -> Option<String> {
        self.set(key, template.filled(variables))
    }

    fn headers(
        &mut self,
        spec: &RuleSpec,
        variables: &Variables<'_>,
    ) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::new();
        for (name, template) in &spec.headers {
            let key = format!("{HEADERS}[{:?}]", name.as_str());
            let text = self.filled(&key, template, variables);
            let value = text.and_then(|text| self.known(&key, header(name, &text)));
            headers.extend(value.map(|mut value| {
                // What an operator keeps in a variable is kept out of logs.
                value.set_sensitive(template.variables().next().is_some());
                (name.clone(), value)
            }));
        }
        headers
    }
}

/// A header's value. The text is not in the error: it may be a credential.
fn header(name: &HeaderName, text: &str) -> Result<HeaderValue, &'static str> {
    if name == HOST && text.parse::<Authority>().is_err() {
        return Err("is not a host");
    }
    HeaderValue::from_str(text).map_err(|_| "has a character that no header's value may have")
}
