//! A server's events as they come (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! **Invariant:** an event is at most [`EVENT_BYTES_MAX`] long; a server that sends more is no server of ours.
//! **Absent on purpose:** coming back. Who follows knows what it has seen.

use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use rookery_upstream::Body;

use super::{Answer, Remote, broken_off};
use crate::cli::Failure;

const EVENT_BYTES_MAX: usize = 32 << 20;

/// One event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Event {
    /// What kind; empty when it says none.
    pub name: String,
    /// What it says.
    pub data: String,
    /// By what it is known to the server.
    pub id: Option<String>,
}

/// The events of an answer.
pub struct Events {
    body: Body,
    unread: Unread,
}

#[derive(Default)]
struct Unread {
    bytes: Vec<u8>,
    /// Up to here there is no end of an event.
    looked: usize,
}

impl Remote {
    /// Asks for events.
    pub async fn events(&self, path: &str) -> Result<Events, Failure> {
        let nothing = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let request = Request::builder().method(Method::GET).uri(path);
        let request = request.header(header::ACCEPT, "text/event-stream");
        let answer = self.exchange(request, 0, nothing).await?;
        let status = answer.status();
        if status == StatusCode::OK {
            return Ok(Events {
                body: answer.into_body(),
                unread: Unread::default(),
            });
        }
        let body = answer.into_body().collect().await;
        let body = body.map_err(|error| broken_off(&*error))?.to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let refused = self.admitted(Answer { status, body })?;
        Err(Failure::Failed(refused.reasons().join("\n  ")))
    }
}

impl Events {
    /// The next one; none when the server ended the stream. Whoever drops this future loses no event.
    pub async fn next(&mut self) -> Result<Option<Event>, Failure> {
        loop {
            if let Some(event) = self.unread.take() {
                return Ok(Some(event));
            }
            if self.unread.bytes.len() > EVENT_BYTES_MAX {
                return Err(broken_off("an event is too long"));
            }
            let Some(frame) = self.body.frame().await else {
                return Ok(None);
            };
            let frame = frame.map_err(|error| broken_off(&*error))?;
            // Trailers say nothing.
            if let Ok(piece) = frame.into_data() {
                self.unread.bytes.extend_from_slice(&piece);
            }
        }
    }
}

impl Unread {
    /// The next whole event that says something.
    fn take(&mut self) -> Option<Event> {
        loop {
            let from = self.looked.saturating_sub(1);
            let found = self.bytes[from..].windows(2).position(|two| two == b"\n\n");
            let Some(at) = found else {
                self.looked = self.bytes.len();
                return None;
            };
            let event: Vec<u8> = self.bytes.drain(..from + at + 2).collect();
            self.looked = 0;
            let event = parse(&String::from_utf8_lossy(&event));
            // A comment that only shows that the server lives has no data.
            if !event.data.is_empty() {
                return Some(event);
            }
        }
    }
}

fn parse(text: &str) -> Event {
    let mut event = Event::default();
    for line in text.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => event.name = value.to_owned(),
            "id" => event.id = Some(value.to_owned()),
            "data" if event.data.is_empty() => event.data = value.to_owned(),
            "data" => {
                event.data.push('\n');
                event.data.push_str(value);
            }
            _ => {}
        }
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_wherever_the_pieces_are_cut() {
        let text = "event: log\nid: 7\ndata: {}\n\n: still here\n\ndata: one\ndata: two\n\n";
        for size in 1..text.len() {
            let (mut unread, mut events) = (Unread::default(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                unread.bytes.extend_from_slice(piece);
                while let Some(event) = unread.take() {
                    events.push((event.name, event.data, event.id));
                }
            }
            let expected = [
                ("log".to_owned(), "{}".to_owned(), Some("7".to_owned())),
                (String::new(), "one\ntwo".to_owned(), None),
            ];
            assert_eq!(events, expected, "pieces of {size}");
        }
    }
}
