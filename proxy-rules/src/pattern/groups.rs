//! Finds the capture groups of a pattern before it is read: `\3` and `\k` mean something else without them.

use super::PatternError;

/// The capture groups of a pattern.
pub(super) struct Groups {
    pub(super) count: u32,
    pub(super) names: Vec<(String, u32)>,
}

impl Groups {
    pub(super) fn named(&self, name: &str) -> Option<u32> {
        let found = self.names.iter().find(|(known, _)| known == name);
        found.map(|&(_, group)| group)
    }
}

pub(super) fn find(chars: &[(usize, char)]) -> Result<Groups, PatternError> {
    let mut groups = Groups {
        count: 0,
        names: Vec::new(),
    };
    let mut in_class = false;
    let mut i = 0;
    while let Some(&(at, c)) = chars.get(i) {
        i += 1;
        match c {
            '\\' => i += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => groups.open(chars, at, i)?,
            _ => {}
        }
    }
    Ok(groups)
}

impl Groups {
    fn open(
        &mut self,
        chars: &[(usize, char)],
        at: usize,
        inside: usize,
    ) -> Result<(), PatternError> {
        let ahead = |offset: usize| chars.get(inside + offset).map(|&(_, c)| c);
        if ahead(0) != Some('?') {
            self.count += 1;
        } else if ahead(1) == Some('<') && !matches!(ahead(2), Some('=' | '!')) {
            self.count += 1;
            let (name, _) = name(chars, inside + 2).ok_or(PatternError::UnknownGroup { at })?;
            if self.named(&name).is_some() {
                return Err(PatternError::SameName { at });
            }
            self.names.push((name, self.count));
        }
        Ok(())
    }
}

/// The name that starts at `from` and ends in `>`, and where what follows begins.
pub(super) fn name(chars: &[(usize, char)], from: usize) -> Option<(String, usize)> {
    let starts = |c: char| c.is_alphabetic() || matches!(c, '_' | '$');
    let mut name = String::new();
    for (i, &(_, c)) in chars.iter().enumerate().skip(from) {
        match c {
            '>' if !name.is_empty() => return Some((name, i + 1)),
            _ if starts(c) || (!name.is_empty() && c.is_numeric()) => name.push(c),
            _ => return None,
        }
    }
    None
}
