//! Text, broken into rows of a width.
//!
//! **Invariant:** no row is wider than asked for, and no grapheme is torn apart. Nothing but white space at breaks is lost.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Breaks text at line breaks, then between words, and within a word that is wider than a row.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    text.split('\n')
        .flat_map(|line| wrap_line(line, width))
        .collect()
}

fn wrap_line(line: &str, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    let mut columns = 0;
    for word in line.split_word_bounds() {
        let wide = word.width();
        if columns + wide <= width {
            row.push_str(word);
            columns += wide;
            continue;
        }
        if columns > 0 {
            rows.push(std::mem::take(&mut row).trim_end().to_owned());
            columns = 0;
        }
        // A break stands for the white space at it.
        if word.trim().is_empty() {
            continue;
        }
        for grapheme in word.graphemes(true) {
            let wide = grapheme.width();
            if columns + wide > width {
                rows.push(std::mem::take(&mut row));
                columns = 0;
            }
            row.push_str(grapheme);
            columns += wide;
        }
    }
    rows.push(row);
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_stay_whole_where_they_fit() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("a\n\nb", 8), ["a", "", "b"]);
        assert_eq!(wrap("", 8), [""]);
    }

    #[test]
    fn a_word_wider_than_a_row_is_broken_between_graphemes() {
        assert_eq!(wrap("abcdefg", 3), ["abc", "def", "g"]);
        assert_eq!(wrap("世界世界", 5), ["世界", "世界"]);
        assert_eq!(wrap("👩‍👩‍👧👩‍👩‍👧", 3), ["👩‍👩‍👧", "👩‍👩‍👧"]);
    }

    proptest! {
        #[test]
        fn no_row_is_too_wide_and_no_letter_is_lost(text in "[a-zé世👍 ]{0,60}", width in 2_usize..20) {
            let rows = wrap(&text, width);
            for row in &rows {
                prop_assert!(row.width() <= width, "{row:?}");
            }
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&rows.concat()), letters(&text));
        }
    }
}
