//! What Tab makes of a half-written line.
//!
//! **Invariant:** what stands behind the cursor stays, and a line that nothing fits stays as it is.

use super::command::COMMANDS;

/// What stands before the cursor after Tab, and what else would fit.
#[derive(Debug, PartialEq)]
pub struct Completed {
    /// In place of what stood before the cursor.
    pub text: String,
    /// Every fit, if there are several.
    pub choices: Vec<String>,
}

/// Completes a command, a room after `/join`, or a name anywhere else.
pub fn complete(before: &str, rooms: &[String], people: &[String]) -> Option<Completed> {
    if let Some(start) = before.strip_prefix("/join ") {
        return finish("/join ", start, rooms.iter().map(String::as_str), "");
    }
    if before.starts_with('/') && !before.contains(' ') {
        let words = COMMANDS.iter().map(|(word, _, _)| *word);
        return finish("", before, words, " ");
    }
    let at = before.rfind(' ').map_or(0, |at| at + 1);
    let (head, word) = before.split_at(at);
    let (head, word) = match word.strip_prefix('@') {
        Some(word) => (format!("{head}@"), word),
        None => (head.to_owned(), word),
    };
    // At the start of a line a name addresses somebody.
    let tail = if head.is_empty() { ": " } else { " " };
    if word.is_empty() && !head.ends_with('@') {
        return None;
    }
    finish(&head, word, people.iter().map(String::as_str), tail)
}

fn finish<'a>(
    head: &str,
    start: &str,
    all: impl Iterator<Item = &'a str>,
    tail: &str,
) -> Option<Completed> {
    let wanted = start.to_lowercase();
    let mut fits: Vec<&str> = all
        .filter(|word| word.to_lowercase().starts_with(&wanted))
        .collect();
    fits.sort_unstable();
    fits.dedup();
    match fits.as_slice() {
        [] => None,
        [only] => Some(Completed {
            text: format!("{head}{only}{tail}"),
            choices: Vec::new(),
        }),
        [first, ..] => {
            let shared = shared_start(&fits);
            let shared = if shared.len() >= start.len() {
                &first[..shared.len()]
            } else {
                start
            };
            Some(Completed {
                text: format!("{head}{shared}"),
                choices: fits.iter().map(|&word| word.to_owned()).collect(),
            })
        }
    }
}

/// What all words begin with.
fn shared_start<'a>(words: &[&'a str]) -> &'a str {
    let Some((first, rest)) = words.split_first() else {
        return "";
    };
    let mut shared = *first;
    for word in rest {
        let same = shared.chars().zip(word.chars()).take_while(|(a, b)| a == b);
        let bytes = same.map(|(a, _)| a.len_utf8()).sum();
        shared = &shared[..bytes];
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, text: &str, choices: &[&str]) {
        let rooms = ["dev".to_owned(), "dev-chat".into(), "general".into()];
        let people = [
            "Ada".to_owned(),
            "Adele".into(),
            "bob".into(),
            "Ördög".into(),
        ];
        let completed = complete(before, &rooms, &people);
        let completed = completed.unwrap_or_else(|| panic!("nothing for {before:?}"));
        assert_eq!(
            (completed.text.as_str(), completed.choices.as_slice()),
            (
                text,
                &choices.iter().map(|&c| c.to_owned()).collect::<Vec<_>>()[..]
            )
        );
    }

    #[test]
    fn commands_rooms_and_people_are_completed() {
        check("/jo", "/join ", &[]);
        check("/h", "/h", &["/help", "/history"]);
        check("/join g", "/join general", &[]);
        check("/join d", "/join dev", &["dev", "dev-chat"]);
        check("B", "bob: ", &[]);
        check("hi b", "hi bob ", &[]);
        check("hi @a", "hi @Ad", &["Ada", "Adele"]);
        check("ör", "Ördög: ", &[]);
    }

    #[test]
    fn what_fits_nothing_stays() {
        for before in ["", "hi ", "/nope", "/join x", "zed"] {
            assert_eq!(
                complete(before, &["dev".into()], &["Ada".into()]),
                None,
                "{before}"
            );
        }
    }
}
