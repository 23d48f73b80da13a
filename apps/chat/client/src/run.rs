//! The program in lines: what is said and what happens goes out as lines, and lines come in.
//!
//! **Invariant:** the one loop owns everything. It ends when the model says so, or when nobody reads the output.

use std::io::{self, Write};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use url::Url;

use crate::chance;
use crate::clock::Zone;
use crate::exit::Exit;
use crate::lines::{Form, line};
use crate::link::Link;
use crate::model::{Chat, Effect, Event, Told};
use crate::stdin::{self, Reading};

/// How often the model is asked what time does to it.
pub const TICK: Duration = Duration::from_millis(100);
/// So much may wait to be sent before no more lines are read.
const UNSENT_MAX: usize = 100;

/// The signals that end the program.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// From now on.
    pub fn new() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Event {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
        Event::Quit
    }
}

/// A ticking clock.
pub fn ticks() -> tokio::time::Interval {
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Feeds the model with an event, and does what it asks for. How the program ends, when it does.
pub async fn feed(
    chat: &mut Chat,
    link: &mut Link,
    event: Event,
    mut tell: impl FnMut(&Told) -> io::Result<()>,
) -> io::Result<Option<Exit>> {
    let mut next = Some(event);
    while let Some(event) = next.take() {
        for effect in chat.step(chance::now_ms(), chance::number(), event) {
            let failed = match effect {
                Effect::Connect => {
                    link.connect();
                    None
                }
                Effect::Disconnect => {
                    link.drop_connection();
                    None
                }
                Effect::Send(frame) => link.send(frame).await,
                Effect::Ping => link.ping().await,
                Effect::Tell(told) => {
                    tell(&told)?;
                    None
                }
                Effect::End(exit) => {
                    link.close().await;
                    return Ok(Some(exit));
                }
            };
            next = failed.or(next);
        }
    }
    Ok(None)
}

/// Runs until the end.
pub async fn lines(mut chat: Chat, url: Url, form: Form, reading: Reading) -> io::Result<Exit> {
    let zone = Zone::of_the_system();
    let mut link = Link::to(url);
    let mut signals = Signals::new()?;
    let mut input = stdin::lines()?;
    let mut is_open = true;
    let mut ticks = ticks();
    link.connect();
    loop {
        let event = tokio::select! {
            event = link.next() => event,
            event = signals.next() => event,
            _ = ticks.tick() => Event::Tick,
            text = input.recv(), if is_open && chat.outbox.len() < UNSENT_MAX => match text {
                Some(text) => match stdin::event(reading, text) {
                    Ok(Some(event)) => event,
                    Ok(None) => continue,
                    Err(problem) => {
                        print(&line(form, &Told::Problem(problem), zone))?;
                        continue;
                    }
                },
                None => {
                    is_open = false;
                    Event::LastLine
                }
            },
        };
        let tell = |told: &Told| print(&line(form, told, zone));
        if let Some(exit) = feed(&mut chat, &mut link, event, tell).await? {
            return Ok(exit);
        }
    }
}

/// Whoever reads along sees a line as soon as it is written.
fn print(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
