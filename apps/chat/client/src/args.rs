//! What is said on the command line.
//!
//! **Invariant:** what the rest of the program is given is valid: a name and a room that a server takes, an address of a
//! WebSocket.

use clap::Parser;
use url::Url;

use crate::clean;
use crate::protocol::v1::NAME_UNITS_MAX;

/// Talk in the rooms of a chat, in a terminal or through a pipe.
#[derive(Debug, Parser)]
#[command(name = "chat-client", version)]
#[command(after_help = "Examples:
  chat-client --url wss://chat.example/chat@1/ws --user Ada --room dev
  make 2>&1 | tail -5 | chat-client --user build --room dev --plain
  sleep infinity | chat-client --room dev --json | jq -r .text

Written in the chat: /help lists the commands; Tab completes; PageUp reads back; Ctrl-C leaves.

Exit codes:
  0  left; all was said                 3  the server was not reached in time (pipes only)
  1  the terminal or the output failed  4  the server refused, or is not who it has to be
  2  wrong arguments                    5  something was not acknowledged, or could not be sent

SSL_CERT_FILE and SSL_CERT_DIR name other certificate authorities than the system's. NO_COLOR turns colours off.")]
pub struct Args {
    /// The chat's WebSocket: ws:// or wss://; http:// and https:// are understood as well
    #[arg(long, env = "CHAT_URL", default_value = "ws://localhost:3000/chat@1/ws", value_parser = address)]
    pub url: Url,
    /// Your name, 1 to 50 characters; a guest's name by default
    #[arg(long, env = "CHAT_USER", value_parser = user)]
    pub user: Option<String>,
    /// The room to begin in, 1 to 100 characters
    #[arg(long, default_value = "general", value_parser = room)]
    pub room: String,
    /// Print every event as one line of JSON, and draw nothing
    #[arg(long)]
    pub json: bool,
    /// Print lines, and draw nothing: no colours, no cursor
    #[arg(long, conflicts_with = "json")]
    pub plain: bool,
    /// How long a pipe waits for a connection in all, in seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub patience: u64,
}

fn address(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text).map_err(|error| error.to_string())?;
    let scheme = match url.scheme() {
        "ws" | "http" => "ws",
        "wss" | "https" => "wss",
        other => return Err(format!("{other}: is not ws or wss")),
    };
    url.set_scheme(scheme)
        .map_err(|()| "is not an address".to_owned())?;
    if !url.has_host() {
        return Err("names no host".to_owned());
    }
    Ok(url)
}

fn user(text: &str) -> Result<String, String> {
    bounded(text, NAME_UNITS_MAX)
}

fn room(text: &str) -> Result<String, String> {
    bounded(text, 100)
}

/// Text that a server takes, and that looks on a screen as it is.
fn bounded(text: &str, units_max: usize) -> Result<String, String> {
    let units = text.encode_utf16().count();
    if units == 0 || units > units_max {
        return Err(format!("has {units} characters, not 1 to {units_max}"));
    }
    if clean::name(text) != text {
        return Err("has control characters".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn args(args: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from(std::iter::once(&"chat-client").chain(args))
    }

    #[test]
    fn what_is_valid_is_taken() {
        let args = args(&[
            "--url",
            "http://h:1/chat/ws",
            "--user",
            "Ada",
            "--room",
            "dev chat",
        ])
        .unwrap();
        assert_eq!(args.url.as_str(), "ws://h:1/chat/ws");
        assert!(super::address("https://h/ws").is_ok_and(|url| url.as_str() == "wss://h/ws"));
        assert_eq!(
            (args.user.as_deref(), args.room.as_str()),
            (Some("Ada"), "dev chat")
        );
    }

    #[test]
    fn what_is_not_is_refused_before_anything_is_sent() {
        let long = "x".repeat(51);
        for wrong in [
            ["--user", ""],
            ["--user", &long],
            ["--user", "a\u{1b}b"],
            ["--room", "a\nb"],
            ["--url", "ftp://h/"],
            ["--url", "ws://"],
            ["--url", "nonsense"],
            ["--patience", "0"],
        ] {
            assert!(args(&wrong).is_err(), "{wrong:?}");
        }
    }
}
