//! `rookery top`: the dashboard in a terminal.
//!
//! **Invariant:** the terminal is as it was, however this ends.
//! **Absent on purpose:** changes. What an operator does has a command of its own, which can be seen in a shell's history.

mod around;

mod board;

mod table;

mod words;

mod keys;

mod panels;

mod draw;

mod screen;

mod plain;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use serde_json::json;

use super::Failure;
use super::remote::{Remote, RemoteArgs, asking};
use board::Board;
use table::{Sort, View};

const EXAMPLES: &str = "\
Examples:
  rookery top                             q leaves, / filters, s sorts
  rookery top --sort p99 --filter chat
  rookery top --plain --count 10 >> top.log
  rookery top --json | jq '.revisions[] | select(.requestsPerSecond > 100)'";

/// What the server is asked for.
const STREAM: &str = "/_/sse?view=dashboard";
/// Rates are known from the second look on.
const LOOKS_FIRST: u64 = 2;

/// Arguments of `top`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    remote: RemoteArgs,
    /// Print tables instead of taking the whole terminal; the usual way where there is none
    #[arg(long)]
    plain: bool,
    /// How many tables are printed [default: endless on a terminal, else one]
    #[arg(long, value_name = "COUNT", requires = "plain")]
    count: Option<u64>,
    /// What comes first
    #[arg(long, value_enum, default_value_t = Sort::Requests)]
    sort: Sort,
    /// Only revisions with all of these words in their name, version or state
    #[arg(long, value_name = "WORDS", default_value = "")]
    filter: String,
    /// How often the server is asked: 250ms, 1s, 5s …
    #[arg(long, value_name = "TIME", default_value = "1s")]
    interval: String,
}

/// Shows it.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let view = View {
        sort: args.sort,
        filter: args.filter.clone(),
        ..View::default()
    };
    let is_terminal = std::io::stdout().is_terminal();
    let stream = format!("{STREAM}&interval={}", args.interval);
    asking(&args.remote, async |remote| {
        if args.remote.json {
            let board = after(&remote, &stream, LOOKS_FIRST).await?;
            let revisions = table::rows(&board, &view);
            let (around, faults) = (&board.around, &board.faults);
            super::print_json(&json!({
                "server": &board.point, "revisions": revisions, "faults": faults,
                "namespaces": &around.namespaces, "upstreams": &around.rules,
            }));
            return Ok(ExitCode::SUCCESS);
        }
        if args.plain || !is_terminal {
            let count = match (args.count, is_terminal) {
                (Some(count), _) => count,
                (None, true) => u64::MAX,
                (None, false) => 1,
            };
            return plain::run(&remote, &stream, &view, count).await;
        }
        screen::run(&remote, &stream, view).await
    })
}

/// What is known after so many looks.
async fn after(remote: &Remote, stream: &str, looks: u64) -> Result<Board, Failure> {
    let mut events = remote.events(stream).await?;
    let mut board = Board::default();
    while board.looks < looks {
        let event = events.next().await?;
        let event = event.ok_or_else(|| Failure::Failed("the server went away".to_owned()))?;
        board.hear(&event);
    }
    Ok(board)
}
