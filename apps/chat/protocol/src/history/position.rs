//! A place in a room's log, as clients keep it: text that means nothing to them.
//!
//! **Invariant:** what is not a position of this log is told apart, and never read as another place in it.

use std::fmt;

/// All that was said before `offset`, in the log of this epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position<'a> {
    pub(crate) epoch: &'a str,
    pub(crate) offset: u64,
    pub(crate) reading: Reading,
}

/// What its holder did to have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Heard what was told. Something with an earlier place may have been told later.
    FromHeard,
    /// Read a page of the log, and goes on to the next.
    FromPage,
}

impl<'a> Position<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Position<'a>> {
        let (text, reading) = match text.strip_suffix('+') {
            Some(text) => (text, Reading::FromPage),
            None => (text, Reading::FromHeard),
        };
        let (epoch, offset) = text.rsplit_once(':')?;
        Some(Position {
            epoch,
            offset: offset.parse().ok()?,
            reading,
        })
    }
}

impl fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.reading {
            Reading::FromHeard => "",
            Reading::FromPage => "+",
        };
        write!(f, "{}:{}{mark}", self.epoch, self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        for reading in [Reading::FromHeard, Reading::FromPage] {
            let position = Position {
                epoch: "1795219689027-clsmy7yj0",
                offset: 17,
                reading,
            };
            assert_eq!(Position::parse(&position.to_string()), Some(position));
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            ":",
            "e",
            "e:",
            "e:+",
            "e:-1",
            "e:1.5",
            "e:99999999999999999999",
        ] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
    }
}
