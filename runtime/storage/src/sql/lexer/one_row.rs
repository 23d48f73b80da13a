//! Whether a statement adds one row at most and gives back no more than that row's columns.
//!
//! Such a statement is most of what guests write, and its result cannot be too large for any reason that could be seen
//! here: it needs no mark to be undone from.

/// Follows a statement's tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum OneRow {
    /// Nothing was seen.
    #[default]
    Begin,
    /// `INSERT` or `REPLACE`, and what stands before the values.
    Into,
    /// `VALUES`, before its row.
    Values,
    /// Within the row, so many brackets deep.
    Row(usize),
    /// Behind the row.
    Behind,
    /// `RETURNING`, and names of columns.
    Returning,
    /// It is something else.
    No,
}

/// A token as this is interested in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Piece<'a> {
    Word(&'a str),
    /// A name in quotes.
    Name,
    /// The character of anything else, the first one if it has several.
    Sign(char),
}

impl OneRow {
    pub fn follow(&mut self, piece: Piece<'_>) {
        let is = |keyword: &str| matches!(piece, Piece::Word(word) if word.eq_ignore_ascii_case(keyword));
        *self = match (*self, piece) {
            // A query within may give any number of rows.
            _ if is("SELECT") || is("WITH") => OneRow::No,
            (OneRow::Begin, _) if is("INSERT") || is("REPLACE") => OneRow::Into,
            (OneRow::Into, _) if is("VALUES") => OneRow::Values,
            (OneRow::Into, _) => OneRow::Into,
            (OneRow::Values, Piece::Sign('(')) => OneRow::Row(1),
            (OneRow::Row(depth), Piece::Sign('(')) => OneRow::Row(depth + 1),
            (OneRow::Row(1), Piece::Sign(')')) => OneRow::Behind,
            (OneRow::Row(depth), Piece::Sign(')')) => OneRow::Row(depth - 1),
            (row @ OneRow::Row(_), _) => row,
            (OneRow::Behind, _) if is("RETURNING") => OneRow::Returning,
            (OneRow::Returning, Piece::Word(_) | Piece::Name | Piece::Sign(',' | '*' | '.')) => {
                OneRow::Returning
            }
            _ => OneRow::No,
        };
    }

    pub fn holds(self) -> bool {
        matches!(self, OneRow::Behind | OneRow::Returning)
    }
}
