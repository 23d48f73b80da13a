//! One room, at `/ws?name=ada`: `{"text": "hi"}` reaches everybody in it as `{"name": "ada", "text": "hi"}`.

use rookery_sdk::{App, Error, Message, Opened, Session, topic};
use serde::{Deserialize, Serialize};

const ROOM: &str = "room";
/// 4000 and the HTTP status that each would be.
const BAD_REQUEST: u16 = 4400;
const NO_SUCH_PATH: u16 = 4404;

#[derive(Deserialize)]
struct Said {
    text: String,
}

#[derive(Serialize)]
struct Heard<'a> {
    name: &'a str,
    text: &'a str,
}

fn room() -> App {
    App::new().on_open(enter).on_message(say)
}

rookery_sdk::export!(room, sessions);

fn enter(session: &mut Session, opened: &Opened) -> Result<(), Error> {
    if opened.path != "/ws" {
        session.close(NO_SUCH_PATH, "the room is at /ws");
        return Ok(());
    }
    match opened.query().get("name") {
        Some(name) if !name.is_empty() => {
            session.attach(name.as_bytes().to_vec())?;
            session.subscribe(ROOM)?;
        }
        _ => session.close(BAD_REQUEST, "who are you? /ws?name=…"),
    }
    Ok(())
}

fn say(session: &mut Session, message: &Message) -> Result<(), Error> {
    let Ok(said) = message.json::<Said>() else {
        session.close(BAD_REQUEST, "expected {\"text\": …}");
        return Ok(());
    };
    // The name is all that the room knows of a session, so the attachment is the name.
    let name = String::from_utf8_lossy(session.attachment());
    let heard = Heard {
        name: &name,
        text: &said.text,
    };
    topic(ROOM).publish_json(&heard)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rookery_sdk::testing::Host;

    #[test]
    fn everybody_hears_who_said_what() {
        let host = Host::new(super::room());
        let (ada, bob) = (host.open("/ws?name=ada"), host.open("/ws?name=bob"));
        ada.text(r#"{"text":"hi"}"#);
        for client in [ada, bob] {
            assert_eq!(client.frames(), [r#"{"name":"ada","text":"hi"}"#]);
        }
    }

    #[test]
    fn who_does_not_keep_to_the_rules_is_sent_away() {
        let host = Host::new(super::room());
        let code = |path: &str, text: &str| {
            let client = host.open(path);
            client.text(text);
            client.closed().map(|closed| closed.code)
        };
        assert_eq!(code("/ws?name=ada", r#"{"text":"hi"}"#), None);
        assert_eq!(code("/ws?name=ada", "hi"), Some(4400));
        assert_eq!(code("/ws", ""), Some(4400));
        assert_eq!(code("/ws?name=", ""), Some(4400));
        assert_eq!(code("/other?name=ada", ""), Some(4404));
    }
}
