//! Rooms full of sessions that talk while their app is upgraded and its workers are killed; each checks what it hears.
//!
//! **Invariant:** every message has a number in its sender's sequence, so that one that is lost, doubled or out of order
//! shows itself, and a session that is closed does, too.
//! **Absent on purpose:** limits of time. Messages are paced, and everything else is awaited.

mod member;
mod report;
mod sequence;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::{Apps, Bundle, Options, Server, Ws, kitchen, until};
use member::{Member, member};

pub use report::UpgradesReport;
pub use sequence::Sequence;

/// How many handshakes are under way at once.
const OPENING: usize = 64;
/// Which upgrades a worker is killed after, when there are as many kills as fit: every fourth.
const KILL_EVERY: usize = 4;

/// What is to happen.
#[derive(Clone, Copy, Debug)]
pub struct Upgrades {
    /// How many sessions stay connected.
    pub sessions: usize,
    /// How many rooms they share evenly; each room has one speaker.
    pub rooms: usize,
    /// How often another version takes over, by turns a 1.1.x and a 1.0.x.
    pub upgrades: usize,
    /// How often a worker is killed, while sessions are on their way to another version.
    pub kills: usize,
    /// The pause between two messages of one speaker.
    pub pace: Duration,
}

/// What the sessions and their conductor share.
struct Stage {
    /// How often a session was told that it was moved.
    moves: AtomicUsize,
    /// Raised when nobody is to begin anything new.
    quiet: watch::Receiver<bool>,
    /// How many speakers and echoes are still under way.
    busy: AtomicUsize,
}

impl Upgrades {
    /// Lets it happen.
    pub async fn run(self) -> UpgradesReport {
        let server = start().await;
        let (hush, quiet) = watch::channel(false);
        let stage = Arc::new(Stage {
            moves: AtomicUsize::new(0),
            quiet,
            busy: AtomicUsize::new(self.sessions),
        });
        let mut members = self.open(&server, &stage).await;
        let begun = Instant::now();
        for upgrade in 1..=self.upgrades {
            self.upgrade(&server, &stage, upgrade).await;
        }
        let elapsed = begun.elapsed();
        hush.send_replace(true);
        until("everybody has heard what was asked for", async || {
            (stage.busy.load(Ordering::Acquire) == 0).then_some(())
        })
        .await;
        // Behind everything that was said in the room, since a topic has one order.
        let mut crier = Ws::open(&server, "/kitchen/ws").await;
        for room in 0..self.rooms {
            crier
                .say(format!("say {} {}", room_name(room), member::END))
                .await;
        }
        let mut report = UpgradesReport::new(self, elapsed, stage.moves.load(Ordering::Acquire));
        while let Some(heard) = members.join_next().await {
            report.take(heard.unwrap());
        }
        let hub = &server.get("/_/stats").await.json()["hub"];
        report.server(hub);
        report
    }

    async fn open(self, server: &Server, stage: &Arc<Stage>) -> JoinSet<member::Heard> {
        let opened = stream::iter(0..self.sessions).map(|number| async move {
            let room = number % self.rooms;
            let mut ws = Ws::open(server, "/kitchen/ws").await;
            let name = room_name(room);
            assert_eq!(
                ws.ask(&format!("join {name}")).await,
                format!("joined {name}")
            );
            Member {
                ws,
                room: name,
                speaks: number < self.rooms,
                pace: self.pace,
            }
        });
        let mut opened = std::pin::pin!(opened.buffer_unordered(OPENING));
        let (mut all, mut members) = (Vec::new(), JoinSet::new());
        while let Some(one) = opened.next().await {
            all.push(one);
        }
        // Nobody speaks before everybody is there to hear it.
        for one in all {
            members.spawn(member(one, Arc::clone(stage)));
        }
        members
    }

    /// The next version takes over from the one before, which goes. Everybody is told before the next one comes.
    async fn upgrade(self, server: &Server, stage: &Stage, upgrade: usize) {
        let next = version(upgrade);
        let app = |version: &str| format!("kitchen/{version}");
        server.apps().publish(&app(&next), &bundle());
        until_served(server, &format!("/kitchen@{next}/hello"), &next).await;
        // The one before may have the higher number.
        server.apps().remove(&app(&version(upgrade - 1)));
        until_served(server, "/kitchen/hello", &next).await;
        if upgrade % KILL_EVERY == 2 % KILL_EVERY && upgrade / KILL_EVERY < self.kills {
            // Opened here, so it says nothing about how the version does with those that it takes over.
            let mut poison = Ws::open(server, "/kitchen/ws").await;
            poison.say("trap").await;
            assert_eq!(poison.ended().await.code, 1011);
        }
        until("everybody was moved", async || {
            (stage.moves.load(Ordering::Acquire) >= upgrade * self.sessions).then_some(())
        })
        .await;
    }
}

async fn until_served(server: &Server, path: &str, version: &str) {
    until("the next version serves", async || {
        let answer = server.get(path).await;
        (answer.header("x-rookery-version") == version).then_some(())
    })
    .await;
}

async fn start() -> Server {
    let apps = Apps::new().with(&format!("kitchen/{}", version(0)), bundle());
    Server::start_with(apps, Options::new().set("ROOKERY_SESSION_TRIAL_SECS", 2)).await
}

fn bundle() -> Bundle {
    Bundle::component(kitchen()).manifest(json!({ "ttl": 600 }))
}

/// 1.0.0, 1.1.1, 1.0.2, 1.1.3, …
fn version(upgrade: usize) -> String {
    format!("1.{}.{upgrade}", upgrade % 2)
}

fn room_name(room: usize) -> String {
    format!("room-{room}")
}
