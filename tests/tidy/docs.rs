//! What a file says of itself, and what it must not say.

use crate::files::{File, all, none};

/// Folders of somebody's machine.
const MACHINES: [&str; 5] = ["root", "home", "work", "Users", "tmp/plan"];

/// Nobody: whose folders tests and examples may name.
const INVENTED: &str = "home/ada";

/// Whether a line holds an absolute path into one of the folders.
fn names_a_machine(line: &str) -> bool {
    line.match_indices('/').any(|(at, _)| {
        let is_absolute = !line[..at]
            .ends_with(|before: char| before.is_alphanumeric() || "_-./}".contains(before));
        let rest = &line[at + 1..];
        let is_theirs = MACHINES.iter().any(|folder| {
            rest.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        });
        is_absolute && is_theirs && !rest.starts_with(INVENTED)
    })
}

/// How a text file of the repository may say that it is none.
fn is_binary(file: &File) -> bool {
    file.bytes.contains(&0) || std::str::from_utf8(&file.bytes).is_err()
}

#[test]
fn every_module_says_what_it_is() {
    let files = all();
    let silent = files
        .iter()
        .filter(|file| file.is_rust() && !file.text().starts_with("//! "));
    let silent: Vec<String> = silent.map(|file| file.path.clone()).collect();
    none(
        &silent,
        "files that do not start with `//! ` and what they are",
    );
}

#[test]
fn no_file_names_a_path_of_somebodys_machine() {
    let files = all();
    let named = files
        .iter()
        .filter(|file| !is_binary(file))
        .flat_map(|file| {
            let lines = file.text().lines().enumerate();
            let named = lines.filter(|(_, line)| names_a_machine(line));
            named.map(|(at, line)| format!("{}:{}: {}", file.path, at + 1, line.trim()))
        });
    none(&named.collect::<Vec<_>>(), "paths of a machine");
}

/// What readers of the documentation are shown. A repository keeps every version of it for ever.
fn is_small_picture(file: &File) -> bool {
    let is_picture = file.path.starts_with("docs/images/") && file.path.ends_with(".png");
    is_picture && file.bytes.len() < 200_000
}

#[test]
fn no_file_is_binary() {
    let files = all();
    let binary: Vec<String> = files
        .iter()
        .filter(|file| is_binary(file) && !is_small_picture(file))
        .map(|file| file.path.clone())
        .collect();
    none(&binary, "binary files: what is built is not tracked");
}

#[test]
fn every_line_ends_and_none_ends_in_blanks() {
    let files = all();
    let odd = files
        .iter()
        .filter(|file| file.is_rust() || file.path.ends_with(".toml"))
        .filter_map(|file| {
            let text = file.text();
            let blanks = text
                .lines()
                .position(|line| line.ends_with([' ', '\t', '\r']));
            match blanks {
                Some(at) => Some(format!("{}:{} ends in blanks", file.path, at + 1)),
                None => (!text.ends_with('\n'))
                    .then(|| format!("{} does not end its last line", file.path)),
            }
        });
    none(&odd.collect::<Vec<_>>(), "untidy lines");
}

#[test]
fn a_machines_path_is_told_from_a_path_in_a_machine() {
    for (before, path, expected) in [
        ("cd ", "root/src", true),
        ("\"", "home/somebody/src", true),
        ("\"", "home/ada/src", false),
        ("/up", "root/src", false),
        ("https://x.example", "work/", false),
        ("", "workers/x", false),
    ] {
        assert_eq!(
            names_a_machine(&format!("{before}/{path}")),
            expected,
            "{before}/{path}"
        );
    }
}
