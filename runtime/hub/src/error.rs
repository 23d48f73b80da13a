//! What the hub refuses a guest, beside what the contract has a type for.

/// Why a timer or an automatic reply was not set. The guest is not told; the text is for the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// No such session in the guest's namespace, or it was detached.
    #[error("the session is gone")]
    Gone,
    /// A timer's name is at most 64 bytes.
    #[error("the timer's name is longer than 64 bytes")]
    TimerName,
    /// The session has as many timers as it may have.
    #[error("the session has too many timers")]
    TooManyTimers,
    /// Request and response of an automatic reply are at most 4 KiB each.
    #[error("the automatic reply is larger than 4 KiB")]
    AutoReplySize,
}
