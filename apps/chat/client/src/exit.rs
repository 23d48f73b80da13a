//! How the program ends.
//!
//! **Invariant:** a number means one thing, for ever: scripts read it. docs/chat-client.md lists them.

use std::process::ExitCode;

/// Why the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// As the user wanted; what was piped in was acknowledged.
    Left,
    /// The terminal or the output failed.
    Local,
    /// The server could not be reached for as long as one was ready to wait.
    Unreachable,
    /// The server answered, and does not want us: no chat at this address, a name that it refuses, a code that says not
    /// to come back. Or it is not who it has to be.
    Refused,
    /// It ended before everything that was piped in was acknowledged, or a line could not be sent.
    Undelivered,
}

impl Exit {
    /// The process' exit code. 2 is a wrong argument's.
    pub fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Exit::Left => 0,
            Exit::Local => 1,
            Exit::Unreachable => 3,
            Exit::Refused => 4,
            Exit::Undelivered => 5,
        })
    }
}
