//! One proxy rule as its author wrote it, checked.

use http::HeaderName;

use crate::pattern::Pattern;
use crate::template::Template;

/// A rule: requests whose path matches `pattern` go to `target`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleSpec {
    /// Tried on the path below the app, without the query; not anchored unless it says so.
    pub pattern: Pattern,
    /// Where matching requests go: an `http`, `https`, `ws` or `wss` URL once its variables are filled in.
    pub target: Template,
    /// The path to ask the target for, with `$1` … `$n` for the pattern's groups. None keeps the path.
    pub rewrite: Option<Template>,
    /// Whether `Host` and `Origin` are the target's instead of the client's. Off by default.
    pub change_origin: bool,
    /// Whether the target's certificate is verified. On by default.
    pub secure: bool,
    /// Headers to send with the request, over the client's own, in the file's order.
    pub headers: Vec<(HeaderName, Template)>,
}

impl RuleSpec {
    /// The names of every `${NAME}` in the rule, each once, in the order of target, rewrite and headers.
    pub fn variables(&self) -> Vec<&str> {
        let templates = std::iter::once(&self.target)
            .chain(&self.rewrite)
            .chain(self.headers.iter().map(|(_, value)| value));
        let mut names = Vec::new();
        for name in templates.flat_map(Template::variables) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}
