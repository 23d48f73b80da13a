//! The table of close codes is whole: in the sources, and in the page for who writes clients.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rookery_hub::close::{Advice, TABLE};

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn known() -> BTreeSet<u16> {
    TABLE.iter().map(|row| row.code).collect()
}

/// Rows of the page that begin with one code of a client's view: code, name, reason, advice.
fn rows() -> Vec<[String; 4]> {
    let page = fs::read_to_string(repository().join("docs/close-codes.md")).unwrap();
    let cells = page.lines().map(|line| -> Vec<String> {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    });
    cells
        .filter(|cells| cells.len() >= 5 && cells[0].parse::<u16>().is_ok())
        .map(|mut cells| {
            let advice = cells.pop().unwrap();
            [cells[0].clone(), cells[1].clone(), cells[2].clone(), advice]
        })
        .collect()
}

#[test]
fn the_page_has_the_whole_table_and_nothing_else() {
    let mut expected: Vec<[String; 4]> = Vec::new();
    for row in TABLE {
        let advice = match row.advice {
            Advice::Stay => "stay away",
            Advice::Reconnect => "connect again",
            Advice::Recover => "connect again and recover",
        };
        let reason = match row.reason {
            "" => "–".to_owned(),
            reason => format!("`{reason}`"),
        };
        expected.push([row.code.to_string(), row.name.into(), reason, advice.into()]);
    }
    assert_eq!(rows(), expected);
}

/// Whatever a line of the server closes a session with, as far as it writes the number there.
#[test]
fn every_code_that_is_written_in_the_sources_is_in_the_table() {
    let mut sources = Vec::new();
    for folder in ["runtime", "sdk/src"] {
        find_sources(&repository().join(folder), &mut sources);
    }
    assert!(sources.len() > 200, "{}", sources.len());
    let mut seen = BTreeSet::new();
    for path in sources {
        for line in fs::read_to_string(&path).unwrap().lines() {
            for code in codes_in(line) {
                seen.insert(code);
                assert!(known().contains(&code), "{}: {line}", path.display());
            }
        }
    }
    assert!(seen.contains(&1011), "the search finds nothing: {seen:?}");
}

/// What must be sent by no one, so that it is the name of something else: RFC 6455, 7.4.1.
const NEVER_SENT: [u16; 2] = [1005, 1006];

/// Numbers that a line closes with.
fn codes_in(line: &str) -> Vec<u16> {
    let code = line.split("//").next().unwrap_or_default();
    let closes = ["close(", "stop(", "refuse(", "CloseFrame::new(", ": u16 = "];
    if !closes.iter().any(|word| code.contains(word)) {
        return Vec::new();
    }
    let numbers = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    numbers
        .filter(|number| number.len() == 4)
        .filter_map(|number| number.parse().ok())
        .filter(|number| (1000..4000).contains(number) && !NEVER_SENT.contains(number))
        .collect()
}

#[test]
fn a_code_of_ones_own_is_found() {
    assert_eq!(codes_in("        self.stop(1007, text, session);"), [1007]);
    assert_eq!(codes_in("const BROKEN: u16 = 3999;"), [3999]);
    assert_eq!(codes_in("CloseFrame::new(1013, \"\")"), [1013]);
    assert!(codes_in("// stop(1007) is what it says").is_empty());
    assert!(codes_in("const MAX: usize = 1000;").is_empty());
    assert!(codes_in("const ABNORMAL: u16 = 1006;").is_empty());
}

fn find_sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" && name != "benches" && name != "templates" {
                find_sources(&path, found);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" && name != "close.rs" {
            found.push(path);
        }
    }
}
