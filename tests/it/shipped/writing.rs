//! The page for authors quotes what is built and tested, and not what once was.

use std::fs;

use rookery_tests::repository;

/// A piece of code, and the file that it is said to be of.
struct Piece<'a> {
    file: &'a str,
    lines: Vec<&'a str>,
}

/// Every block of code that says its language. The file is the last one named above it that is there.
fn pieces(page: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut file) = (Vec::new(), "");
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let named = line.split('`').skip(1).step_by(2);
        for name in named.filter(|name| name.contains('/')) {
            if repository().join(name).is_file() {
                file = name;
            }
        }
        if line
            .strip_prefix("```")
            .is_some_and(|language| !language.is_empty())
        {
            let lines = lines.by_ref().take_while(|line| *line != "```").collect();
            pieces.push(Piece { file, lines });
        }
    }
    pieces
}

/// What stands between the lines that leave something out, as text without its common indent.
fn parts(piece: &Piece<'_>) -> Vec<String> {
    let parts = piece.lines.split(|line| line.trim() == "…");
    parts.map(dedent).collect()
}

fn dedent(lines: &[&str]) -> String {
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let filled = lines.iter().copied().filter(|line| !line.trim().is_empty());
    let common = filled.map(|line| indent(&line)).min().unwrap_or(0);
    let lines = lines.iter().map(|line| line.get(common..).unwrap_or(""));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether these lines stand in a file, one after the other, further in or out.
fn stands_in(part: &str, source: &str) -> bool {
    let wanted = part.lines().count();
    let lines: Vec<&str> = source.lines().collect();
    lines.windows(wanted).any(|window| dedent(window) == part)
}

#[test]
fn every_piece_of_code_stands_in_the_file_that_is_named() {
    let page = fs::read_to_string(repository().join("docs/writing-an-app.md")).unwrap();
    let pieces = pieces(&page);
    assert!(pieces.len() > 15, "{}", pieces.len());
    for piece in &pieces {
        let source = fs::read_to_string(repository().join(piece.file)).unwrap();
        for part in parts(piece) {
            assert!(!part.trim().is_empty(), "{}", piece.file);
            assert!(stands_in(&part, &source), "{}:\n{part}", piece.file);
        }
    }
}

#[test]
fn what_does_not_stand_there_is_noticed() {
    let source = "fn a() {\n    b();\n\n    c();\n}\n";
    for (part, stands) in [
        ("b();\n\nc();", true),
        ("fn a() {\n    b();", true),
        ("b();\nc();", false),
        ("  b();", false),
    ] {
        assert_eq!(stands_in(part, source), stands, "{part}");
    }
}
