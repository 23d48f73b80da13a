//! Who is present: told together and late, exact once it is quiet.

#![allow(clippy::unwrap_used)]

mod room;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rookery_contract::{Roster, SessionId, TopicError};
use rookery_hub::{HubConfig, ReadyQueue};
use room::{Client, Room, plain, text};
use serde_json::{Value, json};

const TOLD_AFTER: Duration = Duration::from_millis(510);

async fn pass(duration: Duration) {
    tokio::time::sleep(duration).await;
}

fn track(room: &Room, client: &Client, about: &str) {
    room.publisher().track(client.id(), "a", about).unwrap();
}

fn news(client: &Client) -> Vec<Value> {
    let texts = client.reads().into_iter();
    texts
        .map(|text| serde_json::from_str(&text).unwrap())
        .collect()
}

fn list(room: &Room) -> Roster {
    room.publisher().list("a", None, 1_000)
}

fn abouts(roster: &Roster) -> Vec<(SessionId, String)> {
    let present = roster.sessions.iter();
    present
        .map(|present| (present.session, present.about.to_string()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn those_who_come_and_go_are_told_together_once_an_interval() {
    let room = Room::new();
    let watcher = room.member(&["a"]).await;
    let [ann, bob, cat] = [room.client(), room.client(), room.client()];
    track(&room, &ann, "ann");
    track(&room, &bob, "bob");
    room.publisher().untrack(bob.id(), "a");
    track(&room, &ann, "ann, busy");
    track(&room, &ann, "ann, busy");
    pass(Duration::from_millis(490)).await;
    assert!(watcher.reads().is_empty(), "not yet");
    pass(Duration::from_millis(20)).await;
    let joined = json!([{"session": ann.id().0, "about": "ann, busy"}]);
    let told =
        json!({"presence": "a", "version": 4, "count": 1, "joined": joined, "left": [bob.id().0]});
    assert_eq!(news(&watcher), [told]);
    for _ in 0..20 {
        track(&room, &cat, "cat");
        pass(Duration::from_millis(50)).await;
        room.publisher().untrack(cat.id(), "a");
        pass(Duration::from_millis(50)).await;
    }
    pass(TOLD_AFTER).await;
    let told = news(&watcher);
    assert!(
        (3..=5).contains(&told.len()),
        "two seconds of it: {}",
        told.len()
    );
    assert_eq!(told.last().unwrap()["count"], 1);
    pass(60 * TOLD_AFTER).await;
    assert!(watcher.reads().is_empty(), "nothing changed");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_is_gone_from_every_list() {
    let room = Room::new();
    let watcher = room.member(&["a"]).await;
    let (ann, bob) = (room.client(), room.client());
    for topic in ["a", "b"] {
        room.publisher().track(ann.id(), topic, "ann").unwrap();
    }
    track(&room, &bob, "bob");
    let gone = ann.id();
    drop(ann);
    assert_eq!(abouts(&list(&room)), [(bob.id(), "bob".into())]);
    assert_eq!(room.publisher().list("b", None, 10).count, 0);
    pass(TOLD_AFTER).await;
    assert_eq!(news(&watcher)[0]["left"], json!([gone.0]));
    let late = room.publisher().track(gone, "a", "late");
    assert_eq!(late, Err(TopicError::Gone));
    drop(bob);
    drop(watcher);
    pass(TOLD_AFTER).await;
    room.settle_all().await;
    assert_eq!(room.hub.snapshot().total.topics, 0, "nothing is left of it");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_moves_to_another_revision_stays_present() {
    let room = Room::new();
    let ann = room.member(&["a"]).await;
    track(&room, &ann, "ann");
    pass(TOLD_AFTER).await;
    assert_eq!(news(&ann).len(), 1);
    let next = ReadyQueue::new();
    ann.0.move_to(&next, "1.0.0");
    pass(TOLD_AFTER).await;
    assert!(ann.reads().is_empty(), "nobody came or went");
    assert_eq!(list(&room).count, 1);
}

#[tokio::test(start_paused = true)]
async fn news_of_too_many_ask_for_a_list_and_count_all() {
    let room = Room::new();
    let watcher = room.member(&["a"]).await;
    let crowd: Vec<Client> = (0..257).map(|_| room.client()).collect();
    for client in &crowd {
        track(&room, client, "one of many");
    }
    pass(TOLD_AFTER).await;
    let told = json!({"presence": "a", "version": 257, "count": 257, "reset": true});
    assert_eq!(news(&watcher), [told]);
    room.publisher().untrack(crowd[0].id(), "a");
    pass(TOLD_AFTER).await;
    assert_eq!(news(&watcher)[0]["left"], json!([crowd[0].id().0]));
}

#[tokio::test(start_paused = true)]
async fn a_list_comes_in_pages() {
    let room = Room::with(HubConfig {
        page_messages_max: 2,
        ..HubConfig::default()
    });
    let crowd: Vec<Client> = (0..5).map(|_| room.client()).collect();
    for client in &crowd {
        track(&room, client, "");
    }
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let page = room.publisher().list("a", after, 1_000);
        assert_eq!((page.count, page.version), (5, 5));
        let Some(last) = page.sessions.last() else {
            break;
        };
        after = Some(last.session);
        found.extend(page.sessions.iter().map(|present| present.session));
    }
    assert_eq!(found, Vec::from_iter(crowd.iter().map(Client::id)));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_much_is_refused() {
    let room = Room::new();
    let ann = room.client();
    let track = |topic: &str, about: &str| room.publisher().track(ann.id(), topic, about);
    assert_eq!(track("0", &"x".repeat(1_025)), Err(TopicError::TooLarge));
    assert_eq!(track("", "x"), Err(TopicError::InvalidName));
    for topic in 0..32 {
        assert_eq!(track(&topic.to_string(), &"x".repeat(1_024)), Ok(()));
    }
    assert_eq!(track("more", "x"), Err(TopicError::TooMany));
    assert_eq!(track("0", "y"), Ok(()), "it is there already");
    room.publisher().untrack(ann.id(), "1");
    assert_eq!(track("more", "x"), Ok(()));
    let stranger = room
        .hub
        .publisher(&room::namespace("other@1"))
        .track(ann.id(), "a", "x");
    assert_eq!(stranger, Err(TopicError::Gone));
}

#[tokio::test(start_paused = true)]
async fn news_have_no_place_in_the_stream_and_leave_its_history_whole() {
    let room = Room::new();
    let watcher = room.member(&["a"]).await;
    let kept = rookery_contract::PublishOptions {
        history: Some(rookery_contract::Retention {
            messages: 10,
            seconds: 60,
        }),
        ..plain()
    };
    let since = room.publisher().publish("a", &text("1"), &kept).unwrap();
    track(&room, &watcher, "ann");
    pass(TOLD_AFTER).await;
    room.publisher().publish("a", &text("2"), &kept).unwrap();
    let page = room.publisher().recover("a", since, 10).unwrap();
    assert_eq!(page.messages, [(2, text("2"))]);
    assert_eq!(watcher.reads().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_is_present_by_a_write_is_told_when_it_is_durable() {
    let room = Room::new();
    let watcher = room.member(&["a"]).await;
    let ann = room.client();
    let mut writes = room.publisher();
    let keeper = writes.hold();
    writes.track(ann.id(), "a", "ann").unwrap();
    drop(writes);
    pass(2 * TOLD_AFTER).await;
    assert!(watcher.reads().is_empty(), "it is not durable");
    keeper.keep();
    assert_eq!(news(&watcher)[0]["count"], 1);
}

#[tokio::test(start_paused = true)]
async fn who_was_present_by_a_write_that_is_lost_never_was() {
    let room = Room::new();
    let watcher = room.member(&["a"]).await;
    let (ann, bob) = (room.client(), room.client());
    track(&room, &bob, "bob");
    let mut writes = room.publisher();
    let keeper = writes.hold();
    writes.track(ann.id(), "a", "ann").unwrap();
    drop(writes);
    let mut reads = room.publisher();
    assert_eq!(reads.list("a", None, 10).count, 2);
    assert_eq!(
        reads.holds().len(),
        1,
        "what it says of the list waits, too"
    );
    keeper.lose();
    pass(TOLD_AFTER).await;
    assert_eq!(watcher.reads(), ["!3003"]);
    assert_eq!(abouts(&list(&room)), [(bob.id(), "bob".into())]);
    track(&room, &ann, "ann again");
    assert_eq!(list(&room).count, 2);
}

#[tokio::test(start_paused = true)]
async fn presences_that_were_lost_do_not_count() {
    let room = Room::new();
    let ann = room.client();
    let mut writes = room.publisher();
    let keeper = writes.hold();
    for topic in 0..32 {
        writes.track(ann.id(), &topic.to_string(), "x").unwrap();
    }
    drop(writes);
    let more = || room.publisher().track(ann.id(), "more", "x");
    assert_eq!(more(), Err(TopicError::TooMany));
    keeper.lose();
    assert_eq!(more(), Ok(()));
}

/// Thousands of topics with news have one task between them, and all are told.
#[tokio::test(start_paused = true)]
async fn many_topics_have_news_at_once() {
    let room = Room::new();
    let crowd: Vec<Client> = (0..40).map(|_| room.client()).collect();
    let names: Vec<String> = (0..1_000).map(|number| format!("t{number}")).collect();
    let watcher = room.client();
    for (name, client) in names.iter().zip(crowd.iter().cycle()) {
        room.publisher().subscribe(watcher.id(), name).unwrap();
        room.publisher().track(client.id(), name, "here").unwrap();
    }
    assert_eq!(
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks(),
        1
    );
    pass(TOLD_AFTER).await;
    assert_eq!(news(&watcher).len(), 1_000);
}

#[derive(Clone, Debug)]
enum Step {
    Track(usize, u8),
    Untrack(usize),
    End(usize),
    Pass(u64),
    /// The watcher asks for a list.
    List,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..6usize;
    prop_oneof![
        6 => (who.clone(), 0u8..3).prop_map(|(who, about)| Step::Track(who, about)),
        3 => who.clone().prop_map(Step::Untrack),
        1 => who.prop_map(Step::End),
        3 => (0u64..800).prop_map(Step::Pass),
        1 => Just(Step::List),
    ]
}

/// What a client that was given one list and applies the news believes.
#[derive(Default)]
struct Belief {
    here: BTreeMap<u64, String>,
    count: u64,
}

impl Belief {
    fn apply(&mut self, news: &Value) {
        for joined in news["joined"].as_array().unwrap() {
            let about = joined["about"].as_str().unwrap().to_owned();
            self.here.insert(joined["session"].as_u64().unwrap(), about);
        }
        for left in news["left"].as_array().unwrap() {
            self.here.remove(&left.as_u64().unwrap());
        }
        self.count = news["count"].as_u64().unwrap();
    }

    fn replace(&mut self, roster: &Roster) {
        let here = abouts(roster).into_iter();
        self.here = here.map(|(session, about)| (session.0, about)).collect();
        self.count = roster.count.into();
    }
}

proptest! {
    #[test]
    fn after_quiet_a_watcher_knows_exactly_who_is_there(steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(watch(steps))?;
    }
}

async fn watch(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let room = Arc::new(Room::new());
    let watcher = room.client();
    room.publisher().subscribe(watcher.id(), "a").unwrap();
    let mut crowd: Vec<Option<Client>> = (0..6).map(|_| Some(room.client())).collect();
    let mut truth: BTreeMap<u64, String> = BTreeMap::new();
    let mut belief = Belief::default();
    for step in steps {
        match step {
            Step::Track(who, about) => {
                if let Some(client) = &crowd[who] {
                    track(&room, client, &about.to_string());
                    truth.insert(client.id().0, about.to_string());
                }
            }
            Step::Untrack(who) => {
                if let Some(client) = &crowd[who] {
                    room.publisher().untrack(client.id(), "a");
                    truth.remove(&client.id().0);
                }
            }
            Step::End(who) => {
                if let Some(client) = crowd[who].take() {
                    truth.remove(&client.id().0);
                }
            }
            Step::Pass(ms) => pass(Duration::from_millis(ms)).await,
            Step::List => {
                news(&watcher).iter().for_each(|news| belief.apply(news));
                belief.replace(&list(&room));
                prop_assert_eq!(&belief.here, &truth);
            }
        }
    }
    pass(TOLD_AFTER).await;
    let mut told = VecDeque::from(news(&watcher));
    while let Some(news) = told.pop_front() {
        belief.apply(&news);
    }
    prop_assert_eq!(belief.count, truth.len() as u64);
    prop_assert_eq!(&belief.here, &truth);
    Ok(())
}
