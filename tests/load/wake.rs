//! `load wake`: how long an app that sleeps takes to hear a message.

#![allow(
    clippy::unwrap_used,
    reason = "it stands on the harness, which fails by panicking"
)]

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use rookery_tests::{Apps, Bundle, Server, Ws, kitchen};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::measured::Measured;

/// Messages one at a time to an app that sleeps in between.
#[derive(Args)]
pub struct Wake {
    /// How many messages.
    #[arg(long, default_value_t = 2_000)]
    messages: u32,
    /// How many sessions take turns.
    #[arg(long, default_value_t = 100)]
    sessions: u32,
    /// Milliseconds from an answer to the next message.
    #[arg(long, default_value_t = 5)]
    pause_ms: u64,
    /// The app's `ttl` in seconds. With 0 it has no isolate between two messages; else one waits.
    #[arg(long, default_value_t = 0)]
    ttl: u32,
}

impl Wake {
    /// Sends them and tells the server's view, from the event to the guest, and the client's, there and back.
    pub async fn run(self) -> ExitCode {
        let bundle = Bundle::component(kitchen()).manifest(json!({ "ttl": self.ttl }));
        let server = Server::start(Apps::new().with("kitchen/1.0.0", bundle)).await;
        let mut sessions = Vec::new();
        for _ in 0..self.sessions.max(1) {
            sessions.push(Ws::open(&server, "/kitchen/ws").await);
        }
        let mut round_trips = Measured::default();
        for message in 0..self.messages {
            sleep(Duration::from_millis(self.pause_ms)).await;
            let turn = message as usize % sessions.len();
            let begun = Instant::now();
            sessions[turn].ask("echo hello").await;
            round_trips.take(begun.elapsed());
        }
        let stats = server.get("/_/stats").await.json();
        let wake = &stats["hub"]["wakeMs"];
        println!("{} messages, ttl {}", self.messages, self.ttl);
        println!(
            "event to guest    p50 {} ms  p99 {} ms",
            wake["p50"], wake["p99"]
        );
        println!(
            "there and back    p50 {:.3} ms  p99 {:.3} ms",
            round_trips.quantile_ms(0.5),
            round_trips.quantile_ms(0.99)
        );
        ExitCode::SUCCESS
    }
}
