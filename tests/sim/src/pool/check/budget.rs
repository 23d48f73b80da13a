//! There are never more workers than the budget has places: those that are being started count, and those that nobody
//! asked for.

use crate::pool::event::{Event, Presence};
use crate::trace::Entry;

pub fn check(entries: &[Entry<Event>], budget: usize) -> Vec<String> {
    let (mut alive, mut wrong) = (0_usize, Vec::new());
    for entry in entries {
        match entry.event {
            Event::Starting(worker, _) => {
                alive += 1;
                if alive > budget {
                    wrong.push(format!(
                        "worker {worker} is one more than the budget's {budget}"
                    ));
                }
            }
            Event::Spare(Presence::Yes) => {
                alive += 1;
                if alive > budget {
                    wrong.push(format!("a spare is one more than the budget's {budget}"));
                }
            }
            Event::NotStarted(_) | Event::Gone(_) | Event::Spare(Presence::No) => {
                alive = alive.saturating_sub(1)
            }
            _ => {}
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::check::told;

    #[test]
    fn one_worker_too_many_is_found() {
        let fine = [Event::Starting(0, 0), Event::Gone(0), Event::Starting(1, 0)];
        assert!(check(&told(fine), 1).is_empty());
        let failed = [
            Event::Starting(0, 0),
            Event::NotStarted(0),
            Event::Starting(1, 0),
        ];
        assert!(check(&told(failed), 1).is_empty());
        let wrong = [
            Event::Starting(0, 0),
            Event::Started(0),
            Event::Starting(1, 0),
        ];
        assert_eq!(check(&told(wrong), 1).len(), 1);
    }

    #[test]
    fn a_spare_is_a_worker_too() {
        let (comes, goes) = (Event::Spare(Presence::Yes), Event::Spare(Presence::No));
        let fine = [comes.clone(), goes, Event::Starting(0, 0)];
        assert!(check(&told(fine), 1).is_empty());
        let wrong = [comes.clone(), Event::Starting(0, 0)];
        assert_eq!(check(&told(wrong), 1).len(), 1);
        let wrong = [Event::Starting(0, 0), comes];
        assert_eq!(check(&told(wrong), 1).len(), 1);
    }
}
