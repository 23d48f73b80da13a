//! What is wrong with a rule.

/// One fault in one rule. A bundle's author sees all of them together.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{at}: {reason}")]
pub struct RuleFault {
    /// Which rule and which of its keys, from the rules' own place: `[0].target`, `["^/api/"].rewrite`; empty for all.
    pub at: String,
    /// What is wrong, in one line.
    pub reason: String,
}
