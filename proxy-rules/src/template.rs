//! Text with `${NAME}` in it, to be filled from the operator's environment.
//!
//! **Invariant:** every `${` is closed and holds a name that an environment variable can have.
//! **Absent on purpose:** the environment. Who fills the template in decides what it may see.

/// A text and the variables that it names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    text: String,
}

/// Why a text is not a template.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TemplateError {
    /// A `${` without its `}`.
    #[error("a \"${{\" is not closed")]
    Unclosed,
    /// What stands between the braces is not a name.
    #[error("a variable's name is a letter or \"_\", then letters, digits and \"_\"")]
    InvalidName,
}

impl Template {
    /// Takes a text whose variables are well formed.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        for name in names(text) {
            if !is_name(name.ok_or(TemplateError::Unclosed)?) {
                return Err(TemplateError::InvalidName);
            }
        }
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// The text with its variables still in it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of its variables, in order, as often as they stand there.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        names(&self.text).flatten()
    }
}

/// One piece of a template that was filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Piece<'t> {
    /// As the author wrote it.
    Text(&'t str),
    /// What a variable holds.
    Value(String),
}

/// The names that a manifest grants and the environment that they are looked up in.
pub(crate) struct Variables<'a> {
    pub(crate) granted: &'a [String],
    pub(crate) environment: &'a dyn Fn(&str) -> Option<String>,
}

/// Why a variable has no value.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum NoValue {
    /// The manifest does not list it.
    #[error("uses ${{{0}}}, which grants.env does not list")]
    NotGranted(String),
    /// The environment does not have it.
    #[error("uses ${{{0}}}, which is not set in the environment")]
    NotSet(String),
}

impl Variables<'_> {
    fn value(&self, name: &str) -> Result<String, NoValue> {
        if !self.granted.iter().any(|granted| granted == name) {
            return Err(NoValue::NotGranted(name.to_owned()));
        }
        (self.environment)(name).ok_or_else(|| NoValue::NotSet(name.to_owned()))
    }
}

impl Template {
    /// Its text and its variables' values, in order; or every variable that has none.
    pub(crate) fn fill(&self, variables: &Variables<'_>) -> Result<Vec<Piece<'_>>, Vec<NoValue>> {
        let mut pieces = Vec::new();
        let mut missing = Vec::new();
        for (text, name) in self.sections() {
            pieces.push(Piece::Text(text));
            match name.map(|name| variables.value(name)) {
                None => {}
                Some(Ok(value)) => pieces.push(Piece::Value(value)),
                Some(Err(no_value)) if missing.contains(&no_value) => {}
                Some(Err(no_value)) => missing.push(no_value),
            }
        }
        if missing.is_empty() {
            Ok(pieces)
        } else {
            Err(missing)
        }
    }

    /// What its author wrote around the variables.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.sections().map(|(text, _)| text)
    }

    /// Each text with the variable after it; none is after the last.
    fn sections(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let mut rest = Some(self.text.as_str());
        std::iter::from_fn(move || {
            let text = rest.take()?;
            let Some((text, after)) = text.split_once("${") else {
                return Some((text, None));
            };
            let (name, next) = after
                .split_once('}')
                .expect("a template's braces are closed");
            rest = Some(next);
            Some((text, Some(name)))
        })
    }

    /// The same as one text.
    pub(crate) fn filled(&self, variables: &Variables<'_>) -> Result<String, Vec<NoValue>> {
        let pieces = self.fill(variables)?;
        Ok(pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Value(value) => value.as_str(),
            })
            .collect())
    }
}

/// What follows each `${` up to its `}`, or None for the one that is never closed.
fn names(text: &str) -> impl Iterator<Item = Option<&str>> {
    text.split("${")
        .skip(1)
        .map(|after| after.split_once('}').map(|(name, _)| name))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&[&str], TemplateError>) {
        let names = Template::parse(text)
            .map(|template| template.variables().map(str::to_owned).collect::<Vec<_>>());
        let expected = expected.map(|names| names.iter().map(ToString::to_string).collect());
        assert_eq!(names, expected, "{text}");
    }

    #[test]
    fn variables_are_found_and_checked() {
        check("http://backend:3000", Ok(&[]));
        check("${API_URL}", Ok(&["API_URL"]));
        check("https://${HOST}:${PORT}/x", Ok(&["HOST", "PORT"]));
        check("/v1/$1/$&/$", Ok(&[]));
        check("a${", Err(TemplateError::Unclosed));
        check("${A}${B", Err(TemplateError::Unclosed));
        check("${}", Err(TemplateError::InvalidName));
        check("${1A}", Err(TemplateError::InvalidName));
        check("${A-B}", Err(TemplateError::InvalidName));
        check("${${A}}", Err(TemplateError::Unclosed));
    }
}
