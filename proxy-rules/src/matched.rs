//! A path that a rule matched: what is to be asked of the target.

use http::Uri;
use http::uri::PathAndQuery;

use crate::compiled::Rule;
use crate::engine::Groups;
use crate::error::UriTooLong;
use crate::path;

/// The rule that a path is for, and what becomes of the path.
#[derive(Debug)]
pub struct Matched<'a> {
    rule: &'a Rule,
    sent: Result<Sent, UriTooLong>,
}

/// Path and query, before the request's own query.
#[derive(Debug)]
struct Sent {
    /// The target's base and the rewritten path.
    path: String,
    /// The target's query and the rewrite's.
    query: Option<String>,
}

impl<'a> Matched<'a> {
    pub(crate) fn new(rule: &'a Rule, path: &str, groups: &Groups) -> Self {
        Self {
            rule,
            sent: Sent::new(rule, path, groups),
        }
    }

    /// Of a path that is too long for any rule.
    pub(crate) fn too_long(rule: &'a Rule) -> Self {
        Self {
            rule,
            sent: Err(UriTooLong),
        }
    }

    /// The rule.
    pub fn rule(&self) -> &'a Rule {
        self.rule
    }

    /// What to ask for: the target's base and the rewritten path; and of the queries of target, rewrite and request those
    /// that there are, in this order, with `&` between them.
    pub fn path_and_query(&self, request_query: Option<&str>) -> Result<PathAndQuery, UriTooLong> {
        let sent = self.sent.as_ref().map_err(|error| *error)?;
        let request_query = request_query.map(|query| path::encoded(query, path::is_query));
        let query = joined([sent.query.as_deref(), request_query.as_deref()]);
        let whole = match query {
            Some(query) => format!("{}?{query}", sent.path),
            None => sent.path.clone(),
        };
        // It begins with a slash and has no character that a URI could not have: what is left to refuse is its length.
        PathAndQuery::try_from(whole).map_err(|_| UriTooLong)
    }

    /// The same with the target in front.
    pub fn uri(&self, request_query: Option<&str>) -> Result<Uri, UriTooLong> {
        let path_and_query = self.path_and_query(request_query)?;
        Ok(self.rule.target().uri(path_and_query))
    }
}

impl Sent {
    fn new(rule: &Rule, path: &str, groups: &Groups) -> Result<Self, UriTooLong> {
        let target = rule.target();
        let rewritten = rule.rewrite.as_ref();
        let rewritten = rewritten.map(|rewrite| rewrite.apply(path, groups));
        let (path, query) = match rewritten {
            None => (path.to_owned(), None),
            Some(rewritten) => rewritten.map_err(|_| UriTooLong)?,
        };
        Ok(Self {
            path: match target.base.as_str() {
                "" => path,
                base => [base, path.as_str()].concat(),
            },
            query: joined([target.query.as_deref(), query.as_deref()]),
        })
    }
}

/// The queries that there are, one after the other. An empty one counts only where it is alone.
fn joined(queries: [Option<&str>; 2]) -> Option<String> {
    let [first, second] = queries;
    match (first.filter(|query| !query.is_empty()), second) {
        (Some(first), Some(second)) if !second.is_empty() => Some(format!("{first}&{second}")),
        (Some(first), _) => Some(first.to_owned()),
        (None, Some(second)) => Some(second.to_owned()),
        (None, None) => first.map(str::to_owned),
    }
}
