//! Random invocations against a model that delivers everything at once.

#![allow(clippy::unwrap_used)]

mod room;

use std::collections::HashSet;

use proptest::prelude::*;
use room::{Client, Room, all_but, plain, text};

const SESSIONS: usize = 4;
const TOPICS: [&str; 2] = ["a", "b"];

#[derive(Clone, Debug)]
enum Step {
    Publish {
        topic: usize,
        except: Option<usize>,
        length: usize,
    },
    Send {
        session: usize,
    },
    Subscribe {
        session: usize,
        topic: usize,
    },
    Unsubscribe {
        session: usize,
        topic: usize,
    },
    /// The invocation ends; the next one begins.
    End,
    /// The writers take what is there.
    Write,
}

fn step() -> impl Strategy<Value = Step> {
    let session = 0..SESSIONS;
    let topic = 0..TOPICS.len();
    // Now and then a message that is longer than what is copied, or than what is pending at most.
    let length = prop_oneof![20 => 10usize..300, 1 => Just(17_000usize), 1 => Just(70_000usize)];
    prop_oneof![
        8 => (topic.clone(), prop::option::of(session.clone()), length)
            .prop_map(|(topic, except, length)| Step::Publish { topic, except, length }),
        4 => session.clone().prop_map(|session| Step::Send { session }),
        2 => (session.clone(), topic.clone())
            .prop_map(|(session, topic)| Step::Subscribe { session, topic }),
        1 => (session, topic).prop_map(|(session, topic)| Step::Unsubscribe { session, topic }),
        1 => Just(Step::End),
        1 => Just(Step::Write),
    ]
}

/// What each session must have been sent, and who is where.
struct Model {
    streams: Vec<Vec<String>>,
    members: HashSet<(usize, usize)>,
}

impl Model {
    fn publish(&mut self, topic: usize, except: Option<usize>, message: &str) {
        for (session, stream) in self.streams.iter_mut().enumerate() {
            if self.members.contains(&(session, topic)) && except != Some(session) {
                stream.push(message.to_owned());
            }
        }
    }
}

fn read(clients: &[Client], streams: &mut [Vec<String>]) {
    for (client, stream) in clients.iter().zip(streams) {
        stream.extend(client.reads());
    }
}

/// What there is an order for: the messages of one topic together with those to the session alone.
fn ordered<'a>(stream: &'a [String], topic: &'a str) -> Vec<&'a String> {
    let wanted = |message: &&String| message.starts_with(topic) || message.starts_with("send");
    stream.iter().filter(wanted).collect()
}

proptest! {
    #[test]
    fn each_session_gets_what_is_meant_for_it_in_program_order(
        steps in prop::collection::vec(step(), 1..80)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (expected, got) = runtime.block_on(follow(steps));
        for (expected, got) in expected.iter().zip(&got) {
            prop_assert_eq!(expected.len(), got.len());
            for topic in TOPICS {
                prop_assert_eq!(ordered(expected, topic), ordered(got, topic));
            }
        }
    }
}

async fn follow(steps: Vec<Step>) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let room = Room::new();
    let mut clients = Vec::new();
    for _ in 0..SESSIONS {
        let roomy = rookery_hub::SessionLimits {
            outbox_bytes: usize::MAX,
            ..Default::default()
        };
        clients.push(room.member_with(roomy, &[]).await);
    }
    let mut model = Model {
        streams: vec![Vec::new(); SESSIONS],
        members: HashSet::new(),
    };
    let mut got = vec![Vec::new(); SESSIONS];
    let mut publisher = room.publisher();
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Publish {
                topic,
                except,
                length,
            } => {
                let message = format!("{}{number}{}", TOPICS[topic], "x".repeat(length));
                let options = except.map_or_else(plain, |session| all_but(clients[session].id()));
                publisher
                    .publish(TOPICS[topic], &text(&message), &options)
                    .unwrap();
                model.publish(topic, except, &message);
            }
            Step::Send { session } => {
                let message = format!("send{number}");
                publisher.send(clients[session].id(), &text(&message));
                model.streams[session].push(message);
            }
            Step::Subscribe { session, topic } => {
                publisher
                    .subscribe(clients[session].id(), TOPICS[topic])
                    .unwrap();
                model.members.insert((session, topic));
            }
            Step::Unsubscribe { session, topic } => {
                publisher.unsubscribe(clients[session].id(), TOPICS[topic]);
                model.members.remove(&(session, topic));
            }
            Step::End => publisher = room.publisher(),
            Step::Write => read(&clients, &mut got),
        }
    }
    drop(publisher);
    read(&clients, &mut got);
    (model.streams, got)
}
