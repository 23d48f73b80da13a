//! The connection: made, read, written and closed.
//!
//! **Invariant:** every wait has an end, and dropping [`Link::next`] half-way loses nothing.

use std::pin::Pin;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use url::Url;

use crate::clean;
use crate::dial::{Ws, dial, down};
use crate::model::Event;

const CONNECT_MAX: Duration = Duration::from_secs(10);
const SEND_MAX: Duration = Duration::from_secs(10);
const CLOSE_MAX: Duration = Duration::from_secs(2);

type Connecting = Pin<Box<dyn Future<Output = Result<Ws, Event>>>>;

/// A connection, or the way to one.
pub struct Link {
    url: Url,
    state: State,
}

enum State {
    Down,
    Connecting(Connecting),
    Up(Box<Ws>),
}

impl Link {
    /// Not connected yet.
    pub fn to(url: Url) -> Link {
        Link {
            url,
            state: State::Down,
        }
    }

    /// Begins to connect.
    pub fn connect(&mut self) {
        self.state = State::Connecting(Box::pin(connect(self.url.clone())));
    }

    /// What happens next. Nothing does while it is down.
    pub async fn next(&mut self) -> Event {
        let event = match &mut self.state {
            State::Down => std::future::pending().await,
            State::Connecting(connecting) => match connecting.await {
                Ok(ws) => {
                    self.state = State::Up(Box::new(ws));
                    return Event::Up;
                }
                Err(event) => event,
            },
            State::Up(ws) => match ws.next().await {
                Some(Ok(Message::Text(text))) => return Event::Frame(text.to_string()),
                // A pong, or a ping of the server: it is there.
                Some(Ok(message)) if !message.is_close() => return Event::Frame(String::new()),
                Some(Ok(Message::Close(Some(frame)))) => closed(&frame),
                Some(Err(error)) => down(&error.to_string()),
                _ => down("closed"),
            },
        };
        self.state = State::Down;
        event
    }

    /// Sends a frame. A connection that does not take it will say so by ending.
    pub async fn send(&mut self, frame: String) -> Option<Event> {
        self.put(Message::text(frame)).await
    }

    /// Asks the other end whether it is there.
    pub async fn ping(&mut self) -> Option<Event> {
        self.put(Message::Ping(Bytes::new())).await
    }

    async fn put(&mut self, message: Message) -> Option<Event> {
        let State::Up(ws) = &mut self.state else {
            return None;
        };
        let why = match timeout(SEND_MAX, ws.send(message)).await {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the server takes nothing".to_owned(),
        };
        self.state = State::Down;
        Some(down(&why))
    }

    /// Gives the connection up.
    pub fn drop_connection(&mut self) {
        self.state = State::Down;
    }

    /// Says goodbye, and waits a little for the answer, so that what was sent before has arrived.
    pub async fn close(&mut self) {
        if let State::Up(ws) = &mut self.state {
            let goodbye = async {
                ws.send(Message::Close(None)).await?;
                while ws.next().await.transpose()?.is_some() {}
                Ok::<(), Error>(())
            };
            // It is over either way.
            let _ = timeout(CLOSE_MAX, goodbye).await;
        }
        self.state = State::Down;
    }
}

async fn connect(url: Url) -> Result<Ws, Event> {
    match timeout(CONNECT_MAX, dial(url)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(down("no answer")),
    }
}

/// What a close frame tells the model.
fn closed(frame: &CloseFrame) -> Event {
    let (code, reason) = (u16::from(frame.code), clean::name(&frame.reason));
    let why = match reason.as_str() {
        "" => format!("closed with {code}"),
        reason => format!("closed with {code}, {reason}"),
    };
    if is_final(code) {
        Event::Dismissed(why)
    } else {
        Event::Down(why)
    }
}

/// Whether a client that comes back would only hear the same again (docs/close-codes.md).
fn is_final(code: u16) -> bool {
    match code {
        // Both sides are done; what we sent is wrong in itself; a policy of the server's.
        1000 | 1002 | 1003 | 1007..=1010 => true,
        // What is not said here passes: a restart, a fault, a reader that was too slow.
        1001..=3499 => false,
        3500..=3999 => true,
        // An app's own that speaks of us, as the chat's 4403 and 4404 do: 4000 and a status of HTTP.
        4400..=4499 => !matches!(code, 4408 | 4425 | 4429),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

    use super::*;

    fn closed_with(code: u16, reason: &str) -> Event {
        closed(&CloseFrame {
            code: CloseCode::from(code),
            reason: reason.into(),
        })
    }

    #[test]
    fn the_code_tells_whether_to_come_back() {
        for code in [1001, 1011, 1012, 1013, 3001, 3002, 3003, 4000, 4429, 4500] {
            assert!(matches!(closed_with(code, ""), Event::Down(_)), "{code}");
        }
        for code in [1000, 1002, 1007, 1008, 1009, 3500, 4403, 4404] {
            assert!(
                matches!(closed_with(code, ""), Event::Dismissed(_)),
                "{code}"
            );
        }
    }

    /// Every code that the server gives, as the page for clients has it.
    #[test]
    fn the_page_of_close_codes_is_kept_to() {
        let page = include_str!("../../../../docs/close-codes.md");
        let mut rows = 0;
        for line in page.lines() {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let (Ok(code), [_, _, _, _, best]) = (cells[0].parse(), cells.as_slice()) else {
                continue;
            };
            rows += 1;
            let comes_back = matches!(closed_with(code, ""), Event::Down(_));
            assert_eq!(comes_back, best.starts_with("connect again"), "{line}");
        }
        assert!(rows >= 10, "{rows} rows");
    }

    #[test]
    fn a_reason_has_no_power_over_the_terminal() {
        assert_eq!(
            closed_with(1012, "so\u{1b}[2J"),
            Event::Down("closed with 1012, so\u{fffd}[2J".into())
        );
    }
}
