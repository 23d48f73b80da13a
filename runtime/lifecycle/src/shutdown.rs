//! The wish to stop, told to everybody at once.
//!
//! **Invariant:** a request is never taken back, and whoever asks after it was made gets the same answer as whoever waited.
//! **Absent on purpose:** a deadline. How long the end may take is the drain's affair.

use tokio_util::sync::CancellationToken;

/// A shared flag that can be waited for. Clones are the same flag; a [`child`](Shutdown::child) is one of its own.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

impl Shutdown {
    /// A flag that nobody has raised.
    pub fn new() -> Shutdown {
        Shutdown::default()
    }

    /// Asks everybody who holds this flag, or a child of it, to stop. Asking twice is asking once.
    pub fn request(&self) {
        self.token.cancel();
    }

    /// Whether it was asked to stop.
    pub fn is_requested(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until it is asked to stop. Safe to drop and to call again, as `select!` does.
    pub async fn requested(&self) {
        self.token.cancelled().await;
    }

    /// A flag for a part: raised with this one, and by itself without touching this one.
    pub fn child(&self) -> Shutdown {
        Shutdown {
            token: self.token.child_token(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_clone_sees_the_request() {
        let shutdown = Shutdown::new();
        let clone = shutdown.clone();
        assert!(!clone.is_requested());
        shutdown.request();
        clone.requested().await;
        assert!(clone.is_requested());
    }

    #[tokio::test]
    async fn a_child_stops_with_its_parent_and_also_alone() {
        let parent = Shutdown::new();
        let (first, second) = (parent.child(), parent.child());
        first.request();
        assert!(first.is_requested());
        assert!(!parent.is_requested());
        assert!(!second.is_requested());
        parent.request();
        second.requested().await;
        assert!(
            parent.child().is_requested(),
            "a child born late is told too"
        );
    }
}
