//! Proxy rules of a bundle: which paths go to which upstream, and how they are rewritten on the way.
//!
//! A [`RuleSpec`] is a rule as its author wrote it; [`parse`] reads them from a manifest. A [`RuleSet`] is what they become
//! once the operator's environment is known; [`RuleSet::find`] is asked for every request.
//!
//! **Invariant:** a [`RuleSpec`] that exists is well formed, and a [`Rule`] that exists can be applied to any path: what
//! it gives is a valid URI on its own target, whatever the path was. The order of the file is kept, because the first
//! rule that matches wins. No pattern can run for longer than its limit.
//! **Absent on purpose:** files, sockets and the environment: this crate reads a JSON value, is given variables, and
//! answers. `upstream` sends what it says.

mod rule;

mod pattern;

mod template;

mod target;

mod parse;

mod schema;

mod path;

mod engine;

mod rewrite;

mod compiled;

mod ruleset;

mod matched;

mod error;

pub use compiled::{Certificate, Rule};
pub use engine::Engine;
pub use error::{Cause, RuleFault, UriTooLong};
pub use matched::Matched;
pub use parse::{RULES_MAX, parse};
pub use pattern::{PATTERN_BYTES_MAX, Pattern, PatternError};
pub use rule::RuleSpec;
pub use ruleset::{GaveUp, Lookup, PATH_BYTES_MAX, RuleSet};
pub use schema::schema;
pub use target::{Scheme, Target};
pub use template::{Template, TemplateError};
