//! The chat in a terminal: full-screen, in lines, or through a pipe.
//!
//! **Invariant:** what is decided is decided in `model`, without a socket, a clock or a terminal; the rest only does it.
//! **Invariant:** however it ends, the terminal is as it was.
//! **Absent on purpose:** a copy of the server's types. A client of another language has none either.

// What is asked for.
mod args;
mod exit;

// What is known and decided.
mod backoff;
mod clean;
mod model;
mod protocol;

// What is shown.
mod clock;
mod lines;
mod view;

// What is done.
mod chance;
mod dial;
mod link;
mod run;
mod screen;
mod stdin;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::exit::Exit;
use crate::lines::Form;
use crate::model::{Chat, Patience};
use crate::stdin::Reading;

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        eprintln!("chat-client: the system gives no runtime");
        return Exit::Local.code();
    };
    let exit = runtime.block_on(run(args));
    // A thread may still wait for a key.
    runtime.shutdown_background();
    exit.code()
}

async fn run(args: Args) -> Exit {
    let is_piped = !std::io::stdin().is_terminal();
    let guest = || format!("User{}", chance::number() % 1_000);
    let user = args.user.clone().unwrap_or_else(guest);
    let patience = if is_piped {
        Patience::Ms(args.patience * 1_000)
    } else {
        Patience::Endless
    };
    let chat = Chat::new(user, args.room.clone(), patience, chance::now_ms());
    let is_drawn = !is_piped && !args.json && !args.plain && std::io::stdout().is_terminal();
    let outcome = if is_drawn {
        screen::run(chat, args.url).await
    } else {
        let form = if args.json { Form::Json } else { Form::Plain };
        let reading = if is_piped {
            Reading::Text
        } else {
            Reading::Commands
        };
        run::lines(chat, args.url, form, reading).await
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("chat-client: {error}");
        Exit::Local
    })
}
