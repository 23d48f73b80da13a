//! Server-sent events (WHATWG HTML, 9.2).

use std::io;
use std::time::Duration;

use serde::Serialize;

use crate::stream::BodyWriter;

/// One event of an event stream.
#[derive(Clone, Debug, Default)]
pub struct SseEvent {
    event: Option<String>,
    id: Option<String>,
    retry: Option<Duration>,
    data: String,
}

impl SseEvent {
    /// An event that carries text. Lines are kept.
    pub fn data(data: impl Into<String>) -> SseEvent {
        SseEvent {
            data: data.into(),
            ..SseEvent::default()
        }
    }

    /// An event that carries JSON.
    pub fn json(value: &impl Serialize) -> serde_json::Result<SseEvent> {
        serde_json::to_string(value).map(SseEvent::data)
    }

    /// Names the event.
    #[must_use]
    pub fn event(mut self, name: impl Into<String>) -> SseEvent {
        self.event = Some(name.into());
        self
    }

    /// Where a client that comes back goes on from (`Last-Event-ID`).
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> SseEvent {
        self.id = Some(id.into());
        self
    }

    /// How long a client waits before it comes back.
    #[must_use]
    pub fn retry(mut self, after: Duration) -> SseEvent {
        self.retry = Some(after);
        self
    }

    fn encode(&self) -> String {
        let mut text = String::with_capacity(self.data.len() + 32);
        for (field, value) in [("event", &self.event), ("id", &self.id)] {
            if let Some(value) = value {
                push_field(&mut text, field, first_line(value));
            }
        }
        if let Some(after) = self.retry {
            push_field(&mut text, "retry", &after.as_millis().to_string());
        }
        let lines = self.data.replace("\r\n", "\n").replace('\r', "\n");
        for line in lines.split('\n') {
            push_field(&mut text, "data", line);
        }
        text.push('\n');
        text
    }
}

fn push_field(text: &mut String, field: &str, value: &str) {
    text.push_str(field);
    text.push_str(": ");
    text.push_str(value);
    text.push('\n');
}

/// A name with a line break in it would start a field of the sender's choice.
fn first_line(value: &str) -> &str {
    value.split(['\r', '\n']).next().unwrap_or_default()
}

/// Writes an event stream.
pub struct SseWriter<'a, 'b> {
    body: &'a mut BodyWriter<'b>,
}

impl<'a, 'b> SseWriter<'a, 'b> {
    pub(crate) fn new(body: &'a mut BodyWriter<'b>) -> SseWriter<'a, 'b> {
        SseWriter { body }
    }

    /// Sends an event. An error means that the client is gone.
    pub fn send(&mut self, event: &SseEvent) -> io::Result<()> {
        self.body.send(event.encode())
    }

    /// Sends a comment, which clients ignore: it shows that the stream lives.
    pub fn comment(&mut self, text: &str) -> io::Result<()> {
        self.body.send(format!(": {}\n\n", first_line(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_has_its_field() {
        let event = SseEvent::data("one\r\ntwo\n")
            .event("tick")
            .id("7")
            .retry(Duration::from_secs(2));
        assert_eq!(
            event.encode(),
            "event: tick\nid: 7\nretry: 2000\ndata: one\ndata: two\ndata: \n\n"
        );
    }

    #[test]
    fn a_line_break_in_a_name_starts_no_field() {
        assert_eq!(
            SseEvent::data("x").event("a\ndata: forged").encode(),
            "event: a\ndata: x\n\n"
        );
    }
}
