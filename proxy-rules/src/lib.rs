//! Proxy rules of a bundle: which paths go to which upstream, and how they are rewritten on the way.
//!
//! **Invariant:** a [`RuleSpec`] that exists is well formed: its pattern has the syntax of a JavaScript regex, its target
//! is a URL or names the variables that make it one, its headers can be sent. The order of the file is kept, because
//! the first rule that matches wins.
//! **Absent on purpose:** matching and rewriting, which come with the proxy itself; files, sockets and the
//! environment, which never come. This crate reads a JSON value and answers.

mod rule;

mod pattern;

mod template;

mod target;

mod parse;

mod schema;

mod error;

pub use error::RuleFault;
pub use parse::{RULES_MAX, parse};
pub use pattern::{Engine, PATTERN_BYTES_MAX, Pattern, PatternError};
pub use rule::RuleSpec;
pub use schema::schema;
pub use template::{Template, TemplateError};
