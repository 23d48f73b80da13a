//! A reader of server-sent events.

use crate::Reading;

/// The events of an answer. Only their data is looked at.
pub struct Events {
    reading: Reading,
    text: String,
}

impl Events {
    /// Of this answer, which must be such a stream.
    pub fn of(reading: Reading) -> Events {
        let content_type = reading.headers.get("content-type").unwrap();
        assert_eq!(content_type, "text/event-stream");
        Events {
            reading,
            text: String::new(),
        }
    }

    /// The next event's data; None at the end.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let lines = event.lines().filter_map(|line| line.strip_prefix("data: "));
                let data = lines.collect::<Vec<_>>().join("\n");
                self.text = rest.to_owned();
                return Some(data);
            }
            let chunk = self.reading.chunk().await?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}
