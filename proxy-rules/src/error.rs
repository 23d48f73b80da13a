//! What is wrong with a rule.

/// One fault in one rule. A bundle's author sees all of them together.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{at}: {reason}")]
pub struct RuleFault {
    /// Which rule and which of its keys, from the rules' own place: `[0].target`, `["^/api/"].rewrite`; empty for all.
    pub at: String,
    /// What is wrong, in one line.
    pub reason: String,
    /// Whose it is to mend.
    pub cause: Cause,
}

/// Whose a fault is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The author's: the rule is wrong everywhere.
    Rule,
    /// The operator's: this variable is not set here.
    NotSet(String),
}

/// What was asked for is longer than rules are asked about, [`PATH_BYTES_MAX`](crate::PATH_BYTES_MAX); or what would be sent
/// is longer than a URI can be: 65,534 bytes, or a rewrite of more than 60,000.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the path is too long, as it is asked for or as it would be sent")]
pub struct UriTooLong;
