//! What stands behind the question mark.

use std::borrow::Cow;

use http::Uri;

/// The fields of a query, decoded.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Of a request.
    pub fn of(uri: &Uri) -> Query {
        let query = uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        Query(
            pairs
                .map(|(name, value)| (owned(name), owned(value)))
                .collect(),
        )
    }

    /// The last value of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().rev().find(|(one, _)| one == name);
        pair.map(|(_, value)| value.as_str())
    }

    /// Whether something is wished for: `?force`, `?force=true` and `?force=1`.
    pub fn wishes(&self, name: &str) -> bool {
        matches!(self.get(name), Some("" | "true" | "1"))
    }
}

fn owned(text: Cow<'_, str>) -> String {
    text.into_owned()
}
