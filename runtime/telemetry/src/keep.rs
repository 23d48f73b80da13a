//! From an event of the log to a line that is kept.
//!
//! An event names its app as `app` (alone with `version`, or as `name@version`), `revision` or `label`; one with a field
//! `fault` tells of a guest's failure.
//!
//! **Invariant:** no control character of whoever wrote a field is kept, and no text is longer than [`TEXT_BYTES_MAX`].

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::tail::{Line, LogTail, Said, Severity};

/// What of a message, and of all other fields together, is kept.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// Keeps every event that the log's filter lets through.
pub(crate) struct Keep(pub(crate) Arc<LogTail>);

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        self.0
            .push(fields.said(severity(*metadata.level()), metadata.target()));
    }
}

fn severity(level: Level) -> Severity {
    match level {
        Level::TRACE => Severity::Trace,
        Level::DEBUG => Severity::Debug,
        Level::INFO => Severity::Info,
        Level::WARN => Severity::Warn,
        Level::ERROR => Severity::Error,
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    app: Option<String>,
    version: Option<String>,
    fault: Option<String>,
    others: String,
}

impl Fields {
    fn take(&mut self, name: &str, value: impl fmt::Display) {
        match name {
            "message" => self.message = clean(value),
            "app" => self.app = Some(clean(value)),
            // What is one word for people is one name here.
            "revision" | "label" => self.app = Some(clean(value)),
            "version" => self.version = Some(clean(value)),
            _ => {
                let value = clean(value);
                let between = if self.others.is_empty() { "" } else { " " };
                // Writing to a string does not fail.
                let _ = write!(self.others, "{between}{name}={value}");
                if name == "fault" {
                    self.fault = Some(value);
                }
            }
        }
    }

    fn said(mut self, level: Severity, target: &'static str) -> Said {
        let parts = self.app.as_deref().and_then(|app| app.rsplit_once('@'));
        // `@scope/name` has one as well, and no version.
        if let (None, Some((name, version))) = (&self.version, parts)
            && !name.is_empty()
        {
            let (name, version) = (name.to_owned(), version.to_owned());
            (self.app, self.version) = (Some(name), Some(version));
        }
        cut(&mut self.others);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let at = now.unwrap_or_default().as_millis();
        Said {
            line: Line {
                number: 0,
                at: u64::try_from(at).unwrap_or(u64::MAX),
                level,
                target,
                app: self.app,
                version: self.version,
                message: self.message,
                fields: self.others,
            },
            fault: self.fault,
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field.name(), format_args!("{value:?}"));
    }
}

fn clean(value: impl fmt::Display) -> String {
    let mut text = value.to_string();
    if text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
        text = text.replace(
            |c: char| c.is_control() && c != '\n' && c != '\t',
            "\u{fffd}",
        );
    }
    cut(&mut text);
    text
}

fn cut(text: &mut String) {
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    fn kept(say: impl FnOnce()) -> Vec<Line> {
        let tail = Arc::new(LogTail::new());
        let subscriber = tracing_subscriber::registry().with(Keep(Arc::clone(&tail)));
        tracing::subscriber::with_default(subscriber, say);
        let lines = tail.take(0, usize::MAX, |_| true).lines;
        lines.iter().map(|line| (**line).clone()).collect()
    }

    #[test]
    fn an_event_names_its_version_in_one_of_several_ways() {
        let lines = kept(|| {
            tracing::info!(app = "chat", version = %"1.0.0", "a");
            tracing::info!(app = "@team/chat@1.0.0", "b");
            tracing::info!(revision = %"chat@1.0.0", id = 7, "c");
            tracing::info!(app = "@team/chat", "d");
            tracing::info!(signal = "TERM", "e");
        });
        let shown: Vec<_> = lines
            .iter()
            .map(|line| (line.app.as_deref(), line.version.as_deref(), &*line.fields))
            .collect();
        assert_eq!(
            shown,
            [
                (Some("chat"), Some("1.0.0"), ""),
                (Some("@team/chat"), Some("1.0.0"), ""),
                (Some("chat"), Some("1.0.0"), "id=7"),
                (Some("@team/chat"), None, ""),
                (None, None, "signal=TERM"),
            ]
        );
    }

    #[test]
    fn no_control_character_and_no_endless_text_is_kept() {
        let long = "ü".repeat(TEXT_BYTES_MAX);
        let lines = kept(|| tracing::warn!(reason = "\u{1b}[2J", "{long}"));
        assert_eq!(lines[0].fields, "reason=\u{fffd}[2J");
        assert_eq!(lines[0].message.len(), TEXT_BYTES_MAX);
    }
}
