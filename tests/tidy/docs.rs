//! What a file says of itself, and what it must not say.

use crate::files::{File, all, none};

/// Text that names one person's machine. Put together here so that this file does not hold it.
fn machine_paths() -> [String; 5] {
    ["root", "home", "work", "Users", "tmp/plan"].map(|folder| format!("/{folder}/"))
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
    let paths = machine_paths();
    let files = all();
    let named = files
        .iter()
        .filter(|file| !is_binary(file))
        .flat_map(|file| {
            let lines = file.text().lines().enumerate();
            let named =
                lines.filter(|(_, line)| paths.iter().any(|path| line.contains(path.as_str())));
            named.map(|(at, line)| format!("{}:{}: {}", file.path, at + 1, line.trim()))
        });
    none(&named.collect::<Vec<_>>(), "paths of a machine");
}

#[test]
fn no_file_is_binary() {
    let files = all();
    let binary: Vec<String> = files
        .iter()
        .filter(|file| is_binary(file))
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
