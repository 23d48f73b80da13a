//! `load viewers`: what those who watch the dashboard cost the server.
//!
//! **Invariant:** what is told is a difference: the same server does the same work with viewers and without, by turns.

#![allow(
    clippy::unwrap_used,
    reason = "it stands on the harness, which fails by panicking"
)]

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use clap::Args;
use rookery_tests::{Apps, Bundle, Server, kitchen};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::measured::median;
use crate::spent::processor_time;

/// How many versions an app has.
const VERSIONS: usize = 10;
/// Before it is measured, everybody has had this: what is told first is more than what is told again and again.
const SETTLE: Duration = Duration::from_secs(3);

/// Viewers of the dashboard's stream, each with a connection of its own.
#[derive(Args)]
pub struct Viewers {
    /// How many.
    #[arg(long, default_value_t = 50)]
    viewers: usize,
    /// How many revisions there are, each with a worker.
    #[arg(long, default_value_t = 200)]
    revisions: usize,
    /// How many of them are asked, once a second each.
    #[arg(long, default_value_t = 10)]
    busy: usize,
    /// How long each measurement takes, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How often it is measured with viewers and without.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// What came over the viewers' connections.
#[derive(Default)]
struct Told {
    bytes: AtomicU64,
    events: AtomicU64,
}

impl Viewers {
    /// Measures by turns, and tells the medians.
    pub async fn run(self) -> ExitCode {
        let paths: Vec<String> = (0..self.revisions.max(1)).map(path).collect();
        let kept =
            Bundle::component(kitchen()).manifest(json!({ "ttl": 3600, "idleTimeout": 3600 }));
        let apps = paths
            .iter()
            .enumerate()
            .fold(Apps::new(), |apps, (nth, _)| {
                apps.with(&place(nth), kept.clone())
            });
        let server = Arc::new(Server::start(apps).await);
        for path in &paths {
            assert_eq!(server.get(path).await.status, 200, "{path}");
        }
        let mut asking = JoinSet::new();
        for path in paths.into_iter().take(self.busy) {
            asking.spawn(ask(Arc::clone(&server), path));
        }
        let length = Duration::from_secs(self.seconds.max(1));
        let (mut without, mut with) = (Vec::new(), Vec::new());
        let told = Arc::new(Told::default());
        let (mut bytes, mut events) = (0, 0);
        for _ in 0..self.rounds.max(1) {
            sleep(SETTLE).await;
            without.push(percent_of_a_core(&server, length).await);
            let mut watching = JoinSet::new();
            for _ in 0..self.viewers {
                watching.spawn(watch(Arc::clone(&server), Arc::clone(&told)));
            }
            sleep(SETTLE).await;
            let before = (told.bytes.load(Relaxed), told.events.load(Relaxed));
            with.push(percent_of_a_core(&server, length).await);
            bytes += told.bytes.load(Relaxed) - before.0;
            events += told.events.load(Relaxed) - before.1;
            watching.shutdown().await;
        }
        asking.shutdown().await;
        let each_second = (self.viewers.max(1) * with.len()) as f64 * length.as_secs_f64();
        println!(
            "{} viewers of {} revisions, {} of them asked once a second; {} rounds of {} s",
            self.viewers,
            self.revisions,
            self.busy,
            with.len(),
            length.as_secs()
        );
        println!(
            "each viewer     {:.2} ticks a second, {:.1} KiB",
            events as f64 / each_second,
            bytes as f64 / each_second / 1024.0
        );
        let differences: Vec<f64> = with
            .iter()
            .zip(&without)
            .map(|(with, without)| with - without)
            .collect();
        println!(
            "without them    {:.2} % of a core   {without:.2?}",
            median(without.clone())
        );
        println!(
            "with them       {:.2} % of a core   {with:.2?}",
            median(with.clone())
        );
        println!(
            "the difference  {:.2} % of a core   {differences:.2?}",
            median(differences.clone())
        );
        ExitCode::SUCCESS
    }
}

fn place(nth: usize) -> String {
    format!("app-{:02}/1.{}.0", nth / VERSIONS, nth % VERSIONS)
}

fn path(nth: usize) -> String {
    format!("/app-{:02}@1.{}.0/hello", nth / VERSIONS, nth % VERSIONS)
}

/// Asks once a second, for ever.
async fn ask(server: Arc<Server>, path: String) {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        assert_eq!(server.get(&path).await.status, 200, "{path}");
    }
}

/// Watches as a browser does, for ever.
async fn watch(server: Arc<Server>, told: Arc<Told>) {
    let mut reading = server.call("GET", "/_/sse?view=dashboard").open().await;
    assert_eq!(reading.status, 200);
    while let Some(chunk) = reading.chunk().await {
        told.bytes.fetch_add(chunk.len() as u64, Relaxed);
        // An event is a chunk at the server; one without a name is a tick.
        let begins = chunk.starts_with(b"data: ");
        told.events.fetch_add(u64::from(begins), Relaxed);
    }
}

/// What the server uses of the processors over this time.
async fn percent_of_a_core(server: &Server, length: Duration) -> f64 {
    let spent = || processor_time(server.pid()).unwrap();
    let (begun, before) = (Instant::now(), spent());
    sleep(length).await;
    (spent() - before).as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0
}
