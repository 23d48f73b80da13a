//! The line that the user writes.
//!
//! **Invariant:** the cursor stands between graphemes: what looks like one character is one, for every key.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// So many sent lines are remembered.
const PAST_MAX: usize = 200;
/// A line's most in bytes; more is not taken. A message has 2,000 UTF-16 units.
const LINE_BYTES_MAX: usize = 8_192;

/// A line, its cursor, and the lines before it.
#[derive(Debug, Default)]
pub struct Input {
    text: String,
    /// In bytes.
    cursor: usize,
    past: Vec<String>,
    /// Which past line is shown, counted from the newest.
    shown: Option<usize>,
    draft: String,
}

/// A key that changes the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Edit {
    /// A character is written.
    Insert(char),
    /// What stands before the cursor goes.
    Backspace,
    /// What stands behind it goes.
    Delete,
    /// The word before it goes.
    DeleteWord,
    /// Everything before it goes.
    DeleteToStart,
    /// One to the left.
    Left,
    /// One to the right.
    Right,
    /// To the start.
    Home,
    /// To the end.
    End,
    /// The line before.
    Earlier,
    /// The line after.
    Later,
}

impl Input {
    /// The line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// The columns that stand before the cursor.
    pub fn cursor_column(&self) -> usize {
        self.before_cursor().width()
    }

    /// Takes a finished line off, and remembers it.
    pub fn take(&mut self) -> String {
        let line = std::mem::take(&mut self.text);
        self.cursor = 0;
        self.shown = None;
        if !line.trim().is_empty() && self.past.last() != Some(&line) {
            self.past.push(line.clone());
            if self.past.len() > PAST_MAX {
                self.past.remove(0);
            }
        }
        line
    }

    /// Replaces what stands before the cursor.
    pub fn replace_before_cursor(&mut self, with: &str) {
        self.text.replace_range(..self.cursor, with);
        self.cursor = with.len();
    }

    /// Does what a key asks for.
    pub fn edit(&mut self, edit: Edit) {
        match edit {
            Edit::Insert(c) => {
                if !c.is_control() && self.text.len() + c.len_utf8() <= LINE_BYTES_MAX {
                    self.text.insert(self.cursor, c);
                    self.cursor += c.len_utf8();
                }
            }
            Edit::Backspace => {
                let from = self.left();
                self.remove(from);
            }
            Edit::Delete => {
                let to = self.right();
                self.text.replace_range(self.cursor..to, "");
            }
            Edit::DeleteWord => {
                let before = self.before_cursor().trim_end();
                let from = before.rfind(char::is_whitespace).map_or(0, |at| {
                    at + before[at..].chars().next().map_or(0, char::len_utf8)
                });
                self.remove(from);
            }
            Edit::DeleteToStart => self.remove(0),
            Edit::Left => self.cursor = self.left(),
            Edit::Right => self.cursor = self.right(),
            Edit::Home => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
            Edit::Earlier => self.show(self.shown.map_or(0, |shown| shown + 1)),
            Edit::Later => match self.shown {
                Some(0) => {
                    self.shown = None;
                    self.text = std::mem::take(&mut self.draft);
                    self.cursor = self.text.len();
                }
                Some(shown) => self.show(shown - 1),
                None => {}
            },
        }
    }

    fn show(&mut self, shown: usize) {
        let Some(at) = self.past.len().checked_sub(shown + 1) else {
            return;
        };
        if self.shown.is_none() {
            self.draft = std::mem::take(&mut self.text);
        }
        self.shown = Some(shown);
        self.text = self.past[at].clone();
        self.cursor = self.text.len();
    }

    fn remove(&mut self, from: usize) {
        self.text.replace_range(from..self.cursor, "");
        self.cursor = from;
    }

    fn left(&self) -> usize {
        let last = self.before_cursor().graphemes(true).next_back();
        self.cursor - last.map_or(0, str::len)
    }

    fn right(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(text: &str) -> Input {
        let mut input = Input::default();
        text.chars().for_each(|c| input.edit(Edit::Insert(c)));
        input
    }

    #[test]
    fn a_grapheme_is_one_step_however_many_characters_it_has() {
        let mut input = typed("a👩‍👩‍👧e\u{301}");
        input.edit(Edit::Backspace);
        assert_eq!(input.text(), "a👩‍👩‍👧");
        assert_eq!(input.cursor_column(), 3);
        input.edit(Edit::Left);
        assert_eq!(input.before_cursor(), "a");
        input.edit(Edit::Delete);
        assert_eq!(input.text(), "a");
    }

    #[test]
    fn words_and_halves_of_lines_go_at_once() {
        let mut input = typed("one two  three ");
        input.edit(Edit::DeleteWord);
        assert_eq!(input.text(), "one two  ");
        input.edit(Edit::DeleteWord);
        assert_eq!(input.text(), "one ");
        input.edit(Edit::DeleteToStart);
        assert_eq!(input.text(), "");
    }

    #[test]
    fn earlier_lines_come_back_and_the_draft_after_them() {
        let mut input = typed("first");
        input.take();
        "second".chars().for_each(|c| input.edit(Edit::Insert(c)));
        input.take();
        "draft".chars().for_each(|c| input.edit(Edit::Insert(c)));
        let mut seen = Vec::new();
        for edit in [
            Edit::Earlier,
            Edit::Earlier,
            Edit::Earlier,
            Edit::Later,
            Edit::Later,
            Edit::Later,
        ] {
            input.edit(edit);
            seen.push(input.text().to_owned());
        }
        assert_eq!(
            seen,
            ["second", "first", "first", "second", "draft", "draft"]
        );
    }

    proptest! {
        #[test]
        fn no_key_breaks_the_line(keys in prop::collection::vec(0..11_u8, 0..60), text in "\\PC{0,12}") {
            let mut input = typed(&text);
            for key in keys {
                input.edit(match key {
                    0 => Edit::Insert('é'), 1 => Edit::Backspace, 2 => Edit::Delete, 3 => Edit::DeleteWord,
                    4 => Edit::DeleteToStart, 5 => Edit::Left, 6 => Edit::Right, 7 => Edit::Home, 8 => Edit::End,
                    9 => Edit::Earlier, _ => Edit::Later,
                });
                prop_assert!(input.text().is_char_boundary(input.cursor));
            }
        }
    }
}
