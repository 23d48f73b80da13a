//! What a statement is, by its words. Not a parser: the database is one. This only tells apart what guests may say.
//!
//! **Invariant:** what this takes for one statement, SQLite takes for one statement: a `;` outside of strings, names,
//! comments and a trigger's body ends it.
//! **Invariant:** nothing that begins or ends a transaction, opens another file or changes the connection gets through:
//! a group of writes of many guests is one transaction, and they share the connection.
//! **Invariant:** a statement that fails leaves nothing behind, and one that succeeds does not fail later: what would stop
//! half way (`FAIL`), undo the others' (`ROLLBACK`) or be judged at the commit of all (`DEFERRED`) is refused.

mod one_row;
mod tokens;

use crate::error::SqlError;
use one_row::{OneRow, Piece};
use tokens::{Token, tokens};

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
                let sign = sql[place..].chars().next().unwrap_or(' ');
                one_row.follow(Piece::Sign(sign));
                words.clause = words.clause.after_sign(sign);
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
            Token::Word(word) => words.follow(Upper::of(word)),
            _ => words.other(),
        }
        begin.get_or_insert(place);
    }
    statements.extend(begin.map(|begin| script[begin..].trim()));
    Ok(statements)
}

/// A word in capitals, as far as it is short enough to be one that is looked for; else nothing. A statement is looked at
/// each time that it is run, so this allocates nothing.
#[derive(Clone, Copy, Default)]
struct Upper {
    bytes: [u8; Upper::LONGEST],
    length: usize,
}

impl Upper {
    /// `TEMPORARY` and `SAVEPOINT`.
    const LONGEST: usize = 9;

    fn of(word: &str) -> Upper {
        let mut upper = Upper::default();
        if let Some(bytes) = upper.bytes.get_mut(..word.len()) {
            bytes.copy_from_slice(word.as_bytes());
            bytes.make_ascii_uppercase();
            upper.length = word.len();
        }
        upper
    }

    fn as_str(&self) -> &str {
        // The whole of a word, so it is text.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

/// The words of a statement so far.
///
/// A trigger's body holds statements that end with `;` themselves, and the trigger ends with `END` alone between two of
/// them. That is all that is needed to find its end: `CASE … END` stands within a statement.
#[derive(Default)]
struct Words {
    /// The first two of the statement, and how many of them there are.
    begin: [Upper; 2],
    begun: usize,
    changes: bool,
    inserts: bool,
    /// How many tokens there were since the last `;`, and the first of them if it was a word.
    tokens: usize,
    first: Option<Upper>,
    clause: Clause,
}

/// What the words before this one are the beginning of, where the next one may be refused.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Clause {
    #[default]
    Any,
    /// `INSERT` or `UPDATE`.
    Change,
    /// `RAISE`.
    Raise,
    /// `INSERT OR`, `ON CONFLICT`, `RAISE(`: how to fail comes next.
    Resolution,
    /// `INITIALLY`.
    Initially,
}

impl Clause {
    fn after_word(self, upper: &str) -> Clause {
        match (self, upper) {
            (_, "INSERT" | "UPDATE") => Clause::Change,
            (Clause::Change, "OR") | (_, "CONFLICT") => Clause::Resolution,
            (_, "RAISE") => Clause::Raise,
            (_, "INITIALLY") => Clause::Initially,
            _ => Clause::Any,
        }
    }

    fn after_sign(self, sign: char) -> Clause {
        match (self, sign) {
            (Clause::Raise, '(') => Clause::Resolution,
            _ => Clause::Any,
        }
    }
}

impl Words {
    fn take(&mut self, word: &str) -> Result<(), SqlError> {
        pragma(word)?;
        let known = Upper::of(word);
        let upper = known.as_str();
        // `ON CONFLICT ROLLBACK` and `RAISE(ROLLBACK)` would undo what other guests wrote in the same group.
        if upper == "ROLLBACK" {
            return Err(refused("ROLLBACK is not for guests: use a transaction"));
        }
        match (self.clause, upper) {
            (Clause::Resolution, "FAIL") => {
                return Err(refused("FAIL is not for guests: it stops half way"));
            }
            (Clause::Initially, "DEFERRED") => {
                return Err(refused(
                    "DEFERRED is not for guests: a constraint is judged with its statement",
                ));
            }
            _ => {}
        }
        self.clause = self.clause.after_word(upper);
        let temporary = matches!(upper, "TEMP" | "TEMPORARY");
        if temporary && self.begun == 1 && self.begin[0].as_str() == "CREATE" {
            return Err(refused("there are no temporary tables, views and triggers"));
        }
        if self.tokens == 0 {
            self.may_begin(word, upper)?;
        }
        self.changes |= CHANGES.contains(&upper);
        self.inserts |= upper == "INSERT";
        self.follow(known);
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

    fn follow(&mut self, word: Upper) {
        if let Some(place) = self.begin.get_mut(self.begun) {
            *place = word;
            self.begun += 1;
        }
        if self.tokens == 0 {
            self.first = Some(word);
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
        let is_end = first.is_some_and(|first| first.as_str() == "END");
        !self.is_trigger() || (alone && is_end)
    }

    fn is_trigger(&self) -> bool {
        let [first, second] = &self.begin;
        first.as_str() == "CREATE" && second.as_str() == "TRIGGER"
    }

    fn kind(&self) -> Result<Kind, SqlError> {
        if self.begun == 0 {
            return Err(refused("there is no statement"));
        }
        let first = self.begin[0].as_str();
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

#[cfg(test)]
mod tests;
