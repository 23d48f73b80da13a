//! Lines that are commands, by the names that the first client gave them.
//!
//! **Absent on purpose:** what a command does, and whether it can be done now. `wishes.rs` knows.

use crate::protocol::v1::{PAGE_MAX, Status};

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// To say it.
    Say(String),
    /// `/help`
    Help,
    /// `/rooms`
    Rooms,
    /// `/create NAME [description]`
    Create(String, Option<String>),
    /// `/join ROOM`
    Join(String),
    /// `/leave`
    Leave,
    /// `/users`
    Users,
    /// `/history [N]`
    History(usize),
    /// `/online`, `/away`, `/dnd`
    Presence(Status),
    /// `/nick NAME`
    Nick(String),
    /// `/clear`
    Clear,
    /// `/quit`, `/exit`
    Quit,
}

/// Every command with its arguments and what it does.
pub const COMMANDS: [(&str, &str, &str); 14] = [
    ("/help", "", "this list"),
    ("/rooms", "", "all rooms"),
    ("/create", "NAME [DESCRIPTION]", "make a room"),
    ("/join", "ROOM", "go to a room, made if there is none"),
    ("/leave", "", "leave the room"),
    ("/users", "", "who is in the room"),
    (
        "/history",
        "[N]",
        "N older messages, 50 unless told, 100 at most",
    ),
    ("/online", "", "be seen as there"),
    ("/away", "", "be seen as away"),
    ("/dnd", "", "be seen as not to be disturbed"),
    ("/nick", "NAME", "take another name"),
    ("/clear", "", "clear the screen"),
    ("/quit", "", "leave and end"),
    ("/exit", "", "leave and end"),
];

/// What a line asks for: None for an empty one, an error in the user's words for one that makes no sense.
pub fn parse(line: &str) -> Result<Option<Command>, String> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(None);
    }
    // Two slashes say a line that begins with one.
    if let Some(text) = line.strip_prefix('/')
        && text.starts_with('/')
    {
        return Ok(Some(Command::Say(text.to_owned())));
    }
    if !line.starts_with('/') {
        return Ok(Some(Command::Say(line.to_owned())));
    }
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    let word = word.to_lowercase();
    Ok(Some(match word.as_str() {
        "/help" => Command::Help,
        "/rooms" => Command::Rooms,
        "/create" => create(rest)?,
        "/join" => Command::Join(needed(&word, "a room", rest)?),
        "/leave" => Command::Leave,
        "/users" => Command::Users,
        "/history" => Command::History(count(rest)?),
        "/online" => Command::Presence(Status::Online),
        "/away" => Command::Presence(Status::Away),
        "/dnd" => Command::Presence(Status::Dnd),
        "/nick" => Command::Nick(needed(&word, "a name", rest)?),
        "/clear" => Command::Clear,
        "/quit" | "/exit" => Command::Quit,
        _ => return Err(format!("There is no {word}: /help lists what there is")),
    }))
}

fn needed(word: &str, what: &str, rest: &str) -> Result<String, String> {
    if rest.is_empty() {
        return Err(format!("{word} needs {what}"));
    }
    Ok(rest.to_owned())
}

/// The name is one word. Quotes around the description are for those who know them from shells.
fn create(rest: &str) -> Result<Command, String> {
    let rest = needed("/create", "a name", rest)?;
    let (name, description) = rest.split_once(' ').unwrap_or((&rest, ""));
    let description = description.trim();
    let bare = description
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let description = bare.unwrap_or(description);
    Ok(Command::Create(
        name.to_owned(),
        (!description.is_empty()).then(|| description.to_owned()),
    ))
}

fn count(rest: &str) -> Result<usize, String> {
    match rest {
        "" => Ok(50),
        rest => match rest.parse() {
            Ok(count) if (1..=PAGE_MAX).contains(&count) => Ok(count),
            _ => Err(format!("/history takes a number from 1 to {PAGE_MAX}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_said_and_commands_are_done() {
        let s = str::to_owned;
        for (line, expected) in [
            ("  ", None),
            (" hi there ", Some(Command::Say(s("hi there")))),
            ("//usr/bin", Some(Command::Say(s("/usr/bin")))),
            ("/JOIN dev chat", Some(Command::Join(s("dev chat")))),
            ("/create dev", Some(Command::Create(s("dev"), None))),
            (
                "/create dev \"About it\"",
                Some(Command::Create(s("dev"), Some(s("About it")))),
            ),
            ("/history", Some(Command::History(50))),
            ("/history 100", Some(Command::History(100))),
            ("/dnd", Some(Command::Presence(Status::Dnd))),
            ("/exit", Some(Command::Quit)),
        ] {
            assert_eq!(parse(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_said_so() {
        for line in [
            "/nope",
            "/join",
            "/create ",
            "/history 0",
            "/history 101",
            "/history x",
            "/nick",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn every_listed_command_is_one() {
        for (word, arguments, _) in COMMANDS {
            let argument = if arguments.starts_with('[') || arguments.is_empty() {
                ""
            } else {
                " x"
            };
            assert!(
                matches!(parse(&format!("{word}{argument}")), Ok(Some(_))),
                "{word}"
            );
        }
    }
}
