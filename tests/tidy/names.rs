//! Words that name nothing: a thing that is called so is two things, or none.

use crate::files::{all, none};

const EMPTY_WORDS: [&str; 5] = ["manager", "helper", "util", "common", "misc"];

/// The empty word in a name, if there is one. Words are told apart by `_`, `-`, `.` and by case; a plural is the same word.
fn empty_word(name: &str) -> Option<&'static str> {
    let mut words = vec![String::new()];
    for char in name.chars() {
        if char.is_uppercase() || !char.is_alphanumeric() {
            words.push(String::new());
        }
        if char.is_alphanumeric() {
            words.last_mut().unwrap().extend(char.to_lowercase());
        }
    }
    let is = |word: &str, empty: &str| word == empty || word.strip_suffix('s') == Some(empty);
    EMPTY_WORDS
        .into_iter()
        .find(|empty| words.iter().any(|word| is(word, empty)))
}

/// The name that a line declares: of a module, a type, a trait or a function.
fn declared(line: &str) -> Option<&str> {
    let mut words = line.split(|char: char| char.is_whitespace() || "<({;:!".contains(char));
    words.find(|word| ["mod", "struct", "enum", "trait", "type", "fn"].contains(word))?;
    words.next().filter(|name| !name.is_empty())
}

#[test]
fn no_file_and_no_folder_has_an_empty_name() {
    let files = all();
    let named = files.iter().filter_map(|file| {
        let word = file.path.split('/').find_map(empty_word)?;
        Some(format!("{}: {word}", file.path))
    });
    none(&named.collect::<Vec<_>>(), "files named after nothing");
}

#[test]
fn no_module_type_or_function_has_an_empty_name() {
    let files = all();
    let named = files.iter().filter(|file| file.is_rust()).flat_map(|file| {
        let lines = file.text().lines().enumerate();
        let code = lines.filter(|(_, line)| !line.trim_start().starts_with("//"));
        code.filter_map(|(at, line)| {
            let name = declared(line)?;
            let word = empty_word(name)?;
            Some(format!("{}:{}: {name} ({word})", file.path, at + 1))
        })
    });
    none(&named.collect::<Vec<_>>(), "things named after nothing");
}

#[test]
fn an_empty_word_is_seen_among_others_and_not_within_one() {
    for (name, expected) in [
        ("string_utils.rs", Some("util")),
        ("SessionManager", Some("manager")),
        ("misc", Some("misc")),
        ("utility", None),
        ("commonwealth.rs", None),
        ("handle.rs", None),
    ] {
        assert_eq!(empty_word(name), expected, "{name}");
    }
    assert_eq!(declared("pub(crate) struct Manager<T> {"), Some("Manager"));
    assert_eq!(declared("    async fn run(&self) {"), Some("run"));
    assert_eq!(declared("let x = 1;"), None);
}
