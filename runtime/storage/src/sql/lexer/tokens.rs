//! The tokens of SQL, as far as they have to be told apart: words, names in quotes, places for values, ends.
//!
//! **Invariant:** a string, a name or a comment ends where SQLite says that it ends.

use crate::error::SqlError;

/// A token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token<'a> {
    /// A bare word: a keyword or a name, as written.
    Word(&'a str),
    /// What stands in quotes, as written between them: a name or a text. SQLite takes a text for a name where only a
    /// name can be.
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

/// The tokens of a script and where each begins.
pub(super) fn tokens(sql: &str) -> impl Iterator<Item = Result<(Token<'_>, usize), SqlError>> {
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
        '\'' | '"' | '`' => {
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
        // Most of what is asked about is none, or one space and then none.
        at += usize::from(sql.as_bytes().get(at) == Some(&b' '));
        if sql.as_bytes().get(at).is_none_or(u8::is_ascii_alphanumeric) {
            return at;
        }
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
