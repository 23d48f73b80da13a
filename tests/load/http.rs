//! Requests at a fixed rate, whatever the server makes of them.
//!
//! **Invariant:** requests are due at instants that were fixed before, and their latency counts from there. A server
//! that falls behind is charged for every request that it kept waiting, not only for those that could be sent.
//! **Absent on purpose:** TLS, redirects, bodies. `wrk` is the tool for how many answers a second are possible; this one
//! is for how a server answers to more than that.

mod connection;
mod plan;
mod report;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::task::JoinSet;

use connection::Target;
use plan::Plan;
use report::Report;

/// Requests at a fixed rate.
#[derive(Args)]
pub struct Http {
    /// What to ask for, such as http://127.0.0.1:8080/hello/
    url: String,
    /// Requests a second.
    #[arg(long, default_value_t = 1000)]
    rate: u32,
    /// Connections that share them; more than wait for an answer at once.
    #[arg(long, default_value_t = 256)]
    connections: u32,
    /// For how long, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// The report as JSON.
    #[arg(long)]
    json: bool,
}

impl Http {
    /// Puts the load on and tells what came of it.
    pub async fn run(self) -> ExitCode {
        let target = match Target::parse(&self.url) {
            Ok(target) => target,
            Err(reason) => {
                eprintln!("load: {}: {reason}", self.url);
                return ExitCode::from(64);
            }
        };
        let plan = Plan {
            rate: self.rate.max(1),
            connections: self.connections.max(1),
            length: Duration::from_secs(self.seconds.max(1).into()),
        };
        let report = run(target, plan).await;
        if self.json {
            println!("{}", report.json());
        } else {
            print!("{}", report.text());
        }
        ExitCode::SUCCESS
    }
}

async fn run(target: Target, plan: Plan) -> Report {
    let begin = tokio::time::Instant::now() + Duration::from_millis(200);
    let mut connections = JoinSet::new();
    for nth in 0..plan.connections {
        let (target, plan) = (target.clone(), plan.clone());
        connections.spawn(async move { connection::run(&target, &plan, nth, begin).await });
    }
    let mut report = Report::new(&plan);
    while let Some(done) = connections.join_next().await {
        match done {
            Ok(outcomes) => report.take(outcomes),
            Err(failed) => eprintln!("load: a connection was lost: {failed}"),
        }
    }
    report.elapsed = begin.elapsed();
    report
}
