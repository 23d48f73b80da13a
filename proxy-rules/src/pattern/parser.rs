//! Reads a pattern: ECMA-262, 22.2.1, with the additions of annex B and without the flag `u`.
//!
//! **Invariant:** what JavaScript refuses with a `SyntaxError` is refused here, at the same construct.
//! **Absent on purpose:** two groups of one name, which JavaScript allows in different branches since 2025.

use super::PatternError;
use super::groups::{self, Groups};
use super::set::Set;
use super::tree::{Assertion, Case, Direction, Greed, Look, NEST_MAX, Node, Repeat, Tree, Wanted};

pub(super) fn parse(source: &str) -> Result<Tree, PatternError> {
    let chars: Vec<(usize, char)> = source.char_indices().collect();
    let groups = groups::find(&chars)?;
    let mut parser = Parser {
        chars: &chars,
        next: 0,
        groups: &groups,
        opened: 0,
        depth: 0,
    };
    let root = parser.disjunction(Modes::default())?;
    if let Some((at, _)) = parser.peek() {
        return Err(PatternError::Unopened { at });
    }
    Ok(Tree {
        root,
        groups: groups.count,
        names: groups.names,
    })
}

/// What inline modifiers such as `(?i:…)` change.
#[derive(Clone, Copy, Default)]
pub(super) struct Modes {
    ignore_case: bool,
    dot_all: bool,
}

impl Modes {
    pub(super) fn fold(self, set: Set) -> Set {
        if self.ignore_case { set.folded() } else { set }
    }

    fn case(self) -> Case {
        if self.ignore_case {
            Case::Ignored
        } else {
            Case::Exact
        }
    }
}

pub(super) struct Parser<'a> {
    chars: &'a [(usize, char)],
    next: usize,
    pub(super) groups: &'a Groups,
    /// Capture groups whose `(` has been read.
    opened: u32,
    depth: usize,
}

/// Something a term can be, and whether a quantifier may follow it.
pub(super) enum Atom {
    Repeatable(Node),
    Fixed(Node),
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> Option<(usize, char)> {
        self.chars.get(self.next).copied()
    }

    pub(super) fn peek_char(&self) -> Option<char> {
        self.peek().map(|(_, c)| c)
    }

    pub(super) fn take(&mut self) -> Option<(usize, char)> {
        let taken = self.peek()?;
        self.next += 1;
        Some(taken)
    }

    pub(super) fn skip(&mut self, wanted: char) -> bool {
        let found = self.peek_char() == Some(wanted);
        self.next += usize::from(found);
        found
    }

    /// Where the reading stands, for [`Self::back_to`].
    pub(super) fn mark(&self) -> usize {
        self.next
    }

    pub(super) fn back_to(&mut self, mark: usize) {
        self.next = mark;
    }

    fn disjunction(&mut self, modes: Modes) -> Result<Node, PatternError> {
        let mut branches = vec![self.alternative(modes)?];
        while self.skip('|') {
            branches.push(self.alternative(modes)?);
        }
        Ok(match branches.len() {
            1 => branches.remove(0),
            _ => Node::Alternate(branches),
        })
    }

    fn alternative(&mut self, modes: Modes) -> Result<Node, PatternError> {
        let mut terms = Vec::new();
        while self.peek_char().is_some_and(|c| !matches!(c, '|' | ')')) {
            let before = self.opened;
            let atom = self.atom(modes, &mut terms)?;
            terms.push(self.quantified(atom, before)?);
        }
        Ok(match terms.len() {
            0 => Node::Empty,
            1 => terms.remove(0),
            _ => Node::Concat(terms),
        })
    }

    fn atom(&mut self, modes: Modes, before: &mut Vec<Node>) -> Result<Atom, PatternError> {
        let mark = self.mark();
        let (at, c) = self.take().expect("the caller peeked");
        Ok(match c {
            '^' => Atom::Fixed(Node::Assert(Assertion::Start)),
            '$' => Atom::Fixed(Node::Assert(Assertion::End)),
            '(' => self.group(at, modes)?,
            '[' => Atom::Repeatable(Node::One(self.class(at, modes)?)),
            '.' if modes.dot_all => Atom::Repeatable(Node::One(Set::ALL)),
            '.' => Atom::Repeatable(Node::One(Set::DOT)),
            '\\' => self.escape(modes)?,
            '*' | '+' | '?' => return Err(PatternError::NothingToRepeat { at }),
            '{' => {
                self.back_to(mark);
                if self.braces()?.is_some() {
                    return Err(PatternError::NothingToRepeat { at });
                }
                self.take();
                Atom::Repeatable(modes.literal('{'))
            }
            _ => {
                if c.len_utf16() == 2 {
                    // Two units to JavaScript: a quantifier repeats the second one, and the first never comes.
                    before.push(Node::One(Set::NONE));
                }
                Atom::Repeatable(modes.literal(c))
            }
        })
    }

    fn quantified(&mut self, atom: Atom, before: u32) -> Result<Node, PatternError> {
        let Some((at, _)) = self.peek() else {
            return Ok(atom.into_node());
        };
        let Some((min, max)) = self.quantifier()? else {
            return Ok(atom.into_node());
        };
        let Atom::Repeatable(body) = atom else {
            return Err(PatternError::NothingToRepeat { at });
        };
        let greed = if self.skip('?') {
            Greed::Lazy
        } else {
            Greed::Greedy
        };
        if max == Some(0) {
            return Ok(Node::Empty);
        }
        Ok(Node::Repeat(Box::new(Repeat {
            body,
            min,
            max,
            greed,
            groups: before + 1..self.opened + 1,
        })))
    }

    fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>, PatternError> {
        let bounds = match self.peek_char() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => return self.braces(),
            _ => return Ok(None),
        };
        self.take();
        Ok(Some(bounds))
    }

    /// Takes `{n}`, `{n,}` or `{n,m}` when it is there; any other `{` is a plain character in annex B.
    fn braces(&mut self) -> Result<Option<(u32, Option<u32>)>, PatternError> {
        let mark = self.mark();
        let bounds = self.braced();
        match bounds {
            None => self.back_to(mark),
            Some((min, Some(max))) if min > max => {
                return Err(PatternError::OutOfOrder {
                    at: self.chars[mark].0,
                });
            }
            Some(_) => {}
        }
        Ok(bounds)
    }

    fn braced(&mut self) -> Option<(u32, Option<u32>)> {
        if !self.skip('{') {
            return None;
        }
        let min = self.number()?;
        let max = if self.skip(',') {
            self.number()
        } else {
            Some(min)
        };
        self.skip('}').then_some((min, max))
    }

    /// A decimal number; one that is too large for 32 bits is as good as the largest.
    pub(super) fn number(&mut self) -> Option<u32> {
        let mut number = None;
        while let Some(digit) = self.peek_char().and_then(|c| c.to_digit(10)) {
            self.take();
            let above: u32 = number.unwrap_or(0);
            number = Some(above.saturating_mul(10).saturating_add(digit));
        }
        number
    }

    fn group(&mut self, at: usize, modes: Modes) -> Result<Atom, PatternError> {
        self.depth += 1;
        if self.depth > NEST_MAX {
            return Err(PatternError::TooDeep { at });
        }
        let atom = match self.kind_of_group(at, modes)? {
            Kind::Plain(modes) => Atom::Repeatable(self.body(at, modes)?),
            Kind::Capture => {
                self.opened += 1;
                let index = self.opened;
                Atom::Repeatable(Node::Group(index, Box::new(self.body(at, modes)?)))
            }
            Kind::Look(look) => {
                let node = Node::Look(look, Box::new(self.body(at, modes)?));
                match look.direction {
                    Direction::Ahead => Atom::Repeatable(node),
                    Direction::Behind => Atom::Fixed(node),
                }
            }
        };
        self.depth -= 1;
        Ok(atom)
    }

    fn body(&mut self, at: usize, modes: Modes) -> Result<Node, PatternError> {
        let node = self.disjunction(modes)?;
        if self.skip(')') {
            Ok(node)
        } else {
            Err(PatternError::Unclosed { open: '(', at })
        }
    }

    /// Reads what stands between `(` and the group's body.
    fn kind_of_group(&mut self, at: usize, modes: Modes) -> Result<Kind, PatternError> {
        if !self.skip('?') {
            return Ok(Kind::Capture);
        }
        let unknown = PatternError::UnknownGroup { at };
        let behind = self.skip('<');
        let direction = if behind {
            Direction::Behind
        } else {
            Direction::Ahead
        };
        let wanted = match self.peek_char() {
            Some('=') => Wanted::Present,
            Some('!') => Wanted::Missing,
            _ if behind => {
                self.name().ok_or(unknown)?;
                return Ok(Kind::Capture);
            }
            _ => return self.modifiers(modes).map(Kind::Plain).ok_or(unknown),
        };
        self.take();
        Ok(Kind::Look(Look { direction, wanted }))
    }

    /// Takes the rest of `(?<name>` or `\k<name>`.
    pub(super) fn name(&mut self) -> Option<String> {
        let (name, end) = groups::name(self.chars, self.next)?;
        self.next = end;
        Some(name)
    }

    /// Takes the rest of `(?:` or `(?ims-ims:`.
    fn modifiers(&mut self, outer: Modes) -> Option<Modes> {
        let mut modes = outer;
        let mut on = true;
        let mut seen = String::new();
        loop {
            let (_, c) = self.take()?;
            match c {
                ':' => return (seen != "-").then_some(modes),
                '-' if on => on = false,
                'i' if !seen.contains(c) => modes.ignore_case = on,
                's' if !seen.contains(c) => modes.dot_all = on,
                'm' if !seen.contains(c) => {}
                _ => return None,
            }
            seen.push(c);
        }
    }
}

enum Kind {
    Plain(Modes),
    Capture,
    Look(Look),
}

impl Modes {
    pub(super) fn literal(self, c: char) -> Node {
        self.code(c.into())
    }

    pub(super) fn code(self, code: u32) -> Node {
        Node::One(self.fold(Set::one(code)))
    }

    pub(super) fn back(self, group: u32) -> Node {
        Node::Back(group, self.case())
    }
}

impl Atom {
    fn into_node(self) -> Node {
        match self {
            Self::Repeatable(node) | Self::Fixed(node) => node,
        }
    }
}
