//! Sessions at `/ws`: every message comes back as it came, text as text and bytes as bytes.

use rookery_sdk::{App, Message, Opened, Session};

/// 4000 and the HTTP status that it would be.
const NO_SUCH_PATH: u16 = 4404;

fn echo() -> App {
    App::new()
        .on_open(|session: &mut Session, opened: &Opened| {
            if opened.path != "/ws" {
                session.close(NO_SUCH_PATH, "sessions are at /ws");
            }
        })
        .on_message(|session: &mut Session, message: &Message| {
            session.send(message.payload.clone());
        })
}

rookery_sdk::export!(echo, sessions);

#[cfg(test)]
mod tests {
    use rookery_sdk::Payload;
    use rookery_sdk::testing::Host;

    #[test]
    fn a_message_comes_back_as_it_came() {
        let client = Host::new(super::echo()).open("/ws");
        client.text("hi");
        client.binary(&[0, 255]);
        let expected = [Payload::from("hi"), Payload::from(vec![0, 255])];
        assert_eq!(client.messages(), expected);
    }

    #[test]
    fn another_path_is_refused() {
        let client = Host::new(super::echo()).open("/elsewhere");
        assert_eq!(client.closed().map(|closed| closed.code), Some(4404));
    }
}
