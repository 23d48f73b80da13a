//! The table as lines, for a log or a pipe.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::LOOKS_FIRST;
use super::board::Board;
use super::table::{HEADS, Row, View, WORDS, rows};
use super::words::{millis, rate};
use crate::cli::Failure;
use crate::cli::remote::Remote;

/// Prints a table at each tick, so many times.
pub async fn run(
    remote: &Remote,
    stream: &str,
    view: &View,
    count: u64,
) -> Result<ExitCode, Failure> {
    let mut events = remote.events(stream).await?;
    let mut board = Board::default();
    let mut printed = 0;
    while printed < count {
        let Some(event) = events.next().await? else {
            return Err(Failure::Failed("the server went away".to_owned()));
        };
        board.hear(&event);
        // An event with a name brings no numbers.
        if !event.name.is_empty() || board.looks < LOOKS_FIRST {
            continue;
        }
        if print(&table(&board, &rows(&board, view))).is_err() {
            return Ok(ExitCode::SUCCESS);
        }
        printed += 1;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn table(board: &Board, rows: &[Row]) -> String {
    let point = &board.point;
    let mut text = format!(
        "requests {}/s  p50 {}  p95 {}  p99 {}  faults {}/s  queue {}  workers {}  sessions {}  deliveries {}/s\n",
        rate(Some(point.requests_per_second)),
        millis(point.p50),
        millis(point.p95),
        millis(point.p99),
        rate(Some(point.failures_per_second)),
        point.queue_depth,
        point.workers,
        point.sessions,
        rate(Some(point.deliveries_per_second)),
    );
    let heads = HEADS.map(str::to_owned);
    let lines: Vec<[String; HEADS.len()]> = std::iter::once(heads)
        .chain(rows.iter().map(Row::cells))
        .collect();
    let width = |column: usize| {
        lines
            .iter()
            .map(|cells| cells[column].chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..HEADS.len())
        .map(|column| width(column).unwrap_or_default())
        .collect();
    for cells in &lines {
        let cells =
            cells
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, width))| match column < WORDS {
                    true => format!("{cell:<width$}"),
                    false => format!("{cell:>width$}"),
                });
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push('\n');
    text
}
