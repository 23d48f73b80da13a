//! One proxy rule as its author wrote it, checked.

use std::collections::BTreeSet;

use http::HeaderName;

use crate::engine::Engine;
use crate::pattern::Pattern;
use crate::rewrite::Rewrite;
use crate::template::{Piece, Template};

/// A rule: requests whose path matches `pattern` go to `target`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleSpec {
    /// Where the rule stands among the rules: `[0]`, `["^/api/"]`.
    pub at: String,
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
    /// Which engine the rule needs.
    pub fn engine(&self) -> Engine {
        Engine::of(self.pattern.tree(), &self.read_groups())
    }

    /// The groups that the rewrite reads, whatever its variables hold.
    fn read_groups(&self) -> BTreeSet<u32> {
        let rewrite = self.rewrite.as_ref().map(|rewrite| {
            let pieces: Vec<_> = rewrite.texts().map(Piece::Text).collect();
            Rewrite::new(&pieces, self.pattern.tree())
        });
        rewrite.map_or_else(BTreeSet::new, |rewrite| rewrite.read_groups())
    }

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
