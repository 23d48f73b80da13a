//! Text that others wrote, on its way to a terminal.
//!
//! **Invariant:** nothing that passes here moves a cursor, changes a colour, sets a title or turns the direction of
//! reading: guests choose their names, their reasons and their log.

/// What stands for a character that must not be shown.
const INSTEAD: char = '\u{fffd}';

/// On one line.
pub fn line(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\n' { ' ' } else { safe(c) })
        .collect()
}

/// With its line breaks.
pub fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").chars().map(safe).collect()
}

fn safe(c: char) -> char {
    match c {
        '\n' => c,
        '\t' => ' ',
        // Marks, overrides and isolates of direction, and the separators that terminals treat each in their own way.
        '\u{200e}'
        | '\u{200f}'
        | '\u{061c}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => INSTEAD,
        c if c.is_control() => INSTEAD,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_overrides_lose_their_power() {
        assert_eq!(
            line("\u{1b}[2Jhi\nthere\u{7}"),
            "\u{fffd}[2Jhi there\u{fffd}"
        );
        assert_eq!(lines("a\u{9b}31m\r\nb\tc"), "a\u{fffd}31m\nb c");
        assert_eq!(line("abc\u{202e}def"), "abc\u{fffd}def");
        assert_eq!(line("Grüße, 世界"), "Grüße, 世界");
    }
}
