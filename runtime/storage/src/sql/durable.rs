//! Output commit: when what was written may be spoken of.
//!
//! A write is applied at once and made durable with the other writes of its group. Until then nobody outside is told of
//! it: whoever holds output of a guest that wrote, waits for the group first.
//!
//! **Invariant:** a group is settled exactly once: when its commit succeeded or failed, or when its writer is gone.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

/// The group was not made durable: what was written in it is undone.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the writes were not made durable: {0}")]
pub struct CommitError(pub String);

#[derive(Clone, Debug)]
enum State {
    Open,
    Settled(Result<(), CommitError>),
}

/// The writer's side of a group.
#[derive(Debug)]
pub struct Group {
    state: watch::Sender<State>,
    wanted: Arc<Notify>,
}

/// The way to wait for a group. Clones wait for the same.
#[derive(Clone, Debug)]
pub struct Durable {
    state: watch::Receiver<State>,
    wanted: Arc<Notify>,
}

impl Group {
    /// A group that is open; `wanted` is told when somebody waits for its end.
    pub fn open(wanted: &Arc<Notify>) -> Group {
        Group {
            state: watch::Sender::new(State::Open),
            wanted: Arc::clone(wanted),
        }
    }

    /// Something to wait with.
    pub fn durable(&self) -> Durable {
        Durable {
            state: self.state.subscribe(),
            wanted: Arc::clone(&self.wanted),
        }
    }

    /// Tells everyone how it ended.
    pub fn settle(self, outcome: Result<(), CommitError>) {
        self.state.send_replace(State::Settled(outcome));
    }
}

impl Durable {
    /// Waits until the group is durable. Asking for it is what makes an idle writer commit.
    ///
    /// # Errors
    /// [`CommitError`] when what was written is lost.
    pub async fn wait(mut self) -> Result<(), CommitError> {
        if matches!(*self.state.borrow(), State::Open) {
            self.wanted.notify_one();
        }
        let settled = self
            .state
            .wait_for(|state| matches!(state, State::Settled(_)))
            .await;
        match settled.as_deref() {
            Ok(State::Settled(outcome)) => outcome.clone(),
            Ok(State::Open) | Err(_) => Err(CommitError("the writer ended".to_owned())),
        }
    }

    /// Whether it is durable already.
    pub fn is_kept(&self) -> bool {
        matches!(*self.state.borrow(), State::Settled(Ok(())))
    }

    /// Whether it is known how it ended.
    pub fn is_settled(&self) -> bool {
        matches!(*self.state.borrow(), State::Settled(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_is_told_how_the_group_ended() {
        let wanted = Arc::new(Notify::new());
        let group = Group::open(&wanted);
        let (first, second) = (group.durable(), group.durable());
        let waits = tokio::spawn(first.wait());
        wanted.notified().await;
        assert!(!second.is_settled() && !second.is_kept());
        group.settle(Ok(()));
        assert_eq!(waits.await.expect("it waits"), Ok(()));
        assert_eq!(second.wait().await, Ok(()));
    }

    #[tokio::test]
    async fn a_writer_that_is_gone_made_nothing_durable() {
        let group = Group::open(&Arc::default());
        let durable = group.durable();
        drop(group);
        assert!(durable.wait().await.is_err());
    }
}
