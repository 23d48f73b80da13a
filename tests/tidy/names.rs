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

/// What a line declares, if it starts a declaration.
fn declared(line: &str) -> Option<Declared<'_>> {
    const BEFORE: [&str; 7] = [
        "pub",
        "pub(crate)",
        "pub(super)",
        "const",
        "async",
        "unsafe",
        "default",
    ];
    let mut words = line
        .trim_start()
        .split(' ')
        .skip_while(|word| BEFORE.contains(word));
    let keyword = words.next()?;
    let name = words.next()?.split(['<', '(', '{', ';', ':', '!']).next()?;
    match keyword {
        "mod" | "struct" | "enum" | "trait" | "type" => Some(Declared::Noun(name)),
        "fn" => Some(Declared::Verb(name)),
        _ => None,
    }
}

/// A declaration's name.
#[derive(Debug, PartialEq, Eq)]
enum Declared<'a> {
    /// Of a module or a type: each of its words has to mean something.
    Noun(&'a str),
    /// Of a function, which may be a sentence: it must not be one such word alone.
    Verb(&'a str),
}

impl Declared<'_> {
    fn empty_word(&self) -> Option<&'static str> {
        match self {
            Declared::Noun(name) => empty_word(name),
            Declared::Verb(name) => EMPTY_WORDS.into_iter().find(|word| word == name),
        }
    }
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
            let word = declared(line)?.empty_word()?;
            Some(format!(
                "{}:{}: {word} in {}",
                file.path,
                at + 1,
                line.trim()
            ))
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
    assert_eq!(
        declared("pub(crate) struct Manager<T> {"),
        Some(Declared::Noun("Manager"))
    );
    assert_eq!(
        declared("    async fn run(&self) {"),
        Some(Declared::Verb("run"))
    );
    assert_eq!(Declared::Verb("common").empty_word(), Some("common"));
    assert_eq!(Declared::Verb("two_have_it_in_common").empty_word(), None);
    assert_eq!(declared("let x = 1;"), None);
}
