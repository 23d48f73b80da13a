//! The program on a whole screen: keys come in, frames are drawn.
//!
//! **Invariant:** the terminal is put back however this ends: by [`Guard`], and on a panic by ratatui's hook.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{
    self, Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers,
};
use tokio::sync::mpsc::{Receiver, channel};
use url::Url;

use crate::clock::Zone;
use crate::exit::Exit;
use crate::link::Link;
use crate::model::command::{self, Command};
use crate::model::complete::complete;
use crate::model::input::{Edit, Input};
use crate::model::{Chat, Draft, Event, Told};
use crate::run::{Signals, feed, ticks};
use crate::view::draw::{Drawn, draw};
use crate::view::scroll::Scroll;

/// Keys that wait to be handled; more wait in the terminal.
const KEYS_MAX: usize = 64;
/// How long the reader of keys takes to notice that the program ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The terminal, as long as it is ours.
struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        ratatui::restore();
    }
}

/// What the screen has besides the model.
#[derive(Default)]
struct Screen {
    input: Input,
    scroll: Scroll,
    drawn: Drawn,
    choices: Vec<String>,
    zone: Zone,
    problem: Option<String>,
}

/// Runs until the end.
pub async fn run(mut chat: Chat, url: Url) -> io::Result<Exit> {
    let mut signals = Signals::new()?;
    let mut terminal = ratatui::try_init()?;
    let has_ended = Arc::new(AtomicBool::new(false));
    let guard = Guard(Arc::clone(&has_ended));
    let mut keys = keys(has_ended)?;
    let mut screen = Screen {
        zone: Zone::of_the_system(),
        ..Screen::default()
    };
    let mut link = Link::to(url);
    let mut ticks = ticks();
    link.connect();
    let mut last_problem = None;
    let mut is_stale = true;
    let outcome = loop {
        if is_stale {
            screen.draw(&mut terminal, &chat)?;
        }
        let event = tokio::select! {
            event = link.next() => Some(event),
            event = signals.next() => Some(event),
            _ = ticks.tick() => Some(Event::Tick),
            key = keys.recv() => match key {
                Some(TerminalEvent::Key(key)) if key.kind != KeyEventKind::Release => screen.key(&chat, key),
                Some(TerminalEvent::Paste(text)) => screen.paste(&text),
                Some(_) => None,
                // The terminal is gone.
                None => Some(Event::Quit),
            },
        };
        // A key may have changed the screen and nothing else.
        let Some(event) = event else {
            is_stale = true;
            continue;
        };
        let glance = chat.glance();
        let is_silent = is_silent(&event);
        let tell = |told: &Told| {
            if let Told::Problem(problem) = told {
                last_problem = Some(problem.clone());
            }
            Ok(())
        };
        if let Some(exit) = feed(&mut chat, &mut link, event, tell).await? {
            break exit;
        }
        is_stale = !is_silent || chat.glance() != glance;
        if screen.scroll == Scroll::Newest
            && let Some(exit) = feed(&mut chat, &mut link, Event::Seen, |_| Ok(())).await?
        {
            break exit;
        }
    };
    drop(guard);
    // With the screen goes what stood on it.
    if let (true, Some(problem)) = (outcome != Exit::Left, last_problem) {
        eprintln!("chat-client: {problem}");
    }
    Ok(outcome)
}

/// Whether nothing of it is seen, as long as the connection stays as it is.
fn is_silent(event: &Event) -> bool {
    match event {
        Event::Tick => true,
        Event::Frame(frame) => frame.is_empty(),
        _ => false,
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

impl Screen {
    fn draw(&mut self, terminal: &mut DefaultTerminal, chat: &Chat) -> io::Result<()> {
        let below: Vec<String> = match &self.problem {
            Some(problem) => vec![problem.clone()],
            None => self.choices.clone(),
        };
        let (scroll, zone) = (self.scroll, self.zone);
        let (input, drawn) = (&self.input, &mut self.drawn);
        terminal.draw(|frame| draw(frame, chat, input, scroll, zone, &below, drawn))?;
        Ok(())
    }

    /// What a key asks the model for.
    fn key(&mut self, chat: &Chat, key: KeyEvent) -> Option<Event> {
        self.choices.clear();
        self.problem = None;
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        let edit = match key.code {
            KeyCode::Char('c' | 'q') if is_control => return Some(Event::Quit),
            KeyCode::Char('d') if is_control && self.input.text().is_empty() => {
                return Some(Event::Quit);
            }
            KeyCode::Enter => return self.enter(),
            KeyCode::Tab => return self.complete(chat),
            KeyCode::PageUp => return self.up(self.drawn.height),
            KeyCode::PageDown => {
                self.scroll
                    .down(&self.drawn.rows, self.drawn.height, self.drawn.height);
                return None;
            }
            KeyCode::Esc => {
                self.scroll = Scroll::Newest;
                return None;
            }
            KeyCode::End if self.scroll != Scroll::Newest => {
                self.scroll = Scroll::Newest;
                return None;
            }
            KeyCode::Char('w') if is_control => Edit::DeleteWord,
            KeyCode::Char('u') if is_control => Edit::DeleteToStart,
            KeyCode::Char('a') if is_control => Edit::Home,
            KeyCode::Char('e') if is_control => Edit::End,
            KeyCode::Char('d') if is_control => Edit::Delete,
            KeyCode::Char(c) if !is_control => Edit::Insert(c),
            KeyCode::Backspace => Edit::Backspace,
            KeyCode::Delete => Edit::Delete,
            KeyCode::Left => Edit::Left,
            KeyCode::Right => Edit::Right,
            KeyCode::Home => Edit::Home,
            KeyCode::End => Edit::End,
            KeyCode::Up => Edit::Earlier,
            KeyCode::Down => Edit::Later,
            _ => return None,
        };
        self.input.edit(edit);
        Some(self.draft())
    }

    /// What is pasted is written, on one line.
    fn paste(&mut self, text: &str) -> Option<Event> {
        for c in text.chars() {
            self.input
                .edit(Edit::Insert(if c.is_control() { ' ' } else { c }));
        }
        Some(self.draft())
    }

    /// A command is not typing.
    fn draft(&self) -> Event {
        let text = self.input.text();
        Event::Draft(if text.is_empty() || text.starts_with('/') {
            Draft::Empty
        } else {
            Draft::Begun
        })
    }

    fn enter(&mut self) -> Option<Event> {
        self.scroll = Scroll::Newest;
        match command::parse(&self.input.take()) {
            Ok(Some(Command::Quit)) => Some(Event::Quit),
            Ok(command) => command.map(Event::Command),
            Err(problem) => {
                self.problem = Some(format!("! {problem}"));
                None
            }
        }
    }

    fn complete(&mut self, chat: &Chat) -> Option<Event> {
        let rooms: Vec<String> = chat.rooms.iter().map(|room| room.id.clone()).collect();
        let completed = complete(self.input.before_cursor(), &rooms, &chat.people)?;
        self.input.replace_before_cursor(&completed.text);
        self.choices = completed.choices;
        Some(self.draft())
    }

    fn up(&mut self, by: usize) -> Option<Event> {
        let is_beyond = self.scroll.up(&self.drawn.rows, self.drawn.height, by);
        is_beyond.then_some(Event::LookBack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_for_a_tick_or_an_answer_to_a_ping() {
        assert!(is_silent(&Event::Tick));
        assert!(is_silent(&Event::Frame(String::new())));
        for event in [
            Event::Frame("{}".into()),
            Event::Draft(Draft::Begun),
            Event::Down("broken".into()),
        ] {
            assert!(!is_silent(&event), "{event:?}");
        }
    }
}
