//! Puts load on a server and says how it answered: `cargo run --release -p rookery-tests --bin load -- COMMAND`.
//!
//! `http` and `room` ask servers that run already. The others start one of their own, beside this process: the binary that
//! `ROOKERY_BIN` names, or the one of the same profile. docs/performance.md tells what each is for and what came out.
//!
//! **Absent on purpose:** verdicts about speed. Figures of one machine say nothing about another; `upgrades` fails when
//! anybody noticed, `room` when anybody missed a message.

mod http;
mod idle;
mod measured;
mod room;
mod session;
mod spent;
mod stalled;
mod upgrades;
mod viewers;
mod wake;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "load", version = None)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

/// What to find out.
#[derive(Subcommand)]
enum Command {
    /// How a server answers to requests at a fixed rate, whatever it makes of them.
    Http(http::Http),
    /// What a silent session costs the server's memory.
    Idle(idle::Idle),
    /// How long an app that sleeps takes to hear a message.
    Wake(wake::Wake),
    /// What a room of members who all speak costs several servers, by turns.
    Room(room::Room),
    /// What one client that does not read costs the others.
    Stalled(stalled::Stalled),
    /// What those who watch the dashboard cost.
    Viewers(viewers::Viewers),
    /// Whether anybody notices upgrades and killed workers.
    Upgrades(upgrades::Upgrade),
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = match options.command {
        // One thread leaves the server the rest of the machine.
        Command::Http(_) | Command::Room(_) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    }
    .enable_all()
    .build();
    let Ok(runtime) = runtime else {
        eprintln!("load: the system gives no runtime");
        return ExitCode::FAILURE;
    };
    runtime.block_on(async {
        match options.command {
            Command::Http(http) => http.run().await,
            Command::Idle(idle) => idle.run().await,
            Command::Wake(wake) => wake.run().await,
            Command::Room(room) => room.run().await,
            Command::Stalled(stalled) => stalled.run().await,
            Command::Upgrades(upgrades) => upgrades.run().await,
            Command::Viewers(viewers) => viewers.run().await,
        }
    })
}
