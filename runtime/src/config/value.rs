//! From a value as it was written to one of the right type and within its bounds.
//!
//! **Invariant:** an error says what would have been right, and what was there instead.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::source::Raw;

/// A whole number within its bounds.
pub(super) fn number<T>(raw: Raw<'_>, bounds: RangeInclusive<T>) -> Result<T, String>
where
    T: TryFrom<i64> + PartialOrd + Display,
{
    let written = match raw {
        Raw::Text(text) => text.parse::<i64>().ok(),
        Raw::Toml { value, .. } => value.as_integer(),
    };
    written
        .and_then(|number| T::try_from(number).ok())
        .filter(|number| bounds.contains(number))
        .ok_or_else(|| {
            wrong(
                &format!("a whole number from {} to {}", bounds.start(), bounds.end()),
                raw,
            )
        })
}

/// A number of seconds within its bounds, with a fraction when it has one.
pub(super) fn seconds(raw: Raw<'_>, bounds: RangeInclusive<u32>) -> Result<Duration, String> {
    let written = match raw {
        Raw::Text(text) => text.parse::<f64>().ok(),
        Raw::Toml { value, .. } => value
            .as_float()
            .or_else(|| value.as_integer().map(|whole| whole as f64)),
    };
    written
        .filter(|seconds| (f64::from(*bounds.start())..=f64::from(*bounds.end())).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| {
            wrong(
                &format!(
                    "a number of seconds from {} to {}",
                    bounds.start(),
                    bounds.end()
                ),
                raw,
            )
        })
}

/// A text that is not empty.
pub(super) fn text<'a>(raw: Raw<'a>) -> Result<&'a str, String> {
    let written = match raw {
        Raw::Text(text) => Some(text),
        Raw::Toml { value, .. } => value.as_str(),
    };
    written
        .filter(|text| !text.is_empty())
        .ok_or_else(|| wrong("a text that is not empty", raw))
}

/// A path; one from a file starts in the file's folder.
pub(super) fn path(raw: Raw<'_>) -> Result<PathBuf, String> {
    let path = PathBuf::from(text(raw)?);
    Ok(match raw {
        Raw::Text(_) => path,
        Raw::Toml { folder, .. } => folder.join(path),
    })
}

/// `true` or `false`.
pub(super) fn truth(raw: Raw<'_>) -> Result<bool, String> {
    let written = match raw {
        Raw::Text(text) => text.parse().ok(),
        Raw::Toml { value, .. } => value.as_bool(),
    };
    written.ok_or_else(|| wrong("true or false", raw))
}

/// One of a few words.
pub(super) fn choice<T: Copy>(raw: Raw<'_>, words: &[(&str, T)]) -> Result<T, String> {
    let list = || {
        words
            .iter()
            .map(|(word, _)| *word)
            .collect::<Vec<_>>()
            .join(" or ")
    };
    let written = text(raw)
        .ok()
        .and_then(|text| words.iter().find(|(word, _)| *word == text));
    written
        .map(|(_, chosen)| *chosen)
        .ok_or_else(|| wrong(&list(), raw))
}

/// An address to listen on. Other names than `localhost` are refused: what they resolve to is not in our hands.
pub(super) fn host(raw: Raw<'_>) -> Result<IpAddr, String> {
    let written = text(raw)?;
    if written == "localhost" {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let bare = written
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(written);
    bare.parse()
        .map_err(|_| wrong("an IP address or localhost", raw))
}

/// An address and a port to listen on.
pub(super) fn address(raw: Raw<'_>) -> Result<SocketAddr, String> {
    let written = text(raw)?;
    let port = written
        .strip_prefix("localhost:")
        .and_then(|port| port.parse().ok());
    let local = port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    local
        .or_else(|| written.parse().ok())
        .ok_or_else(|| wrong("an IP address or localhost, and a port", raw))
}

/// `must be …, but is …`.
pub(super) fn wrong(expected: &str, raw: Raw<'_>) -> String {
    match raw {
        Raw::Text(text) => format!("must be {expected}, but is {text:?}"),
        Raw::Toml { value, .. } => format!("must be {expected}, but is {value}"),
    }
}
