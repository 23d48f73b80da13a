//! `load room`: what a room of members who all speak costs its server, and another one with the same room.
//!
//! Each member says so many messages, `{"text": T}`, and hears all that anybody said, `{"name": N, "text": T}`. What counts
//! is deliveries, a message to one member, for each second of the server's processor time: the client is another process.
//! Servers take turns, so that what else the machine does befalls them alike.
//!
//! **Invariant:** every member heard every message of everybody, each member's in order and each once, or the run fails.
//! **Absent on purpose:** starting servers. `tests/load/rooms.sh` does.

mod heard;
mod member;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::measured::{Measured, median};
use crate::spent::processor_time;
use member::{Member, Pace, Plan};

/// For how long the server is left alone before its time counts.
const SETTLE: Duration = Duration::from_millis(300);

/// How many members come in at once.
const ENTERING: usize = 64;

/// A room full of members who speak, on each of the servers in turn.
#[derive(Args)]
pub struct Room {
    /// `NAME=PID@ADDRESS/PATH` of a server that has the room, such as `bun=4711@127.0.0.1:3000/ws`. The first is compared with
    /// the others.
    #[arg(required = true)]
    servers: Vec<Served>,
    /// How many members.
    #[arg(long, default_value_t = 32)]
    members: usize,
    /// How many messages each says in a round.
    #[arg(long, default_value_t = 1_000)]
    messages: u32,
    /// How many of its own a member has under way, at most.
    #[arg(long, default_value_t = 1)]
    window: u32,
    /// Milliseconds from one message of a member to its next; 0 for as soon as one of the window is back.
    #[arg(long, default_value_t = 0)]
    every_ms: u64,
    /// The length of a text.
    #[arg(long, default_value_t = 40)]
    bytes: usize,
    /// How many rounds count, after one that does not.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// A server that runs.
#[derive(Clone, Debug)]
struct Served {
    name: String,
    pid: u32,
    address: SocketAddr,
    path: String,
}

impl FromStr for Served {
    type Err = String;

    fn from_str(text: &str) -> Result<Served, String> {
        let parse = || {
            let (name, rest) = text.split_once('=')?;
            let (pid, rest) = rest.split_once('@')?;
            let (address, path) = rest.split_once('/')?;
            Some(Served {
                name: name.to_owned(),
                pid: pid.parse().ok()?,
                address: address.parse().ok()?,
                path: format!("/{path}"),
            })
        };
        parse().ok_or_else(|| format!("{text}: expected NAME=PID@ADDRESS/PATH"))
    }
}

/// What one round cost.
struct Round {
    took: Duration,
    spent: Duration,
    deliveries: u64,
    round_trips: Measured,
}

impl Round {
    fn per_second(&self) -> f64 {
        self.deliveries as f64 / self.spent.as_secs_f64().max(0.01)
    }
}

impl Room {
    /// Takes the rounds by turns and tells the medians.
    pub async fn run(self) -> ExitCode {
        println!(
            "{} members, {} messages each, {}, texts of {} bytes",
            self.members,
            self.messages,
            match self.every_ms {
                0 => format!("{} under way", self.window),
                every => format!("one in {every} ms"),
            },
            self.plan().bytes
        );
        let mut rounds: Vec<Vec<f64>> = vec![Vec::new(); self.servers.len()];
        for round in 0..=self.rounds {
            for (server, rounds) in self.servers.iter().zip(&mut rounds) {
                match self.round(server).await {
                    Ok(done) if round > 0 => rounds.push(tell(&server.name, done)),
                    // Compilers within the servers had something to do.
                    Ok(_) => {}
                    Err(reason) => {
                        eprintln!("load: {}: {reason}", server.name);
                        return ExitCode::FAILURE;
                    }
                }
            }
        }
        let medians: Vec<f64> = rounds.into_iter().map(median).collect();
        for (server, median) in self.servers.iter().zip(&medians).skip(1) {
            println!(
                "{}: {:.2} of {}'s {:.2} M deliveries per CPU-second",
                self.servers[0].name,
                medians[0] / median,
                server.name,
                median / 1e6
            );
        }
        ExitCode::SUCCESS
    }

    fn plan(&self) -> Plan {
        Plan {
            members: self.members.clamp(1, heard::MEMBERS_MAX),
            messages: self.messages.max(1),
            bytes: self.bytes.max(heard::TEXT_BYTES_MIN),
            pace: match self.every_ms {
                0 => Pace::Window(self.window.max(1)),
                every => Pace::Every(Duration::from_millis(every)),
            },
        }
    }

    async fn round(&self, server: &Served) -> Result<Round, String> {
        let plan = Arc::new(self.plan());
        let members = (0..plan.members)
            .map(|nth| Member::enter(server.address, &server.path, nth, Arc::clone(&plan)));
        let members = stream::iter(members).buffer_unordered(ENTERING);
        let members: Vec<Member> = members
            .try_collect()
            .await
            .map_err(|error| error.to_string())?;
        let gone = || format!("there is no process {}", server.pid);
        let start = Arc::new(Barrier::new(plan.members + 1));
        let mut tasks = JoinSet::new();
        for member in members {
            tasks.spawn(member.converse(Arc::clone(&start)));
        }
        sleep(SETTLE).await;
        let before = processor_time(server.pid).ok_or_else(gone)?;
        let begun = Instant::now();
        start.wait().await;
        let mut round_trips = Measured::default();
        // Nobody leaves before all are done: that would be another thing for the server to do.
        let mut done = Vec::new();
        while let Some(member) = tasks.join_next().await {
            let (stream, measured) = member.map_err(|error| error.to_string())??;
            done.push(stream);
            round_trips.take_all(measured);
        }
        let took = begun.elapsed();
        let after = processor_time(server.pid).ok_or_else(gone)?;
        let all = plan.members as u64 * u64::from(plan.messages);
        Ok(Round {
            took,
            spent: after.saturating_sub(before),
            deliveries: all * plan.members as u64,
            round_trips,
        })
    }
}

fn tell(name: &str, mut round: Round) -> f64 {
    let per_second = round.per_second();
    println!(
        "{name:10} {:6.2} M deliveries per CPU-second; {:.2} s of processor time, {:.2} s passed; own message back p50 {:.1} ms p99 {:.1} ms",
        per_second / 1e6,
        round.spent.as_secs_f64(),
        round.took.as_secs_f64(),
        round.round_trips.quantile_ms(0.5),
        round.round_trips.quantile_ms(0.99),
    );
    per_second
}
