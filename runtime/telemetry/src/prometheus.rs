//! Numbers as text for Prometheus.
//!
//! Exposition format 0.0.4, <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//!
//! **Invariant:** the lines of a family stand together below its `HELP` and `TYPE`, for a [`Samples`] borrows the text.
//! **Absent on purpose:** a registry and timestamps; what is written is what is true now.

use std::fmt::{self, Write};

use crate::HistogramSnapshot;

/// What `Content-Type` says of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Labels of one line: names are ours, values anybody's.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// A text under construction.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

/// The lines of a counter or a gauge.
#[derive(Debug)]
pub struct Samples<'t> {
    name: &'static str,
    text: &'t mut String,
}

/// The lines of a histogram, in seconds.
#[derive(Debug)]
pub struct Histograms<'t> {
    name: &'static str,
    text: &'t mut String,
}

impl Exposition {
    /// Empty.
    pub fn new() -> Exposition {
        Exposition::default()
    }

    /// Begins a family of numbers that only grow. Its name ends in `_total`.
    pub fn counter(&mut self, name: &'static str, help: &str) -> Samples<'_> {
        self.family(name, help, "counter");
        Samples {
            name,
            text: &mut self.text,
        }
    }

    /// Begins a family of numbers that go both ways.
    pub fn gauge(&mut self, name: &'static str, help: &str) -> Samples<'_> {
        self.family(name, help, "gauge");
        Samples {
            name,
            text: &mut self.text,
        }
    }

    /// Begins a family of histograms. Its name ends in `_seconds`.
    pub fn histogram(&mut self, name: &'static str, help: &str) -> Histograms<'_> {
        self.family(name, help, "histogram");
        Histograms {
            name,
            text: &mut self.text,
        }
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }

    fn family(&mut self, name: &'static str, help: &str, kind: &str) {
        debug_assert!(is_name(name), "{name} is no metric name");
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        line(
            &mut self.text,
            format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"),
        );
    }
}

impl Samples<'_> {
    /// One line.
    pub fn sample(&mut self, labels: Labels<'_>, value: f64) -> &mut Self {
        let (name, labels) = (
            self.name,
            Shown {
                labels,
                bound: None,
            },
        );
        line(self.text, format_args!("{name}{labels} {}", Number(value)));
        self
    }
}

impl Histograms<'_> {
    /// The lines of one histogram: its buckets, their sum and their count.
    pub fn sample(&mut self, labels: Labels<'_>, histogram: &HistogramSnapshot) -> &mut Self {
        let name = self.name;
        let bounds = histogram
            .cumulative()
            .map(|(us, count)| (us as f64 / 1e6, count));
        for (bound, count) in bounds.chain([(f64::INFINITY, histogram.count())]) {
            let labels = Shown {
                labels,
                bound: Some(bound),
            };
            line(self.text, format_args!("{name}_bucket{labels} {count}"));
        }
        let labels = Shown {
            labels,
            bound: None,
        };
        line(
            self.text,
            format_args!("{name}_sum{labels} {}", histogram.sum_us() as f64 / 1e6),
        );
        line(
            self.text,
            format_args!("{name}_count{labels} {}", histogram.count()),
        );
        self
    }
}

fn line(text: &mut String, line: fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes all that is written");
}

fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':')
}

/// Labels in braces, or nothing when there are none.
struct Shown<'a> {
    labels: Labels<'a>,
    bound: Option<f64>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = '{';
        for (name, value) in self.labels {
            write!(f, "{separator}{name}=\"")?;
            for c in value.chars() {
                match c {
                    '\\' => f.write_str(r"\\")?,
                    '"' => f.write_str(r#"\""#)?,
                    '\n' => f.write_str(r"\n")?,
                    _ => f.write_char(c)?,
                }
            }
            f.write_char('"')?;
            separator = ',';
        }
        if let Some(bound) = self.bound {
            write!(f, "{separator}le=\"{}\"", Number(bound))?;
            separator = ',';
        }
        if separator == ',' {
            f.write_char('}')
        } else {
            Ok(())
        }
    }
}

/// A number as Go's `ParseFloat` reads it: infinity is `+Inf`.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            finite_or_nan => write!(f, "{finite_or_nan}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Histogram;

    #[test]
    fn a_family_has_its_help_its_type_and_its_lines() {
        let mut text = Exposition::new();
        text.counter("rookery_requests_total", "Requests taken.")
            .sample(&[("app", "chat"), ("version", "1.0.0")], 3.0)
            .sample(&[], 0.5);
        text.gauge("rookery_sessions", "Attached sessions.")
            .sample(&[], 1e10);
        let expected = "# HELP rookery_requests_total Requests taken.\n\
                        # TYPE rookery_requests_total counter\n\
                        rookery_requests_total{app=\"chat\",version=\"1.0.0\"} 3\n\
                        rookery_requests_total 0.5\n\
                        # HELP rookery_sessions Attached sessions.\n\
                        # TYPE rookery_sessions gauge\n\
                        rookery_sessions 10000000000\n";
        assert_eq!(text.finish(), expected);
    }

    #[test]
    fn labels_and_help_cannot_break_their_line() {
        let mut text = Exposition::new();
        text.gauge("g", "one\ntwo \\ \"three\"")
            .sample(&[("app", "a\\b\"c\nd")], 1.0);
        let expected =
            "# HELP g one\\ntwo \\\\ \"three\"\n# TYPE g gauge\ng{app=\"a\\\\b\\\"c\\nd\"} 1\n";
        assert_eq!(text.finish(), expected);
    }

    #[test]
    fn what_is_no_finite_number_is_written_as_go_reads_it() {
        let shown = |value| Number(value).to_string();
        assert_eq!(
            (
                shown(f64::INFINITY),
                shown(f64::NEG_INFINITY),
                shown(f64::NAN)
            ),
            ("+Inf".into(), "-Inf".into(), "NaN".into())
        );
    }

    #[test]
    fn a_histogram_has_cumulative_buckets_in_seconds_a_sum_and_a_count() {
        let histogram = Histogram::new();
        for us in [10, 20, 100_000_000] {
            histogram.record(Duration::from_micros(us));
        }
        let mut text = Exposition::new();
        text.histogram("wait_seconds", "Waiting.")
            .sample(&[("app", "chat")], &histogram.snapshot());
        let text = text.finish();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[2],
            r#"wait_seconds_bucket{app="chat",le="0.000016"} 1"#
        );
        assert_eq!(
            lines[3],
            r#"wait_seconds_bucket{app="chat",le="0.000032"} 2"#
        );
        assert_eq!(
            lines[lines.len() - 4..],
            [
                r#"wait_seconds_bucket{app="chat",le="67.108864"} 2"#,
                r#"wait_seconds_bucket{app="chat",le="+Inf"} 3"#,
                r#"wait_seconds_sum{app="chat"} 100.00003"#,
                r#"wait_seconds_count{app="chat"} 3"#,
            ]
        );
    }
}
