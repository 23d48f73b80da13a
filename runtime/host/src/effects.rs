//! Which events of a batch left something outside of the guest: anything that a client, another guest or the next event
//! could see.
//!
//! **Invariant:** what is in doubt counts. It is noted before it is tried, whatever comes of it; and what is done before
//! any event was begun is noted for all of them.
//! **Absent on purpose:** taking anything back. What is only seen by the guest (its memory, clocks, chance, what it reads)
//! and lines of the log are no effects.

use rookery_contract::BATCH_EVENTS_MAX;

// One bit for each event.
const _: () = assert!(BATCH_EVENTS_MAX <= u64::BITS as usize);

/// What is known of the batch that runs, or ran last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effects {
    began: Option<usize>,
    left: u64,
}

impl Effects {
    /// The guest says that it works on the event at this index now.
    pub fn begin(&mut self, index: usize) {
        self.began = Some(index);
    }

    /// Something is about to be left.
    pub fn note(&mut self) {
        self.left |= self.began.and_then(bit).unwrap_or(u64::MAX);
    }

    /// The index of the event that was begun last; `None` when none was.
    pub fn began(&self) -> Option<usize> {
        self.began
    }

    /// Whether that event left something. Also when nobody can say which one it is.
    pub fn has_left(&self) -> bool {
        match self.began.and_then(bit) {
            Some(bit) => self.left & bit != 0,
            None => true,
        }
    }
}

/// `None` for an index that no event of a batch has.
fn bit(index: usize) -> Option<u64> {
    let index = u32::try_from(index).ok()?;
    1_u64.checked_shl(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Call {
        Begin(usize),
        Note,
    }

    use Call::{Begin, Note};

    #[test]
    fn an_effect_is_that_of_the_event_which_was_begun_and_counts_in_doubt() {
        let check = |calls: &[Call], expected: (Option<usize>, bool)| {
            let mut effects = Effects::default();
            for call in calls {
                match call {
                    Begin(index) => effects.begin(*index),
                    Note => effects.note(),
                }
            }
            assert_eq!((effects.began(), effects.has_left()), expected);
        };
        check(&[], (None, true));
        check(&[Begin(0)], (Some(0), false));
        check(&[Begin(0), Note], (Some(0), true));
        check(&[Begin(0), Note, Begin(1)], (Some(1), false));
        check(&[Begin(0), Note, Begin(1), Begin(0)], (Some(0), true));
        check(&[Begin(0), Note, Begin(0)], (Some(0), true));
        // Whose it was is not known.
        check(&[Note, Begin(1)], (Some(1), true));
        check(&[Begin(63)], (Some(63), false));
        check(&[Begin(64)], (Some(64), true));
        check(&[Begin(64), Note, Begin(2)], (Some(2), true));
    }
}
