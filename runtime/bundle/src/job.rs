//! What runs on a schedule.
//!
//! **Absent on purpose:** the scheduler, which comes in a later release. Here a schedule is only read and checked.

use std::time::Duration;

use crate::cron::Cron;
use crate::fields;
use crate::object::Object;

/// A scheduled invocation of the app.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Told to the app; one word, unique in the manifest.
    pub name: String,
    /// When it is due.
    pub schedule: Schedule,
}

impl Job {
    pub(crate) fn read(job: &mut Object) -> Option<Self> {
        let name = job.require(&fields::JOB_NAME);
        let schedule = job.require(&fields::JOB_SCHEDULE);
        Some(Self {
            name: name?,
            schedule: schedule?,
        })
    }
}

/// When a job is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Schedule {
    /// At minutes of the calendar, in UTC.
    Cron(Cron),
    /// At once, then after every such time; from 1 second to 366 days.
    Every(Duration),
    /// Once, when the app starts to be served.
    AtStart,
}

const MACROS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];
const UNITS: [(&str, u64); 4] = [
    ("second", 1),
    ("minute", 60),
    ("hour", 3600),
    ("day", 86_400),
];
const RATE_SECS_MAX: u64 = 366 * 86_400;

impl Schedule {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(inner) = text
            .strip_prefix("rate(")
            .and_then(|rest| rest.strip_suffix(')'))
        {
            return rate(inner).map(Self::Every).ok_or_else(|| {
                "a rate is a number from 1 on and seconds, minutes, hours or days, such as rate(5 minutes), up to a year"
                    .to_owned()
            });
        }
        if text == "@reboot" {
            return Ok(Self::AtStart);
        }
        if text.starts_with('@') {
            let known = MACROS.iter().find(|(name, _)| *name == text);
            let (_, fields) = known.ok_or_else(|| {
                "must be one of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly and @reboot".to_owned()
            })?;
            return Cron::parse(fields).map(Self::Cron);
        }
        Cron::parse(text).map(Self::Cron)
    }
}

fn rate(inner: &str) -> Option<Duration> {
    let (number, unit) = inner.trim().split_once(char::is_whitespace)?;
    let unit = unit.trim_start();
    let (_, length) = UNITS
        .iter()
        .find(|(name, _)| unit.strip_suffix('s').unwrap_or(unit) == *name)?;
    let secs = number.parse::<u64>().ok()?.checked_mul(*length)?;
    (1..=RATE_SECS_MAX)
        .contains(&secs)
        .then(|| Duration::from_secs(secs))
}

/// One word that could name a file anywhere: a job's record may become one.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let valid = (1..=128).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    valid.then(|| text.to_owned()).ok_or_else(|| {
        "must be a letter or digit, then letters, digits, \".\", \"_\" and \"-\", at most 128"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn macros_and_rates_are_schedules() {
        let every = |secs| Ok(Schedule::Every(Duration::from_secs(secs)));
        assert_eq!(Schedule::parse("rate(5 minutes)"), every(300));
        assert_eq!(Schedule::parse("rate(1 hour)"), every(3600));
        assert_eq!(Schedule::parse(" rate( 2  days ) "), every(172_800));
        assert_eq!(Schedule::parse("@reboot"), Ok(Schedule::AtStart));
        assert_eq!(Schedule::parse("@daily"), Schedule::parse("0 0 * * *"));
        for (name, fields) in MACROS {
            assert_eq!(
                Schedule::parse(name).unwrap(),
                Schedule::Cron(Cron::parse(fields).unwrap())
            );
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in [
            "",
            "@every 5m",
            "@Daily",
            "rate(5)",
            "rate(0 minutes)",
            "rate(5 weeks)",
            "rate(-1 days)",
            "rate(400 days)",
        ] {
            assert!(Schedule::parse(text).is_err(), "{text}");
        }
        assert!(Schedule::parse(&format!("rate({} days)", u64::MAX)).is_err());
    }

    #[test]
    fn a_jobs_name_leaves_no_folder() {
        assert_eq!(name("nightly-1").as_deref(), Ok("nightly-1"));
        for text in ["", "../../evil", "a/b", ".hidden", "a b"] {
            assert!(name(text).is_err(), "{text}");
        }
    }
}
