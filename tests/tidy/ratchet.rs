//! How long files and functions may be, and the list of those that are longer. The list may only shrink.

use std::collections::BTreeMap;

use crate::files::{File, all, none, repository};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
const LIST: &str = "tests/tidy/ratchet.txt";

/// Everything that is too long, and how long it is: `path` or `path name`.
fn too_long(files: &[File]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines = file.text().lines().count();
        if lines > FILE_LINES_MAX {
            found.insert(file.path.clone(), lines);
        }
        // A test may be a long table, and is read by itself.
        for (name, lines) in functions(production(file)) {
            if lines > FUNCTION_LINES_MAX {
                found.insert(format!("{} {name}", file.path), lines);
            }
        }
    }
    found
}

/// What of a file is neither a test nor a benchmark.
fn production(file: &File) -> &str {
    let parts: Vec<&str> = file.path.split('/').collect();
    if ["tests", "tests.rs", "benches"]
        .iter()
        .any(|proof| parts.contains(proof))
    {
        return "";
    }
    // Inline tests are the last thing in a file.
    let (code, _) = file
        .text()
        .split_once("\n#[cfg(test)]\nmod tests {")
        .unwrap_or((file.text(), ""));
    code
}

/// Every function and its lines, from its signature to its last brace. The code is formatted by rustfmt (CI sees to
/// that), so a function ends with the first brace that stands where it began.
fn functions(text: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let begun = lines
        .iter()
        .enumerate()
        .filter_map(|(at, line)| Some((at, function_name(line)?)));
    let measured = begun.filter_map(|(at, name)| {
        let first = lines[at];
        let indent = &first[..first.len() - first.trim_start().len()];
        let (body_end, arguments_end) = (format!("{indent}}}"), format!("{indent})"));
        if first.ends_with(['}', ';']) {
            return Some((name, 1));
        }
        let is_last = |line: &&str| {
            **line == *body_end || (line.starts_with(&arguments_end) && line.ends_with(';'))
        };
        let rest = lines[at..].iter().position(is_last)?;
        Some((name, rest + 1))
    });
    measured.collect()
}

/// The name of the function whose signature starts on this line.
fn function_name(line: &str) -> Option<&str> {
    const BEFORE: [&str; 8] = [
        "pub",
        "pub(crate)",
        "pub(super)",
        "const",
        "async",
        "unsafe",
        "extern",
        "default",
    ];
    let mut words = line
        .trim_start()
        .split(' ')
        .skip_while(|word| BEFORE.contains(word));
    if words.next() != Some("fn") {
        return None;
    }
    words.next()?.split(['(', '<']).next()
}

/// The list as it is in the repository: `lines path`, or `lines path name`.
fn listed() -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(repository().join(LIST)).unwrap();
    let entries = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entries = entries.map(|line| {
        let (lines, what) = line.split_once(' ').unwrap();
        (what.to_owned(), lines.parse().unwrap())
    });
    entries.collect()
}

#[test]
fn nothing_grows_too_long() {
    let listed = listed();
    let longer = too_long(&all())
        .into_iter()
        .filter(|(what, lines)| listed.get(what).is_none_or(|allowed| lines > allowed));
    let longer: Vec<String> = longer
        .map(|(what, lines)| format!("{lines} {what}"))
        .collect();
    none(
        &longer,
        "too long: a file has at most 400 lines, a function 70",
    );
}

#[test]
fn the_list_shrinks_with_what_it_lists() {
    let found = too_long(&all());
    let stale = listed()
        .into_iter()
        .filter_map(|(what, allowed)| match found.get(&what) {
            None => Some(format!("{what} is not too long any more: take it off")),
            Some(lines) if *lines < allowed => {
                Some(format!("{what} has only {lines} lines now: lower it"))
            }
            Some(_) => None,
        });
    none(&stale.collect::<Vec<_>>(), LIST);
}

#[test]
fn functions_are_measured_to_their_last_brace() {
    let text = "fn one() {}\n\
                pub async fn two(\n    a: u8,\n) -> u8 {\n    if a > 1 {\n    }\n    a\n}\n\
                impl X {\n    pub(crate) const fn three<T>() {\n        body\n    }\n}\n\
                trait Y {\n    fn four(&self);\n    fn five(\n        &self,\n    ) -> u8;\n}\n";
    let expected = [
        ("one", 1),
        ("two", 7),
        ("three", 3),
        ("four", 1),
        ("five", 3),
    ];
    assert_eq!(functions(text), expected);
}
