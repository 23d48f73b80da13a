//! The file of admin tokens: who has one, and what for.
//!
//! ```toml
//! [ci]
//! role = "deploy"
//! sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
//!
//! [grafana]
//! role = "read"
//! token = "…"
//! ```
//!
//! **Invariant:** no error repeats a secret.

use std::path::Path;

use rookery_admin::{Key, Role, Token};

use super::AdminToken;
use super::load::TOKEN_BYTES_MIN;

/// What the token of the settings is called.
pub const ADMIN: &str = "admin";
/// How many tokens a file may have.
const TOKENS_MAX: usize = 256;
/// The largest file, in bytes.
const FILE_BYTES_MAX: u64 = 256 << 10;
/// The longest name.
const NAME_BYTES_MAX: usize = 64;

/// What a file says.
#[derive(Debug)]
pub struct TokensFile {
    /// At least one, by name.
    pub keys: Vec<Key>,
    /// What is valid, but looks like a mistake. A line each.
    pub warnings: Vec<String>,
}

/// Reads a file of tokens.
///
/// # Errors
/// Everything that is wrong with it, a line each.
pub fn read(file: &Path) -> Result<TokensFile, Vec<String>> {
    let name = file.display().to_string();
    let text = text(file).map_err(|reason| vec![format!("{name}: {reason}")])?;
    let table = text.parse::<toml::Table>().map_err(|error| {
        // Not what the parser shows of the line: a secret may stand there.
        let line = error.span().map_or(1, |span| {
            1 + text
                .get(..span.start)
                .unwrap_or_default()
                .matches('\n')
                .count()
        });
        vec![format!("{name}: line {line} is not TOML")]
    })?;
    let mut file = TokensFile {
        keys: Vec::new(),
        warnings: Vec::new(),
    };
    let mut errors = Vec::new();
    if table.is_empty() {
        errors.push(format!("{name}: has no token"));
    }
    if table.len() > TOKENS_MAX {
        errors.push(format!("{name}: has more than {TOKENS_MAX} tokens"));
    }
    for (who, fields) in table {
        match key(&who, &fields, &mut file.warnings) {
            Ok(key) => file.keys.push(key),
            Err(reason) => errors.push(format!("{name}: {}: {reason}", shown(&who))),
        }
    }
    for (at, key) in file.keys.iter().enumerate() {
        let mut before = file.keys[..at].iter();
        if let Some(same) = before.find(|before| before.token == key.token) {
            errors.push(format!(
                "{name}: {} and {} have one token",
                same.name, key.name
            ));
        }
    }
    if errors.is_empty() {
        Ok(file)
    } else {
        Err(errors)
    }
}

fn text(file: &Path) -> Result<String, String> {
    let length = std::fs::metadata(file).map(|metadata| metadata.len());
    let length = length.map_err(|error| format!("cannot be read: {error}"))?;
    if length > FILE_BYTES_MAX {
        return Err(format!("is larger than {FILE_BYTES_MAX} bytes"));
    }
    std::fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))
}

fn key(who: &str, fields: &toml::Value, warnings: &mut Vec<String>) -> Result<Key, String> {
    let is_name = who.len() <= NAME_BYTES_MAX
        && who.starts_with(|first: char| first.is_ascii_alphanumeric())
        && who
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte));
    if !is_name {
        return Err("a name is letters, digits, `.`, `_`, `-` and `@`".to_owned());
    }
    if who == ADMIN {
        return Err("this is the name of the token of the settings".to_owned());
    }
    let fields = fields.as_table().ok_or("must be a table: [name]")?;
    let known = ["role", "token", "sha256"];
    if let Some(unknown) = fields.keys().find(|field| !known.contains(&field.as_str())) {
        let unknown = shown(unknown);
        return Err(format!(
            "{unknown} is no field; there are role, token and sha256"
        ));
    }
    let text = |field: &str| fields.get(field).and_then(toml::Value::as_str);
    let role = match text("role") {
        Some("read") => Role::Read,
        Some("deploy") => Role::Deploy,
        _ => return Err("role must be \"read\" or \"deploy\"".to_owned()),
    };
    let token = match (text("token"), text("sha256")) {
        (Some(token), None) => {
            let token = AdminToken::parse(token);
            let token = token.ok_or("token must be letters, digits and punctuation")?;
            if token.expose().len() < TOKEN_BYTES_MIN {
                warnings.push(format!(
                    "the token {who} has fewer than {TOKEN_BYTES_MIN} characters and can be guessed"
                ));
            }
            Token::new(token.expose())
        }
        (None, Some(digest)) => {
            let digest = digest_of_hex(digest).ok_or("sha256 must be 64 hex digits")?;
            Token::of_digest(digest)
        }
        _ => return Err("must have either token or sha256, as a text".to_owned()),
    };
    let name = who.into();
    Ok(Key { name, role, token })
}

fn digest_of_hex(hex: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(digest)
}

/// As an error may show a name that somebody chose.
fn shown(name: &str) -> String {
    let plain = name.chars().filter(|c| !c.is_control());
    plain.take(NAME_BYTES_MAX).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn given(text: &str) -> Result<TokensFile, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.toml");
        std::fs::write(&file, text).unwrap();
        let prefix = format!("{}/", folder.path().display());
        read(&file).map_err(|errors| {
            let errors = errors.iter().map(|error| error.replace(&prefix, ""));
            errors.collect()
        })
    }

    #[test]
    fn a_token_stands_there_in_plain_or_as_its_digest() {
        // Of `a-long-enough-secret`.
        let hex = "1D9BC28F4F099E188E634F27555E6A435B9C6F6D2C490175EEE22FF2A5790B9A";
        let file = given(&format!(
            "[ci]\nrole = \"deploy\"\nsha256 = \"{hex}\"\n[grafana]\nrole = \"read\"\ntoken = \"short\"\n"
        ))
        .unwrap();
        let key = |name: &str, role, secret| Key {
            name: name.into(),
            role,
            token: Token::new(secret),
        };
        let expected = [
            key("ci", Role::Deploy, "a-long-enough-secret"),
            key("grafana", Role::Read, "short"),
        ];
        assert_eq!(file.keys, expected);
        let warnings = ["the token grafana has fewer than 16 characters and can be guessed"];
        assert_eq!(file.warnings, warnings);
    }

    #[test]
    fn everything_that_is_wrong_is_said_and_no_secret_is() {
        for (text, expected) in [
            ("", "tokens.toml: has no token"),
            ("x = ", "tokens.toml: line 1 is not TOML"),
            (
                "[a]\nrole = \"root\"\ntoken = \"s3cret\"",
                "tokens.toml: a: role must be",
            ),
            (
                "[a]\nrole = \"read\"",
                "tokens.toml: a: must have either token or sha256",
            ),
            (
                "[a]\nrole = \"read\"\ntoken = \"s3cret\"\nsha256 = \"00\"",
                "tokens.toml: a: must have either token or sha256",
            ),
            (
                "[a]\nrole = \"read\"\ntoken = \"s3cret two\"",
                "tokens.toml: a: token must be",
            ),
            (
                "[a]\nrole = \"read\"\nsha256 = \"s3cret\"",
                "tokens.toml: a: sha256 must be",
            ),
            ("[a]\nroll = \"read\"", "tokens.toml: a: roll is no field"),
            ("a = \"s3cret\"", "tokens.toml: a: must be a table"),
            (
                "[admin]\nrole = \"read\"\ntoken = \"s3cret\"",
                "tokens.toml: admin: this is the name",
            ),
            (
                "[\"a b\"]\nrole = \"read\"\ntoken = \"s3cret\"",
                "tokens.toml: a b: a name is",
            ),
            (
                "[a]\nrole = \"read\"\ntoken = \"s3cret\"\n[b]\nrole = \"deploy\"\ntoken = \"s3cret\"",
                "tokens.toml: a and b have one token",
            ),
        ] {
            let errors = given(text).unwrap_err();
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].starts_with(expected), "{errors:?}");
            assert!(!errors[0].contains("s3cret"), "{errors:?}");
        }
        let missing = read(Path::new("/nowhere/tokens.toml")).unwrap_err();
        assert!(missing[0].contains("cannot be read"), "{missing:?}");
    }
}
