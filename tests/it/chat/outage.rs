//! Outages of two seconds and of thirty: the client comes back by itself, and nothing is missed, doubled or out of order.
//!
//! These are the only tests of the chat that wait for a time: it is what they are about.

use std::time::Duration;

use rookery_tests::Server;
use tokio::time::{Instant, sleep_until};

use super::client::Speaker;
use super::stage::{Plain, Terminal, server};
use super::way::Way;

/// More than a room tells by itself to who joins. Three people may say so much in a minute.
const MISSED: usize = 66;

/// People who talk while somebody is away.
struct Company {
    people: Vec<Plain>,
    said: Vec<String>,
}

impl Company {
    async fn new(server: &Server, room: &str) -> Company {
        let mut people = Vec::new();
        for name in ["Bob", "Eve", "Zoe"] {
            people.push(Plain::join(server, name, room).await);
        }
        let said = Vec::new();
        Company { people, said }
    }

    async fn say(&mut self, room: &str, text: String) {
        let speaker = self.said.len() % self.people.len();
        self.people[speaker].say(room, &text).await;
        self.said.push(text);
    }

    async fn talk(&mut self, room: &str) {
        for number in 0..MISSED {
            self.say(room, format!("missed-{number:02}")).await;
        }
    }
}

/// What was said in the whole outage, at both ends of it.
async fn check_nothing_is_missed(mut ada: Speaker, mut company: Company, room: &str) {
    // What Ada wrote goes out when she has read the rest.
    let mut expected = std::mem::take(&mut company.said);
    expected.extend(["written-1", "written-2", "the-end"].map(str::to_owned));
    company.people[0].hear_text("written-2").await;
    company.people[0].say(room, "the-end").await;
    assert_eq!(ada.texts_to("the-end").await, expected);
    let last = company.people.last_mut().unwrap();
    let heard = last.texts_to("the-end").await;
    let written: Vec<_> = heard
        .iter()
        .filter(|text| text.starts_with("written"))
        .collect();
    assert_eq!(written, ["written-1", "written-2"], "{heard:?}");
    assert_eq!(ada.finished().await.code(), Some(0));
}

#[tokio::test]
async fn nothing_is_missed_in_two_seconds_without_a_connection() {
    let server = server().await;
    // Read back by time from the one, and from a position from the other.
    for app in ["chat@1.0.0", "chat@1.1.0"] {
        let mut way = Way::to(&server).await;
        let mut company = Company::new(&server, app).await;
        let mut ada = Speaker::join(&way.url(app), "Ada", app).await;
        company.say(app, "before".to_owned()).await;
        assert_eq!(ada.texts_to("before").await, ["before"]);
        company.said.clear();
        let end = Instant::now() + Duration::from_secs(2);
        way.cut().await;
        ada.say("written-1");
        ada.say("written-2");
        company.talk(app).await;
        sleep_until(end).await;
        way.mend(&server).await;
        check_nothing_is_missed(ada, company, app).await;
    }
}

#[tokio::test]
async fn nothing_is_missed_in_thirty_seconds_in_which_nothing_comes_through() {
    let (server, room) = (server().await, "r");
    let way = Way::to(&server).await;
    let mut company = Company::new(&server, room).await;
    let mut ada = Speaker::join(&way.url("chat"), "Ada", room).await;
    // One who writes notices that nobody answers; one who does not, that nothing is heard of the server.
    let mut kim = Terminal::join(&way.url("chat"), "Kim", room).await;
    company.say(room, "before".to_owned()).await;
    assert_eq!(ada.texts_to("before").await, ["before"]);
    company.said.clear();
    kim.sees("before").await;
    let end = Instant::now() + Duration::from_secs(30);
    way.stall();
    ada.say("written-1");
    ada.say("written-2");
    kim.press("half-a-line");
    company.talk(room).await;
    kim.sees("trying again in").await;
    sleep_until(end).await;
    way.unstall();
    check_nothing_is_missed(ada, company, room).await;
    kim.sees("r · Kim · connected").await;
    kim.sees("the-end").await;
    kim.sees("> half-a-line").await;
    // The same for eyes: the last of what was missed, in its order.
    let rows = kim.texts("missed-");
    let last: Vec<String> = (MISSED - rows.len()..MISSED)
        .map(|number| format!("missed-{number:02}"))
        .collect();
    assert_eq!(rows, last);
    assert_eq!(kim.press_and_end("\u{3}").await, 0);
}
