//! The server's own environment, which its workers could read in `/proc`: they are processes of the same user.

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Lets nobody but root look into this process: neither its environment nor its memory, and it leaves no core dump. What
/// it starts is as open as ever.
///
/// A server that runs as root gains nothing: its workers are root, too.
pub fn keep_secrets() {
    // A system that does not know the wish has no such files either.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

#[cfg(test)]
mod tests {
    use rustix::process::dumpable_behavior;

    use super::*;

    #[test]
    fn a_process_that_keeps_its_secrets_is_not_dumped() {
        keep_secrets();
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}
