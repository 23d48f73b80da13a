//! One frame of the screen.
//!
//! **Invariant:** it is made from what it is given and nothing else, and no text of others passes but through [`safe`].
//! **Absent on purpose:** a terminal. `screen.rs` has it.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{
    Block, Borders, Cell, Paragraph, Row as TableRow, Sparkline, Table, TableState,
};

use super::board::{Board, Point};
use super::keys::{Choice, Mode, Motion};
use super::panels;
use super::table::{HEADS, Order, Row, WORDS};
use super::words::{millis, rate, span};
use crate::cli::safe;

/// Below so many rows nothing but the table is shown.
const ROOMY_FROM: u16 = 18;
/// How many rows the panel has at least, and a third of a tall terminal.
const PANEL_ROWS: u16 = 9;
const LINE_ROWS: u16 = 4;

/// How the way to the server is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Link {
    Live,
    /// It broke, and is tried again.
    Lost(String),
}

/// Whether there are colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    Colours,
    None,
}

/// What a frame is made of.
pub struct Scene<'a> {
    pub board: &'a Board,
    pub rows: &'a [Row],
    pub choice: &'a Choice,
    pub link: &'a Link,
    pub server: &'a str,
    pub ink: Ink,
}

impl Ink {
    /// A colour, if there are any.
    pub fn of(self, color: Color) -> Style {
        match self {
            Ink::Colours => Style::new().fg(color),
            Ink::None => Style::new(),
        }
    }
}

/// Draws everything.
pub fn draw(frame: &mut Frame, scene: &Scene<'_>, state: &mut TableState) {
    let is_roomy = frame.area().height >= ROOMY_FROM;
    let rows = |rows| Constraint::Length(if is_roomy { rows } else { 0 });
    let [head, figures, lines, table, panel, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        rows(LINE_ROWS),
        Constraint::Min(3),
        rows(PANEL_ROWS.max(frame.area().height / 3)),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    draw_head(frame, head, scene);
    draw_figures(frame, figures, scene);
    draw_table(frame, table, scene, state);
    if is_roomy {
        draw_lines(frame, lines, scene);
        draw_panel(frame, panel, scene);
    }
    draw_foot(frame, foot, scene);
}

fn draw_head(frame: &mut Frame, area: Rect, scene: &Scene<'_>) {
    let board = scene.board;
    let state = match (scene.choice.motion, scene.link) {
        (Motion::Paused, _) => Span::styled("paused", dim()),
        (Motion::Live, Link::Live) => Span::styled("● live", scene.ink.of(Color::Green)),
        (Motion::Live, Link::Lost(why)) => {
            Span::styled(format!("○ {}", safe::line(why)), scene.ink.of(Color::Red))
        }
    };
    let about = format!("  up {}  {:.0} MiB", span(board.uptime_ms), board.memory);
    let line = Line::from(vec![
        Span::styled(" rookery ", Style::new().add_modifier(Modifier::BOLD)),
        Span::raw(format!("{}  ", scene.server)),
        state,
        Span::styled(about, dim()),
    ]);
    frame.render_widget(Paragraph::new(line), area);
}

fn draw_figures(frame: &mut Frame, area: Rect, scene: &Scene<'_>) {
    let point = &scene.board.point;
    let calm = Style::new().add_modifier(Modifier::BOLD);
    let alarmed = |is: bool, color| {
        if is {
            scene.ink.of(color).add_modifier(Modifier::BOLD)
        } else {
            calm
        }
    };
    let some = |value: f64| rate(Some(value));
    let figures = [
        (
            "requests",
            format!("{}/s", some(point.requests_per_second)),
            calm,
        ),
        ("p50", millis(point.p50), calm),
        ("p99", millis(point.p99), calm),
        (
            "faults",
            format!("{}/s", some(point.failures_per_second)),
            alarmed(point.failures_per_second > 0.0, Color::Red),
        ),
        (
            "queue",
            point.queue_depth.to_string(),
            alarmed(point.queue_depth > 0, Color::Yellow),
        ),
        ("workers", point.workers.to_string(), calm),
        (
            "cold starts",
            format!("{}/s", some(point.cold_starts_per_second)),
            calm,
        ),
        ("sessions", point.sessions.to_string(), calm),
        (
            "deliveries",
            format!("{}/s", some(point.deliveries_per_second)),
            calm,
        ),
    ];
    let spans = figures.into_iter().flat_map(|(name, value, style)| {
        [
            Span::styled(format!(" {name} "), dim()),
            Span::styled(value, style),
            Span::raw(" "),
        ]
    });
    frame.render_widget(Paragraph::new(Line::from_iter(spans)), area);
}

fn draw_lines(frame: &mut Frame, area: Rect, scene: &Scene<'_>) {
    let [left, right] = Layout::horizontal([Constraint::Percentage(50); 2]).areas(area);
    let mut line = |area: Rect, title: &str, color, value: fn(&Point) -> f64| {
        let width = usize::from(area.width.saturating_sub(1));
        let past = scene.board.past.iter().rev().take(width);
        let mut values: Vec<u64> = past.map(|point| (value(point) * 100.0) as u64).collect();
        // Now is at the right, also of a server that is young.
        values.resize(width, 0);
        values.reverse();
        let block = Block::new().title(Span::styled(format!(" {title}"), dim()));
        let line = Sparkline::default()
            .block(block)
            .data(&values)
            .style(scene.ink.of(color));
        frame.render_widget(line, area);
    };
    line(left, "requests per second", Color::Blue, |point| {
        point.requests_per_second
    });
    line(right, "p99", Color::Magenta, |point| {
        point.p99.unwrap_or_default()
    });
}

/// Columns with their widths, and how wide a terminal must be to show each.
const COLUMNS: [(u16, u16); HEADS.len()] = [
    (0, 0),
    (15, 0),
    (9, 0),
    (7, 90),
    (8, 0),
    (8, 130),
    (8, 110),
    (8, 0),
    (7, 70),
    (9, 90),
    (10, 90),
    (8, 0),
];

fn draw_table(frame: &mut Frame, area: Rect, scene: &Scene<'_>, state: &mut TableState) {
    let view = &scene.choice.view;
    let is_shown = |column: &usize| area.width >= COLUMNS[*column].1;
    let columns: Vec<usize> = (0..HEADS.len()).filter(is_shown).collect();
    let heads = columns.iter().map(|column| {
        let arrow = match (*column == view.sort.column(), view.order) {
            (false, _) => "",
            (true, Order::Natural) => "▾",
            (true, Order::Reversed) => "▴",
        };
        cell(*column, format!("{}{arrow}", HEADS[*column]), Style::new())
    });
    let heads = TableRow::new(heads).style(dim().add_modifier(Modifier::BOLD));
    let rows = scene.rows.iter().map(|row| {
        let cells = row.cells();
        TableRow::new(columns.iter().map(|column| {
            cell(
                *column,
                cells[*column].clone(),
                style_of(*column, row, scene.ink),
            )
        }))
    });
    let widths = columns.iter().map(|column| match COLUMNS[*column].0 {
        0 => Constraint::Min(10),
        width => Constraint::Length(width),
    });
    let matching = if view.filter.is_empty() {
        String::new()
    } else {
        format!(" with “{}”", safe::line(&view.filter))
    };
    let (shown, all) = (scene.rows.len(), scene.board.revisions.len());
    let title = format!(" {shown} of {all} revisions{matching} ");
    let table = Table::new(rows, widths)
        .header(heads)
        .block(titled(&title))
        .column_spacing(1)
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    state.select((!scene.rows.is_empty()).then_some(scene.choice.row));
    frame.render_stateful_widget(table, area, state);
}

fn cell(column: usize, text: String, style: Style) -> Cell<'static> {
    let line = Line::from(text);
    let line = if column < WORDS {
        line
    } else {
        line.alignment(Alignment::Right)
    };
    Cell::from(line).style(style)
}

fn style_of(column: usize, row: &Row, ink: Ink) -> Style {
    match (HEADS[column], row.state.as_str()) {
        ("STATE", "live") => ink.of(Color::Green),
        ("STATE", "refused" | "failing") => ink.of(Color::Red),
        ("STATE", _) => ink.of(Color::Yellow),
        ("QUEUE", _) if row.queue > 0 => ink.of(Color::Yellow),
        ("FAULTS", _) if row.faults > 0 => ink.of(Color::Red),
        _ => Style::new(),
    }
}

fn draw_panel(frame: &mut Frame, area: Rect, scene: &Scene<'_>) {
    let room = usize::from(area.height.saturating_sub(1));
    let (title, lines) = panels::say(scene, room);
    frame.render_widget(Paragraph::new(lines).block(titled(&title)), area);
}

fn draw_foot(frame: &mut Frame, area: Rect, scene: &Scene<'_>) {
    let line = match scene.choice.mode {
        Mode::Filter => format!(
            " filter: {}▏  Enter keeps it, Esc clears it",
            safe::line(&scene.choice.view.filter)
        ),
        Mode::Keys => {
            " q leave  / filter  s sort  r reverse  p pause  ↑↓ mark  w workers  l next: faults, log, workers, sessions, upstreams, rollouts".to_owned()
        }
    };
    frame.render_widget(Paragraph::new(line).style(dim()), area);
}

fn titled(title: &str) -> Block<'_> {
    Block::new()
        .borders(Borders::TOP)
        .border_style(dim())
        .title(title)
}

fn dim() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}
