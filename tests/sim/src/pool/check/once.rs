//! No request is lost and none is served twice: whoever comes hears one thing, and one worker at most worked for him.

use std::collections::BTreeMap;

use crate::pool::event::{ClientId, Event, WorkerId};
use crate::trace::Entry;

#[derive(Default)]
struct Course {
    began: Vec<WorkerId>,
    ended: usize,
    heard: usize,
    answered_by: Option<WorkerId>,
}

pub fn check(entries: &[Entry<Event>]) -> Vec<String> {
    let mut courses: BTreeMap<ClientId, Course> = BTreeMap::new();
    for entry in entries {
        match entry.event {
            Event::Asked(client, _) => {
                courses.entry(client).or_default();
            }
            Event::Began(client, worker) => courses.entry(client).or_default().began.push(worker),
            Event::Ended(client, ..) => courses.entry(client).or_default().ended += 1,
            Event::Answered(client, worker) => {
                let course = courses.entry(client).or_default();
                course.heard += 1;
                course.answered_by = Some(worker);
            }
            Event::Failed(client, _) | Event::Left(client) | Event::Unserved(client, _) => {
                courses.entry(client).or_default().heard += 1;
            }
            _ => {}
        }
    }
    let complaints = courses.iter().filter_map(|(client, course)| {
        let complaint = complaint(course)?;
        Some(format!("client {client} {complaint}"))
    });
    complaints.collect()
}

fn complaint(course: &Course) -> Option<String> {
    if course.heard != 1 {
        return Some(format!("heard {} things, and not one", course.heard));
    }
    if course.began.len() > 1 {
        return Some(format!("was worked for by {:?}", course.began));
    }
    if course.ended != course.began.len() {
        return Some("was begun with, and that never ended".to_owned());
    }
    let by = course.answered_by?;
    let is_his = course.began.first() == Some(&by);
    (!is_his).then(|| format!("was answered by {by}, begun with by {:?}", course.began))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::check::told;
    use crate::pool::event::{How, Why};

    const ASKED: Event = Event::Asked(0, 0);
    const BEGAN: Event = Event::Began(0, 7);
    const ENDED: Event = Event::Ended(0, 7, How::Well);

    #[test]
    fn an_answer_a_failure_or_a_farewell_is_one_thing() {
        assert!(check(&told([ASKED, BEGAN, ENDED, Event::Answered(0, 7)])).is_empty());
        assert!(check(&told([ASKED, Event::Failed(0, Why::Full)])).is_empty());
        assert!(check(&told([ASKED, BEGAN, Event::Left(0), ENDED])).is_empty());
    }

    #[test]
    fn what_is_lost_or_doubled_is_found() {
        for wrong in [
            vec![ASKED],
            vec![ASKED, Event::Left(0), Event::Failed(0, Why::Late)],
            vec![ASKED, BEGAN, ENDED, BEGAN, ENDED, Event::Answered(0, 7)],
            vec![ASKED, BEGAN, Event::Answered(0, 7)],
            vec![ASKED, BEGAN, ENDED, Event::Answered(0, 8)],
            vec![ASKED, Event::Answered(0, 7)],
        ] {
            assert_eq!(check(&told(wrong.clone())).len(), 1, "{wrong:?}");
        }
    }
}
