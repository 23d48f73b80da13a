//! Other people's text, made safe for a terminal.
//!
//! **Invariant:** nothing that passes here moves a cursor, changes a colour, sets a title or turns the direction of
//! reading: no C0 or C1 control, no DEL, no bidirectional override. A message may have line breaks, a name may not.

/// What stands for a character that must not be shown.
const INSTEAD: char = '\u{fffd}';

/// A name, on one line.
pub fn name(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\n' { INSTEAD } else { safe(c) })
        .collect()
}

/// A message, with its line breaks.
pub fn message(text: &str) -> String {
    text.replace("\r\n", "\n").chars().map(safe).collect()
}

fn safe(c: char) -> char {
    match c {
        '\n' => c,
        '\t' => ' ',
        // Overrides, isolates and marks of direction, and the separators that terminals treat each in their own way.
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_and_overrides_lose_their_power() {
        assert_eq!(message("\u{1b}[2Jhi\u{7}"), "\u{fffd}[2Jhi\u{fffd}");
        assert_eq!(message("a\u{9b}31mb"), "a\u{fffd}31mb");
        assert_eq!(message("abc\u{202e}def"), "abc\u{fffd}def");
        assert_eq!(message("two\r\nlines\tand a tab"), "two\nlines and a tab");
        assert_eq!(name("Ada\nadmin: x\r"), "Ada\u{fffd}admin: x\u{fffd}");
    }

    #[test]
    fn what_people_write_stays() {
        for text in ["Grüße, 世界", "👩‍👩‍👧 e\u{301}", "«a → b»"] {
            assert_eq!(message(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_control_ever_passes(text in any::<String>()) {
            prop_assert!(message(&text).chars().all(|c| c == '\n' || !c.is_control()));
            prop_assert!(!name(&text).contains(char::is_control));
        }
    }
}
