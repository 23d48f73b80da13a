//! Where log events go: standard error, in a form for people or for machines, and the tail that is kept in memory.
//!
//! **Invariant:** colour only on a terminal, and never when `NO_COLOR` is set (<https://no-color.org>).
//! **Absent on purpose:** files and rotation; whoever starts the server owns its standard error.

use std::io::{IsTerminal, stderr};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::keep::Keep;
use crate::tail::LogTail;

/// How log events are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// `Pretty` on a terminal, else `Plain`.
    #[default]
    Auto,
    /// One coloured line an event, for people.
    Pretty,
    /// One line an event without colour, with the part of the server that said it.
    Plain,
    /// One JSON object an event.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct TraceConfig {
    /// The form of a line.
    pub format: LogFormat,
    /// Levels, as `RUST_LOG` has them: `info`, `warn,rookery_pool=debug`. Default: `info`.
    pub filter: String,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The filter is not in the language of `RUST_LOG`.
    #[error("log filter `{filter}`: {reason}")]
    BadFilter {
        /// The filter as configured.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// This process logs already.
    #[error("logging was set up before")]
    AlreadySet,
}

/// Not the name of a log format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown log format `{0}`: expected auto, pretty, plain or json")]
pub struct UnknownFormat(pub String);

impl Default for TraceConfig {
    fn default() -> TraceConfig {
        TraceConfig {
            format: LogFormat::Auto,
            filter: "info".into(),
        }
    }
}

impl FromStr for LogFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<LogFormat, UnknownFormat> {
        match name {
            "auto" => Ok(LogFormat::Auto),
            "pretty" => Ok(LogFormat::Pretty),
            "plain" => Ok(LogFormat::Plain),
            "json" => Ok(LogFormat::Json),
            _ => Err(UnknownFormat(name.into())),
        }
    }
}

/// Sends the events of this process to standard error from now on. Once per process.
pub fn init(config: &TraceConfig) -> Result<(), TraceError> {
    let may_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let format = match config.format {
        LogFormat::Auto if stderr().is_terminal() && may_colour => LogFormat::Pretty,
        chosen => chosen,
    };
    subscriber(format, &config.filter, stderr, tail())?
        .try_init()
        .map_err(|_| TraceError::AlreadySet)
}

/// The last lines of this process' log: there is one log, and one tail of it. Empty before [`init`].
pub fn tail() -> Arc<LogTail> {
    static TAIL: OnceLock<Arc<LogTail>> = OnceLock::new();
    Arc::clone(TAIL.get_or_init(Arc::default))
}

/// Where events only go to a tail: what a test of a tail's reader says something to.
pub fn keeping(tail: Arc<LogTail>) -> impl Subscriber + Send + Sync {
    tracing_subscriber::registry().with(Keep(tail))
}

fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    writer: W,
    tail: Arc<LogTail>,
) -> Result<Box<dyn Subscriber + Send + Sync>, TraceError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter).map_err(|error| TraceError::BadFilter {
        filter: filter.into(),
        reason: error.to_string(),
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A line that cannot be written would be told to standard error with a panic when that fails, too: a server whose
        // log nobody reads any more would lose the task that happened to log, the one that listens to signals included.
        .log_internal_errors(false)
        .with_writer(writer);
    let keep = Keep(tail);
    Ok(match format {
        LogFormat::Pretty => Box::new(
            builder
                .compact()
                .with_ansi(true)
                .with_target(false)
                .finish()
                .with(keep),
        ),
        LogFormat::Plain | LogFormat::Auto => {
            Box::new(builder.with_ansi(false).finish().with(keep))
        }
        LogFormat::Json => Box::new(
            builder
                .json()
                .flatten_event(true)
                .with_ansi(false)
                .finish()
                .with(keep),
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = subscriber(format, filter, move || writer.clone(), Arc::default())
            .expect("a valid filter");
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(app = "chat", "live");
            tracing::debug!("warming");
        });
        let bytes = lines
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        String::from_utf8(bytes).expect("lines are text")
    }

    #[test]
    fn plain_lines_have_no_colour() {
        let text = logged(LogFormat::Plain, "info");
        assert!(
            text.contains("live") && text.contains("app=\"chat\""),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'));
        assert_eq!(text.lines().count(), 1, "debug is below the filter");
    }

    #[test]
    fn pretty_lines_are_coloured() {
        assert!(logged(LogFormat::Pretty, "info").contains('\u{1b}'));
    }

    #[test]
    fn json_lines_are_objects_with_their_fields_at_the_top() {
        let text = logged(LogFormat::Json, "debug");
        let events: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(events.len(), 2);
        assert_eq!(
            (&events[0]["app"], &events[0]["message"]),
            (&"chat".into(), &"live".into())
        );
        assert_eq!(events[1]["level"], "DEBUG");
    }

    #[test]
    fn a_bad_filter_is_named() {
        let error = subscriber(LogFormat::Plain, "rookery=loud", io::stderr, Arc::default())
            .err()
            .expect("refused");
        assert!(
            error.to_string().starts_with("log filter `rookery=loud`: "),
            "{error}"
        );
    }

    #[test]
    fn the_tail_keeps_what_the_filter_lets_through() {
        let tail = Arc::new(LogTail::new());
        let subscriber = subscriber(LogFormat::Plain, "info", io::sink, Arc::clone(&tail))
            .expect("a valid filter");
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(app = "chat", "live");
            tracing::debug!("warming");
        });
        let lines = tail.take(0, 10, |_| true).lines;
        assert_eq!(lines.len(), 1);
        assert_eq!(
            (&*lines[0].message, lines[0].app.as_deref()),
            ("live", Some("chat"))
        );
    }

    #[test]
    fn formats_have_names() {
        assert_eq!("json".parse(), Ok(LogFormat::Json));
        assert_eq!("xml".parse::<LogFormat>(), Err(UnknownFormat("xml".into())));
    }
}
