//! The files of a new bundle.

use std::fs;
use std::io;
use std::path::Path;

use include_dir::{Dir, include_dir};
use rookery_bundle::AppName;

use super::Kind;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Every template ends with it, so that no tool takes it for what it will become.
const SUFFIX: &str = ".template";

/// What the templates leave open.
pub struct Words<'a> {
    /// The app.
    pub name: &'a AppName,
    /// The SDK's folder, as the bundle's `Cargo.toml` names it.
    pub sdk: &'a str,
}

/// Writes the bundle into a folder.
pub fn write(kind: Kind, dir: &Path, words: &Words<'_>) -> io::Result<()> {
    let folder = match kind {
        Kind::Wasm => "wasm",
        Kind::Static => "static",
        Kind::Typescript => "typescript",
    };
    let template = TEMPLATES
        .get_dir(folder)
        .expect("every kind has a template in the binary");
    write_dir(template, template.path(), dir, words)
}

fn write_dir(template: &Dir<'_>, root: &Path, dir: &Path, words: &Words<'_>) -> io::Result<()> {
    for file in template.files() {
        let path = file
            .path()
            .strip_prefix(root)
            .expect("a file of the template lies below it");
        let path = dir.join(
            path.to_string_lossy()
                .trim_end_matches(SUFFIX)
                .replace("gitignore", ".gitignore"),
        );
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        fs::write(
            path,
            fill(file.contents_utf8().expect("templates are text"), words),
        )?;
    }
    template
        .dirs()
        .try_for_each(|inner| write_dir(inner, root, dir, words))
}

fn fill(text: &str, words: &Words<'_>) -> String {
    text.replace("{{name}}", words.name.as_str())
        .replace("{{package}}", &package(words.name))
        .replace("{{sdk}}", words.sdk)
}

/// A name that cargo takes. The ending keeps it apart from the crates that the app may depend on, and from keywords.
fn package(name: &AppName) -> String {
    let plain: String = name
        .as_str()
        .trim_start_matches('@')
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || letter == '_' {
                letter.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let start = if plain.starts_with(|first: char| first.is_ascii_digit()) {
        "v"
    } else {
        ""
    };
    format!("{start}{plain}-app")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_name_of_an_app_gives_one_of_a_package() {
        for (name, expected) in [
            ("hello", "hello-app"),
            ("@acme/Chat.Bot", "acme-chat-bot-app"),
            ("2048", "v2048-app"),
            ("serde", "serde-app"),
            ("snake_case", "snake_case-app"),
        ] {
            assert_eq!(package(&AppName::parse(name).unwrap()), expected);
        }
    }
}
