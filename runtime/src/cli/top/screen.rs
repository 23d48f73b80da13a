//! The whole terminal: events and keys come in, frames are drawn.
//!
//! **Invariant:** the terminal is put back however this ends: by [`Guard`], and on a panic by ratatui's hook.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event as TerminalEvent, KeyEventKind};
use ratatui::widgets::TableState;
use rookery_lifecycle::Backoff;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::sleep;

use super::board::Board;
use super::draw::{Ink, Link, Scene, draw};
use super::keys::{Choice, Motion, Outcome};
use super::table::{self, Row, View};
use crate::cli::Failure;
use crate::cli::remote::{Event, Events, Remote};

/// Keys that wait to be handled; more wait in the terminal.
const KEYS_MAX: usize = 64;
/// How long the reader of keys takes to notice that the program ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a server that went away is waited for, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// The terminal, as long as it is ours.
struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        ratatui::restore();
    }
}

/// What is seen.
struct Screen {
    board: Board,
    rows: Vec<Row>,
    choice: Choice,
    link: Link,
    server: String,
    ink: Ink,
    state: TableState,
}

/// The way to the server, which comes back by itself.
struct Line<'a> {
    remote: &'a Remote,
    stream: &'a str,
    events: Option<Events>,
    backoff: Backoff,
}

/// The signals that end the program.
struct Signals([Signal; 3]);

/// Runs until a key or a signal ends it. The server must answer at first.
pub async fn run(remote: &Remote, stream: &str, view: View) -> Result<ExitCode, Failure> {
    let events = remote.events(stream).await?;
    let failed =
        |error: io::Error| Failure::Failed(format!("the terminal cannot be used: {error}"));
    let signals = Signals::new().map_err(failed)?;
    let terminal = ratatui::try_init().map_err(failed)?;
    let has_ended = Arc::new(AtomicBool::new(false));
    let guard = Guard(Arc::clone(&has_ended));
    let keys = keys(has_ended).map_err(failed)?;
    let screen = Screen {
        board: Board::default(),
        rows: Vec::new(),
        choice: Choice {
            view,
            ..Choice::default()
        },
        link: Link::Live,
        server: remote.address(),
        ink: match std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) {
            true => Ink::Colours,
            false => Ink::None,
        },
        state: TableState::default(),
    };
    let line = Line {
        remote,
        stream,
        events: Some(events),
        backoff: Backoff::new(AGAIN.0, AGAIN.1),
    };
    let outcome = screen.follow(terminal, keys, line, signals).await;
    drop(guard);
    outcome.map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

impl Screen {
    async fn follow(
        mut self,
        mut terminal: DefaultTerminal,
        mut keys: Receiver<TerminalEvent>,
        mut line: Line<'_>,
        mut signals: Signals,
    ) -> io::Result<()> {
        loop {
            self.draw(&mut terminal)?;
            tokio::select! {
                () = signals.next() => return Ok(()),
                told = line.next() => self.hear(told),
                key = keys.recv() => match key {
                    Some(TerminalEvent::Key(key)) if key.kind != KeyEventKind::Release => {
                        if self.choice.press(key, self.rows.len()) == Outcome::Leave {
                            return Ok(());
                        }
                        self.rows = table::rows(&self.board, &self.choice.view);
                    }
                    Some(_) => {}
                    // The terminal is gone.
                    None => return Ok(()),
                },
            }
        }
    }

    fn hear(&mut self, told: Result<Event, String>) {
        match told {
            Ok(event) => {
                self.link = Link::Live;
                // What is paused stays as it is; what came meanwhile is told as a whole to who comes back.
                self.board.hear(&event);
                if self.choice.motion == Motion::Live {
                    self.rows = table::rows(&self.board, &self.choice.view);
                }
            }
            Err(why) => self.link = Link::Lost(why),
        }
    }

    fn draw(&mut self, terminal: &mut DefaultTerminal) -> io::Result<()> {
        self.choice.row = self.choice.row.min(self.rows.len().saturating_sub(1));
        let scene = Scene {
            board: &self.board,
            rows: &self.rows,
            choice: &self.choice,
            link: &self.link,
            server: &self.server,
            ink: self.ink,
        };
        let state = &mut self.state;
        terminal.draw(|frame| draw(frame, &scene, state))?;
        Ok(())
    }
}

impl Line<'_> {
    /// The next event, or why there is none for now. Whoever drops this future loses nothing.
    async fn next(&mut self) -> Result<Event, String> {
        let Some(events) = &mut self.events else {
            sleep(self.backoff.next_delay()).await;
            let events = self.remote.events(self.stream).await;
            self.events = Some(events.map_err(|failure| first_line(&failure))?);
            return Err("connected again".to_owned());
        };
        match events.next().await {
            Ok(Some(event)) => {
                self.backoff.reset();
                Ok(event)
            }
            Ok(None) => {
                self.events = None;
                Err("the server went away; trying again".to_owned())
            }
            Err(failure) => {
                self.events = None;
                Err(first_line(&failure))
            }
        }
    }
}

fn first_line(failure: &Failure) -> String {
    let text = failure.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hang_up] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}

/// Reads keys on a thread of its own, which ends with the program.
fn keys(has_ended: Arc<AtomicBool>) -> io::Result<Receiver<TerminalEvent>> {
    let (sender, receiver) = channel(KEYS_MAX);
    thread::Builder::new()
        .name("keys".to_owned())
        .spawn(move || {
            while !has_ended.load(Ordering::Relaxed) {
                let event = match event::poll(LOOK_EVERY) {
                    Ok(false) => continue,
                    Ok(true) => event::read(),
                    Err(error) => Err(error),
                };
                let Ok(event) = event else { return };
                if sender.blocking_send(event).is_err() {
                    return;
                }
            }
        })?;
    Ok(receiver)
}
