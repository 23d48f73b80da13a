//! One frame of the screen.
//!
//! **Invariant:** it is made from what it is given and nothing else.
//! **Absent on purpose:** a terminal. `screen.rs` has it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};
use unicode_width::UnicodeWidthStr;

use super::rows::{Look, Row, rows};
use super::scroll::Scroll;
use crate::clock::Zone;
use crate::model::input::Input;
use crate::model::log::Log;
use crate::model::{Chat, Phase};
use crate::protocol::v1::Status;

/// Below so many columns the panes would leave no room for the log.
const PANES_FROM: u16 = 60;
const PANE_WIDTH: u16 = 22;

/// What was drawn, for keys that scroll.
#[derive(Debug, Default)]
pub struct Drawn {
    /// Every row of the log.
    pub rows: Vec<Row>,
    /// How many are seen.
    pub height: usize,
    /// What the rows were made of: the room, its changes, the user's name, the width.
    of: Option<(String, u64, String, u16)>,
}

impl Drawn {
    /// Makes the rows anew, unless they would be the same: breaking thousands of messages into rows takes longer than
    /// all the rest.
    fn update(&mut self, chat: &Chat, zone: Zone, area: Rect) {
        self.height = usize::from(area.height);
        let nothing = Log::default();
        let log = chat.log().unwrap_or(&nothing);
        let room = chat.wanted.clone().unwrap_or_default();
        let of = Some((room, log.changes(), chat.me.clone(), area.width));
        if self.of != of {
            self.rows = rows(chat, log, zone, area.width.into());
            self.of = of;
        }
    }
}

/// Draws everything.
pub fn draw(
    frame: &mut Frame,
    chat: &Chat,
    input: &Input,
    scroll: Scroll,
    zone: Zone,
    choices: &[String],
    drawn: &mut Drawn,
) {
    let [top, middle, typing, line] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let panes = if frame.area().width >= PANES_FROM {
        PANE_WIDTH
    } else {
        0
    };
    let [log, side] =
        Layout::horizontal([Constraint::Min(1), Constraint::Length(panes)]).areas(middle);
    draw_state(frame, top, chat, scroll);
    if panes > 0 {
        let [rooms, people] = Layout::vertical([Constraint::Percentage(50); 2]).areas(side);
        draw_rooms(frame, rooms, chat);
        draw_people(frame, people, chat);
    }
    drawn.update(chat, zone, log);
    draw_log(frame, log, scroll, drawn);
    let below = if choices.is_empty() {
        typing_text(chat)
    } else {
        choices.join("  ")
    };
    frame.render_widget(Paragraph::new(below).style(dim()), typing);
    draw_line(frame, line, input);
}

fn draw_state(frame: &mut Frame, area: Rect, chat: &Chat, scroll: Scroll) {
    let room = chat.wanted.as_deref().unwrap_or("no room");
    let mut text = format!(" {room} · {} · {}", chat.me, state_text(chat));
    if chat.outbox.len() > 0 {
        text.push_str(&format!(" · {} to send", chat.outbox.len()));
    }
    let (unread, _) = chat.unread(room);
    if scroll != Scroll::Newest && unread > 0 {
        text.push_str(&format!(" · {unread} new below (End)"));
    }
    let style = Style::new().add_modifier(Modifier::REVERSED);
    frame.render_widget(Paragraph::new(text).style(style), area);
}

fn state_text(chat: &Chat) -> String {
    match chat.phase {
        Phase::Connecting => "connecting".to_owned(),
        Phase::Waiting(_) => {
            let seconds = chat.waits_s().unwrap_or_default();
            format!("not connected, trying again in {seconds} s")
        }
        Phase::Entering(_) => "joining".to_owned(),
        Phase::Recovering(_) => "reading what was missed".to_owned(),
        Phase::Ready => "connected".to_owned(),
    }
}

fn draw_rooms(frame: &mut Frame, area: Rect, chat: &Chat) {
    // Where they do not all fit, those stay that matter now.
    let mut listed: Vec<_> = chat.rooms.iter().collect();
    if listed.len() >= usize::from(area.height) {
        listed.sort_by_key(|room| {
            let is_here = chat.wanted.as_ref() == Some(&room.id);
            (!is_here, chat.unread(&room.id).0 == 0)
        });
    }
    let lines = listed.into_iter().map(|room| {
        let is_here = chat.wanted.as_ref() == Some(&room.id);
        let (unread, is_named) = if is_here {
            (0, false)
        } else {
            chat.unread(&room.id)
        };
        let mark = match (unread, is_named) {
            (0, _) => String::new(),
            (unread, false) => format!(" *{unread}"),
            (unread, true) => format!(" @{unread}"),
        };
        // A long name does not push the mark out.
        let end = format!(" {}{mark}", room.user_count);
        let width = usize::from(area.width).saturating_sub(1 + end.width());
        let line = Line::from(format!("{}{end}", cut(&room.id, width)));
        if is_here || unread > 0 {
            line.style(Modifier::BOLD)
        } else {
            line
        }
    });
    pane(frame, area, "Rooms", lines.collect());
}

/// As much of a text as fits, with a sign where it was cut.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let rest = from_column(text, width.saturating_sub(1));
    format!("{}…", &text[..text.len() - rest.len()])
}

fn draw_people(frame: &mut Frame, area: Rect, chat: &Chat) {
    let lines = chat.people.iter().map(|name| {
        let known = chat.statuses.get(name).copied();
        let status = if *name == chat.me {
            Some(chat.status)
        } else {
            known
        };
        let (mark, colour) = match status.unwrap_or(Status::Online) {
            Status::Online => ("●", Color::Green),
            Status::Away => ("◐", Color::Yellow),
            Status::Dnd => ("⊘", Color::Red),
            Status::Offline => ("○", Color::DarkGray),
        };
        Line::from(vec![
            Span::styled(mark, colour),
            Span::raw(format!(" {name}")),
        ])
    });
    let title = format!("People {}", chat.people.len());
    pane(frame, area, &title, lines.collect());
}

fn pane(frame: &mut Frame, area: Rect, title: &str, mut lines: Vec<Line<'_>>) {
    let height = usize::from(area.height).saturating_sub(1);
    if lines.len() > height && height > 0 {
        let more = lines.len() - (height - 1);
        lines.truncate(height - 1);
        lines.push(Line::styled(format!("… {more} more"), dim()));
    }
    let block = Block::new()
        .borders(Borders::LEFT | Borders::TOP)
        .title(title.to_owned())
        .border_style(dim());
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn draw_log(frame: &mut Frame, area: Rect, scroll: Scroll, drawn: &Drawn) {
    let lines: Vec<Line<'_>> = scroll
        .seen(&drawn.rows, drawn.height)
        .iter()
        .map(|row| Line::styled(row.text.as_str(), style(row.look)))
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
}

fn style(look: Look) -> Style {
    match look {
        Look::Theirs => Style::new(),
        Look::Ours => Style::new().fg(Color::Cyan),
        Look::Mention => Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD),
        Look::Notice => dim(),
        Look::Problem => Style::new().fg(Color::Red),
    }
}

fn dim() -> Style {
    Style::new().fg(Color::DarkGray)
}

fn typing_text(chat: &Chat) -> String {
    match chat.typing.as_slice() {
        [] => String::new(),
        [one] => format!(" {one} is typing…"),
        [one, two] => format!(" {one} and {two} are typing…"),
        many => format!(" {} people are typing…", many.len()),
    }
}

/// A line that is too long is shown up to the cursor.
fn draw_line(frame: &mut Frame, area: Rect, input: &Input) {
    let prompt = "> ";
    let room = usize::from(area.width).saturating_sub(prompt.width() + 1);
    let column = input.cursor_column();
    let hidden = column.saturating_sub(room);
    let text = format!("{prompt}{}", from_column(input.text(), hidden));
    frame.render_widget(Paragraph::new(text), area);
    let shown = column - (input.text().width() - from_column(input.text(), hidden).width());
    let x = area.x + (prompt.width() + shown).min(usize::from(area.width)) as u16;
    frame.set_cursor_position(Position::new(x, area.y));
}

/// What stands from a column on, whole graphemes.
fn from_column(text: &str, column: usize) -> &str {
    use unicode_segmentation::UnicodeSegmentation;
    let mut passed = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        if passed >= column {
            return &text[at..];
        }
        passed += grapheme.width();
    }
    if column == 0 { text } else { "" }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use serde_json::json;

    use super::*;
    use crate::model::input::Edit;
    use crate::model::{Event, Patience};

    fn chat() -> Chat {
        let mut chat = Chat::new("Ada".into(), "dev".into(), Patience::Endless, 0);
        chat.step(0, 1, Event::Up);
        for (channel, payload) in [
            (
                "room.joined",
                json!({"roomId": "dev", "users": ["Ada", "Bob"], "recentMessages": []}),
            ),
            (
                "room.list",
                json!({"rooms": [{"id": "dev", "userCount": 2, "createdAt": 0}]}),
            ),
            (
                "message.received",
                json!({"id": "1-a", "text": "hello \u{1b}[31mAda", "roomId": "dev", "username": "Bob", "timestamp": 1}),
            ),
            (
                "typing.update",
                json!({"roomId": "dev", "usersTyping": ["Bob"]}),
            ),
        ] {
            let frame = json!({"type": "message", "channel": channel, "payload": payload});
            chat.step(1, 1, Event::Frame(frame.to_string()));
        }
        chat
    }

    fn screen(width: u16, chat: &Chat, input: &Input) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, 10)).unwrap();
        terminal
            .draw(|frame| {
                let zone = Zone::default();
                let mut drawn = Drawn::default();
                draw(frame, chat, input, Scroll::Newest, zone, &[], &mut drawn);
            })
            .unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn the_log_the_panes_and_the_line_are_seen() {
        let mut input = Input::default();
        "half a li"
            .chars()
            .for_each(|c| input.edit(Edit::Insert(c)));
        let screen = screen(80, &chat(), &input);
        for part in [
            "dev · Ada · connected",
            "Bob: hello",
            "People 2",
            "dev 2",
            "Bob is typing…",
            "> half a li",
        ] {
            assert!(screen.contains(part), "{part}\n{screen}");
        }
        assert!(!screen.contains('\u{1b}'));
    }

    #[test]
    fn a_pane_that_is_too_full_says_so_and_keeps_what_matters() {
        let mut chat = chat();
        let rooms: Vec<_> = (0..20)
            .map(|at| json!({"id": format!("a-room-with-a-long-name-{at}"), "userCount": 7, "createdAt": 0}))
            .chain([json!({"id": "dev", "userCount": 2, "createdAt": 0})])
            .collect();
        let list = json!({"type": "message", "channel": "room.list", "payload": {"rooms": rooms}});
        chat.step(1, 1, Event::Frame(list.to_string()));
        let screen = screen(80, &chat, &Input::default());
        for part in ["dev 2", "a-room-with-a-long… 7", "more"] {
            assert!(screen.contains(part), "{part}\n{screen}");
        }
    }

    #[test]
    fn rows_are_made_anew_when_something_changed_and_only_then() {
        let (mut chat, zone) = (chat(), Zone::default());
        let area = Rect::new(0, 0, 40, 5);
        let mut drawn = Drawn::default();
        drawn.update(&chat, zone, area);
        let count = drawn.rows.len();
        drawn.rows.clear();
        drawn.update(&chat, zone, area);
        assert_eq!(drawn.rows.len(), 0, "nothing changed");
        chat.step(2, 2, Event::Command(crate::model::command::Command::Users));
        drawn.update(&chat, zone, area);
        assert_eq!(drawn.rows.len(), count + 1);
        drawn.rows.clear();
        drawn.update(&chat, zone, Rect::new(0, 0, 30, 5));
        assert!(drawn.rows.len() > count);
    }

    #[test]
    fn a_narrow_screen_keeps_the_log() {
        let screen = screen(30, &chat(), &Input::default());
        assert!(
            screen.contains("Bob: hello") && !screen.contains("People"),
            "{screen}"
        );
    }

    #[test]
    fn a_long_line_is_seen_up_to_the_cursor() {
        let mut input = Input::default();
        "0123456789"
            .repeat(5)
            .chars()
            .for_each(|c| input.edit(Edit::Insert(c)));
        input.edit(Edit::Insert('!'));
        assert!(screen(20, &chat(), &input).contains("789!"));
    }
}
