//! What a statement is, by its words. Not a parser: the database is one. This only tells apart what guests may say.
//!
//! **Invariant:** what this takes for one statement, SQLite takes for one statement: a `;` outside of strings, names,
//! comments and a trigger's body ends it.
//! **Invariant:** nothing that begins or ends a transaction, opens another file or changes the connection gets through:
//! a group of writes of many guests is one transaction, and they share the connection.

mod one_row;

use crate::error::SqlError;
use one_row::{OneRow, Piece};

/// What a statement does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// It reads, and may run beside a writer.
    Read,
    /// It may add rows.
    Insert,
    /// It changes or deletes rows.
    Change,
    /// It changes the schema.
    Schema,
}

/// What was seen of a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub kind: Kind,
    /// How many `?` it has.
    pub places: usize,
    /// Whether it adds one row at most, and gives back no more than its columns.
    pub one_row: bool,
}

/// What a guest's statement may begin with.
const READS: &[&str] = &["SELECT", "VALUES", "EXPLAIN"];
const SCHEMA: &[&str] = &["CREATE", "DROP", "ALTER", "ANALYZE", "REINDEX"];
/// What a statement in a trigger's body may begin with, and what ends it.
const IN_TRIGGERS: &[&str] = &[
    "INSERT", "UPDATE", "DELETE", "REPLACE", "SELECT", "VALUES", "WITH", "END",
];
/// What writes rows, at the beginning of a statement or after its `WITH`.
const CHANGES: &[&str] = &["INSERT", "UPDATE", "DELETE", "REPLACE"];
const PRAGMA: &str = "PRAGMA_";
/// The table-valued pragmas that show a schema. The others show paths of the machine, or have effects.
const PRAGMAS: &[&str] = &[
    "PRAGMA_TABLE_INFO",
    "PRAGMA_TABLE_XINFO",
    "PRAGMA_TABLE_LIST",
    "PRAGMA_INDEX_LIST",
    "PRAGMA_INDEX_INFO",
    "PRAGMA_FOREIGN_KEY_LIST",
];

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token<'a> {
    /// A bare word: a keyword or a name, as written.
    Word(&'a str),
    /// A name in quotes, as written between them.
    Quoted(&'a str),
    /// `?` alone.
    Place,
    /// `?1`, `:name`, `@name` or `$name`.
    NamedPlace,
    /// `;`
    End,
    /// Anything else.
    Other,
}

/// Looks at one statement.
pub(crate) fn inspect(sql: &str) -> Result<Seen, SqlError> {
    if sql.contains('\0') {
        return Err(refused("a statement has no zero bytes"));
    }
    let mut words = Words::default();
    let mut places = 0;
    let mut ended = false;
    let mut one_row = OneRow::default();
    for token in tokens(sql) {
        let (token, place) = token?;
        if ended && token != Token::End {
            return Err(refused("one statement at a time"));
        }
        match &token {
            Token::End => {}
            Token::Word(word) => one_row.follow(Piece::Word(word)),
            Token::Quoted(_) => one_row.follow(Piece::Name),
            Token::Place | Token::NamedPlace | Token::Other => {
                one_row.follow(Piece::Sign(sql[place..].chars().next().unwrap_or(' ')));
            }
        }
        match token {
            Token::End => ended = words.end(),
            Token::Word(word) => words.take(word)?,
            Token::Quoted(name) => {
                pragma(name)?;
                words.other();
            }
            Token::Place => {
                places += 1;
                words.other();
            }
            Token::NamedPlace => {
                return Err(refused(
                    "places for values are written ?, without a name or a number",
                ));
            }
            Token::Other => words.other(),
        }
    }
    let kind = words.kind()?;
    Ok(Seen {
        kind,
        places,
        one_row: one_row.holds(),
    })
}

/// Splits a script at the ends of its statements; empty ones are left out.
pub(crate) fn split(script: &str) -> Result<Vec<&str>, SqlError> {
    let mut statements = Vec::new();
    let (mut words, mut begin) = (Words::default(), None);
    for token in tokens(script) {
        let (token, place) = token?;
        match token {
            Token::End => {
                if words.end() {
                    statements.extend(begin.map(|begin: usize| script[begin..place].trim()));
                    (words, begin) = (Words::default(), None);
                }
                continue;
            }
            Token::Word(word) => words.follow(&word.to_ascii_uppercase()),
            _ => words.other(),
        }
        begin.get_or_insert(place);
    }
    statements.extend(begin.map(|begin| script[begin..].trim()));
    Ok(statements)
}

/// The words of a statement so far.
///
/// A trigger's body holds statements that end with `;` themselves, and the trigger ends with `END` alone between two of
/// them. That is all that is needed to find its end: `CASE … END` stands within a statement.
#[derive(Default)]
struct Words {
    /// The first two of the statement, in capitals.
    begin: Vec<String>,
    changes: bool,
    inserts: bool,
    /// How many tokens there were since the last `;`, and the first of them if it was a word.
    tokens: usize,
    first: Option<String>,
}

impl Words {
    fn take(&mut self, word: &str) -> Result<(), SqlError> {
        pragma(word)?;
        let upper = word.to_ascii_uppercase();
        // `ON CONFLICT ROLLBACK` and `RAISE(ROLLBACK)` would undo what other guests wrote in the same group.
        if upper == "ROLLBACK" {
            return Err(refused("ROLLBACK is not for guests: use a transaction"));
        }
        let temporary = matches!(upper.as_str(), "TEMP" | "TEMPORARY");
        if temporary && self.begin == ["CREATE"] {
            return Err(refused("there are no temporary tables, views and triggers"));
        }
        if self.tokens == 0 {
            self.may_begin(word, &upper)?;
        }
        self.changes |= CHANGES.contains(&upper.as_str());
        self.inserts |= upper == "INSERT";
        self.follow(&upper);
        Ok(())
    }

    fn may_begin(&self, word: &str, upper: &str) -> Result<(), SqlError> {
        if self.is_trigger() {
            let may = IN_TRIGGERS.contains(&upper);
            return if may {
                Ok(())
            } else {
                Err(refused(format!("a trigger cannot say {word}")))
            };
        }
        let may = [READS, CHANGES, SCHEMA, &["WITH"]];
        if may.iter().any(|words| words.contains(&upper)) {
            return Ok(());
        }
        Err(refused(match upper {
            "BEGIN" | "COMMIT" | "END" | "SAVEPOINT" | "RELEASE" => {
                format!("{word} is not for guests: use a transaction")
            }
            "PRAGMA" | "ATTACH" | "DETACH" | "VACUUM" => format!("{word} is not for guests"),
            _ => format!("a statement cannot begin with {word}"),
        }))
    }

    fn follow(&mut self, upper: &str) {
        if self.begin.len() < 2 {
            self.begin.push(upper.to_owned());
        }
        if self.tokens == 0 {
            self.first = Some(upper.to_owned());
        }
        self.tokens += 1;
    }

    /// Something that is no word.
    fn other(&mut self) {
        self.tokens += 1;
    }

    /// A `;` came: whether it ends the statement.
    fn end(&mut self) -> bool {
        let first = self.first.take();
        let alone = std::mem::take(&mut self.tokens) == 1;
        !self.is_trigger() || (alone && first.as_deref() == Some("END"))
    }

    fn is_trigger(&self) -> bool {
        self.begin == ["CREATE", "TRIGGER"]
    }

    fn kind(&self) -> Result<Kind, SqlError> {
        let first = self.begin.first().map(String::as_str);
        let first = first.ok_or_else(|| refused("there is no statement"))?;
        Ok(if SCHEMA.contains(&first) {
            Kind::Schema
        } else if READS.contains(&first) || !self.changes {
            Kind::Read
        } else if self.inserts || first == "REPLACE" {
            Kind::Insert
        } else {
            Kind::Change
        })
    }
}

fn refused(text: impl Into<String>) -> SqlError {
    SqlError::Syntax(text.into())
}

/// Refuses the table-valued pragmas that are not for guests.
fn pragma(name: &str) -> Result<(), SqlError> {
    let prefix = name.get(..PRAGMA.len());
    if prefix.is_none_or(|prefix| !prefix.eq_ignore_ascii_case(PRAGMA)) {
        return Ok(());
    }
    let may = PRAGMAS.iter().any(|known| known.eq_ignore_ascii_case(name));
    if may {
        Ok(())
    } else {
        Err(refused(format!("{name} is not for guests")))
    }
}

/// The tokens of a script and where each begins.
fn tokens(sql: &str) -> impl Iterator<Item = Result<(Token<'_>, usize), SqlError>> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        rest = skip_blank(sql, rest);
        let begin = rest;
        let first = sql[begin..].chars().next()?;
        let (token, end) = match token(sql, begin, first) {
            Ok(found) => found,
            Err(error) => {
                rest = sql.len();
                return Some(Err(error));
            }
        };
        rest = end;
        Some(Ok((token, begin)))
    })
}

/// The token that begins here, and where it ends.
fn token(sql: &str, begin: usize, first: char) -> Result<(Token<'_>, usize), SqlError> {
    let after = begin + first.len_utf8();
    let word_end = |from: usize| {
        let end = sql[from..].find(|c: char| !is_word(c));
        end.map_or(sql.len(), |end| from + end)
    };
    Ok(match first {
        ';' => (Token::End, after),
        '\'' => (Token::Other, quoted(sql, after, '\'')?),
        '"' | '`' => {
            let end = quoted(sql, after, first)?;
            (Token::Quoted(&sql[after..end - 1]), end)
        }
        '[' => {
            let end = sql[after..].find(']').ok_or_else(unclosed)? + after;
            (Token::Quoted(&sql[after..end]), end + 1)
        }
        '?' => {
            let end = word_end(after);
            let named = end > after;
            (
                if named {
                    Token::NamedPlace
                } else {
                    Token::Place
                },
                end,
            )
        }
        ':' | '@' | '$' | '#' => (Token::NamedPlace, word_end(after)),
        'x' | 'X' if sql[after..].starts_with('\'') => {
            (Token::Other, quoted(sql, after + 1, '\'')?)
        }
        c if c.is_ascii_digit() => (Token::Other, word_end(after)),
        c if is_word(c) => {
            let end = word_end(after);
            (Token::Word(&sql[begin..end]), end)
        }
        _ => (Token::Other, after),
    })
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

/// Where a quoted text ends, behind its closing quote; a doubled quote does not close it.
fn quoted(sql: &str, from: usize, quote: char) -> Result<usize, SqlError> {
    let mut at = from;
    loop {
        let close = sql[at..].find(quote).ok_or_else(unclosed)? + at;
        let next = close + quote.len_utf8();
        if !sql[next..].starts_with(quote) {
            return Ok(next);
        }
        at = next + quote.len_utf8();
    }
}

fn unclosed() -> SqlError {
    SqlError::Syntax("a quote is not closed".to_owned())
}

/// Behind blanks and comments. A block comment that is not closed reaches to the end, as in SQLite.
fn skip_blank(sql: &str, mut at: usize) -> usize {
    loop {
        let rest = &sql[at..];
        let blank = rest.len()
            - rest
                .trim_start_matches([' ', '\t', '\n', '\r', '\x0c', '\u{feff}'])
                .len();
        at += blank;
        let rest = &sql[at..];
        let skipped = if rest.starts_with("--") {
            rest.find('\n').map_or(rest.len(), |end| end + 1)
        } else if rest.starts_with("/*") {
            rest.get(2..)
                .and_then(|inside| inside.find("*/"))
                .map_or(rest.len(), |end| end + 4)
        } else {
            0
        };
        if skipped == 0 {
            return at;
        }
        at += skipped;
    }
}

#[cfg(test)]
mod tests;
