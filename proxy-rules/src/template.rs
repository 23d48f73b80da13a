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
