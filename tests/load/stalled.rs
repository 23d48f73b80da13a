//! `load stalled`: what one client that does not read costs the others.
//!
//! Most sessions are in quiet rooms of a hundred. One room is hot: large messages, a few members, among them the one that
//! stalls. Rounds with and without it take turns, and all that differs is whether that member reads.

#![allow(
    clippy::unwrap_used,
    reason = "it stands on the harness, which fails by panicking"
)]

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;
use futures_util::{StreamExt, stream};
use rookery_tests::{Apps, Bundle, Server, Ws, kitchen};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};

use crate::measured::{Measured, median};

const ROOM: usize = 100;
const HOT_MEMBERS: usize = 9;
const HOT: &str = "hot";
const HOT_BYTES: usize = 64 * 1024;
const OPENING: usize = 64;

/// Deliveries to the others, with and without a client among them that does not read.
#[derive(Args)]
pub struct Stalled {
    /// How many others there are.
    #[arg(long, default_value_t = 10_000)]
    sessions: usize,
    /// Messages a second, over all quiet rooms.
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// Messages a second of 64 KiB in the hot room.
    #[arg(long, default_value_t = 20)]
    hot_rate: u32,
    /// How long a round takes, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many rounds of each kind.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// What all tasks share.
struct Stage {
    begun: Instant,
    /// In quiet rooms.
    quiet: Mutex<Measured>,
    /// Beside the one that it is all about.
    hot: Mutex<Measured>,
}

/// The p99 of one round in milliseconds, or the medians of several.
#[derive(Clone, Copy)]
struct P99 {
    quiet: f64,
    hot: f64,
}

impl Stalled {
    /// Measures by turns and tells the medians.
    pub async fn run(self) -> ExitCode {
        let bundle = Bundle::component(kitchen()).manifest(json!({ "ttl": 600 }));
        let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await;
        let stage = Arc::new(Stage {
            begun: Instant::now(),
            quiet: Mutex::default(),
            hot: Mutex::default(),
        });
        let rooms = self.sessions.div_ceil(ROOM).max(1);
        let mut tasks = JoinSet::new();
        let quiet = (0..self.sessions).map(|number| format!("room-{}", number % rooms));
        for ws in open(&server, quiet).await {
            tasks.spawn(listen(ws, Arc::clone(&stage), |stage| &stage.quiet));
        }
        let hot = (0..HOT_MEMBERS).map(|_| HOT.to_owned());
        for ws in open(&server, hot).await {
            tasks.spawn(listen(ws, Arc::clone(&stage), |stage| &stage.hot));
        }
        let speaker = Ws::open(&server, "/kitchen/ws").await;
        let rooms = (0..rooms).map(|room| format!("room-{room}")).collect();
        tasks.spawn(speak(speaker, rooms, self.rate, 0, Arc::clone(&stage)));
        let speaker = Ws::open(&server, "/kitchen/ws").await;
        let hot = vec![HOT.to_owned()];
        tasks.spawn(speak(
            speaker,
            hot,
            self.hot_rate,
            HOT_BYTES,
            Arc::clone(&stage),
        ));
        let (mut reading, mut stalled) = (Vec::new(), Vec::new());
        for round in 0..2 * self.rounds.max(1) {
            let (kind, of_kind) = match round % 2 {
                0 => ("reading", &mut reading),
                _ => ("stalled", &mut stalled),
            };
            let p99 = self.round(&server, &stage, kind == "stalled").await;
            println!(
                "{kind}  p99 {:.2} ms, beside it {:.2} ms",
                p99.quiet, p99.hot
            );
            of_kind.push(p99);
        }
        for (whose, of) in [
            ("p99", (|p99: &P99| p99.quiet) as fn(&P99) -> f64),
            ("p99 beside it", |p99| p99.hot),
        ] {
            let reads = median(reading.iter().map(of).collect());
            let stalls = median(stalled.iter().map(of).collect());
            println!(
                "{whose}: {reads:.2} ms when it reads, {stalls:.2} ms when it does not: {:.3} of it",
                stalls / reads
            );
        }
        ExitCode::SUCCESS
    }

    async fn round(&self, server: &Server, stage: &Stage, stalls: bool) -> P99 {
        let (end, ended) = watch::channel(false);
        let odd = odd_one(server, stalls, ended);
        let measured = async {
            // What came before is not of this round.
            sleep(Duration::from_secs(1)).await;
            taken(&stage.quiet);
            taken(&stage.hot);
            sleep(Duration::from_secs(self.seconds)).await;
            let p99 = P99 {
                quiet: taken(&stage.quiet).quantile_ms(0.99),
                hot: taken(&stage.hot).quantile_ms(0.99),
            };
            end.send_replace(true);
            p99
        };
        tokio::join!(odd, measured).1
    }
}

async fn open(server: &Server, rooms: impl Iterator<Item = String>) -> Vec<Ws> {
    let opened = stream::iter(rooms).map(|room| async move {
        let mut ws = Ws::open(server, "/kitchen/ws").await;
        ws.ask(&format!("join {room}")).await;
        ws
    });
    opened.buffer_unordered(OPENING).collect().await
}

/// Says in one room after the other when it is, in microseconds.
async fn speak(mut ws: Ws, rooms: Vec<String>, rate: u32, bytes: usize, stage: Arc<Stage>) {
    let padding = "x".repeat(bytes);
    let mut due = interval(Duration::from_secs(1) / rate.max(1));
    for room in rooms.iter().cycle() {
        due.tick().await;
        let now = stage.begun.elapsed().as_micros();
        ws.say(format!("say {room} {now} {padding}")).await;
    }
}

/// Notes how old each message is.
async fn listen(mut ws: Ws, stage: Arc<Stage>, of: fn(&Stage) -> &Mutex<Measured>) {
    while let Some(text) = ws.try_hear().await {
        let said = text.split(' ').next().unwrap().parse().unwrap();
        let age = stage
            .begun
            .elapsed()
            .saturating_sub(Duration::from_micros(said));
        of(&stage).lock().unwrap().take(age);
    }
}

fn taken(measured: &Mutex<Measured>) -> Measured {
    std::mem::take(&mut *measured.lock().unwrap())
}

/// The member of the hot room that all is about. It comes again when it is closed.
async fn odd_one(server: &Server, stalls: bool, mut ended: watch::Receiver<bool>) {
    while !*ended.borrow() {
        let mut ws = open(server, std::iter::once(HOT.to_owned()))
            .await
            .remove(0);
        let lives = async {
            if stalls {
                // Until the server has closed it, which only reading would tell.
                sleep(Duration::from_secs(5)).await;
            } else {
                while ws.try_hear().await.is_some() {}
            }
        };
        tokio::select! {
            () = lives => {}
            _ = ended.changed() => {}
        }
    }
}
