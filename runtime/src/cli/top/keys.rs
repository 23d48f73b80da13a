//! What a key does. Pure.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::table::{Order, View};

/// What the lower part shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Panel {
    /// What apps failed of.
    #[default]
    Faults,
    /// The log.
    Log,
    /// Each worker of the marked revision.
    Workers,
    /// Sessions and topics, by namespace.
    Sessions,
    /// Proxy rules.
    Upstreams,
    /// How canaries do.
    Rollouts,
}

impl Panel {
    const ALL: [Panel; 6] = [
        Panel::Faults,
        Panel::Log,
        Panel::Workers,
        Panel::Sessions,
        Panel::Upstreams,
        Panel::Rollouts,
    ];

    /// The one that is so many further on, round and round.
    fn on(self, steps: usize) -> Panel {
        let at = Panel::ALL.iter().position(|one| *one == self);
        Panel::ALL[(at.unwrap_or_default() + steps) % Panel::ALL.len()]
    }
}

/// Whether letters are keys, or words of the filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    #[default]
    Keys,
    Filter,
}

/// Whether the screen follows the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Motion {
    #[default]
    Live,
    Paused,
}

/// What somebody has chosen to see.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Choice {
    pub view: View,
    pub panel: Panel,
    pub mode: Mode,
    pub motion: Motion,
    /// Which row is marked, from 0.
    pub row: usize,
}

/// What comes of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The screen is drawn anew.
    Stay,
    /// The program ends.
    Leave,
}

/// How far a page is.
const PAGE: usize = 10;

impl Choice {
    /// Takes a key; there are `rows` rows.
    pub fn press(&mut self, key: KeyEvent, rows: usize) -> Outcome {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        if is_control && matches!(key.code, KeyCode::Char('c' | 'd' | 'q')) {
            return Outcome::Leave;
        }
        match self.mode {
            Mode::Filter => self.write(key.code),
            Mode::Keys if matches!(key.code, KeyCode::Char('q')) => return Outcome::Leave,
            Mode::Keys => self.steer(key.code, rows),
        }
        self.row = self.row.min(rows.saturating_sub(1));
        Outcome::Stay
    }

    fn write(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter => self.mode = Mode::Keys,
            KeyCode::Esc => {
                self.view.filter.clear();
                self.mode = Mode::Keys;
            }
            KeyCode::Backspace => {
                self.view.filter.pop();
            }
            KeyCode::Char(c) if !c.is_control() && self.view.filter.len() < 200 => {
                self.view.filter.push(c);
            }
            _ => {}
        }
    }

    fn steer(&mut self, code: KeyCode, rows: usize) {
        let last = rows.saturating_sub(1);
        match code {
            KeyCode::Char('/') => self.mode = Mode::Filter,
            KeyCode::Esc => self.view.filter.clear(),
            KeyCode::Char('s') => self.view.sort = self.view.sort.next(),
            KeyCode::Char('r') => {
                self.view.order = match self.view.order {
                    Order::Natural => Order::Reversed,
                    Order::Reversed => Order::Natural,
                }
            }
            KeyCode::Char('p' | ' ') => {
                self.motion = match self.motion {
                    Motion::Live => Motion::Paused,
                    Motion::Paused => Motion::Live,
                }
            }
            KeyCode::Char('l') | KeyCode::Tab => self.panel = self.panel.on(1),
            KeyCode::BackTab => self.panel = self.panel.on(Panel::ALL.len() - 1),
            KeyCode::Char('w') | KeyCode::Enter => self.panel = Panel::Workers,
            KeyCode::Up | KeyCode::Char('k') => self.row = self.row.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.row = (self.row + 1).min(last),
            KeyCode::PageUp => self.row = self.row.saturating_sub(PAGE),
            KeyCode::PageDown => self.row = (self.row + PAGE).min(last),
            KeyCode::Home => self.row = 0,
            KeyCode::End => self.row = last,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::Sort;
    use super::*;

    fn press(choice: &mut Choice, keys: &[KeyCode]) -> Vec<Outcome> {
        let keys = keys.iter();
        keys.map(|key| choice.press(KeyEvent::new(*key, KeyModifiers::NONE), 3))
            .collect()
    }

    #[test]
    fn letters_are_keys_until_a_filter_is_written() {
        let mut choice = Choice::default();
        let typed = [
            KeyCode::Char('/'),
            KeyCode::Char('q'),
            KeyCode::Char('s'),
            KeyCode::Enter,
        ];
        assert_eq!(press(&mut choice, &typed), [Outcome::Stay; 4]);
        assert_eq!(
            (choice.view.filter.as_str(), choice.view.sort),
            ("qs", Sort::Requests)
        );
        press(&mut choice, &[KeyCode::Char('s'), KeyCode::Esc]);
        assert_eq!(
            (choice.view.filter.as_str(), choice.view.sort),
            ("", Sort::P99)
        );
        assert_eq!(press(&mut choice, &[KeyCode::Char('q')]), [Outcome::Leave]);
    }

    #[test]
    fn control_c_leaves_wherever_one_is() {
        let mut choice = Choice::default();
        press(&mut choice, &[KeyCode::Char('/')]);
        let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(choice.press(key, 0), Outcome::Leave);
    }

    #[test]
    fn every_panel_is_reached_both_ways_round_and_the_workers_at_once() {
        let mut choice = Choice::default();
        let mut seen = Vec::new();
        for _ in Panel::ALL {
            press(&mut choice, &[KeyCode::Tab]);
            seen.push(choice.panel);
        }
        assert_eq!((seen[0], choice.panel), (Panel::Log, Panel::Faults));
        assert!(Panel::ALL.iter().all(|panel| seen.contains(panel)));
        press(&mut choice, &[KeyCode::BackTab]);
        assert_eq!(choice.panel, Panel::Rollouts);
        press(&mut choice, &[KeyCode::Char('w')]);
        assert_eq!(choice.panel, Panel::Workers);
    }

    #[test]
    fn the_mark_stays_on_a_row_that_is_there() {
        let mut choice = Choice::default();
        press(&mut choice, &[KeyCode::PageDown, KeyCode::Down]);
        assert_eq!(choice.row, 2);
        choice.press(KeyEvent::new(KeyCode::Left, KeyModifiers::NONE), 1);
        assert_eq!(choice.row, 0);
    }
}
