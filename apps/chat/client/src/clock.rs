//! The time of day where the user is.
//!
//! **Absent on purpose:** time zones. The system says how far it is from UTC now, and that holds for a session.

use std::process::{Command, Stdio};

use time::OffsetDateTime;

/// How far local time is from UTC, in minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone(i64);

impl Zone {
    /// The system's; UTC where it does not say.
    pub fn of_the_system() -> Zone {
        let said = Command::new("date")
            .arg("+%z")
            .stdin(Stdio::null())
            .output();
        let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        Zone::parse(said.unwrap_or_default().trim()).unwrap_or_default()
    }

    /// `+0130` and the like.
    fn parse(text: &str) -> Option<Zone> {
        let (sign, digits) = match text.split_at_checked(1)? {
            ("+", digits) => (1, digits),
            ("-", digits) => (-1, digits),
            _ => return None,
        };
        let (hours, minutes) = digits.split_at_checked(2)?;
        let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
        Some(Zone(sign * (hours * 60 + minutes)))
    }

    /// A moment in epoch milliseconds as `HH:MM`.
    pub fn time(self, epoch_ms: u64) -> String {
        let minutes = (epoch_ms / 60_000) as i64 + self.0;
        let minutes = minutes.rem_euclid(24 * 60);
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// The day of a moment, as `2026-11-21`.
    pub fn day(self, epoch_ms: u64) -> String {
        let seconds = (epoch_ms / 1_000) as i64 + self.0 * 60;
        // A server may say any number.
        let moment = OffsetDateTime::from_unix_timestamp(seconds);
        moment.map_or_else(
            |_| "some day".to_owned(),
            |moment| moment.date().to_string(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_local_and_any_number_is_one() {
        let late = 1_795_219_200_000 - 60_000;
        assert_eq!(Zone(0).day(late), "2026-11-20");
        assert_eq!(Zone(2).day(late), "2026-11-21");
        assert_eq!(Zone(-60).day(0), "1969-12-31");
        assert_eq!(Zone(0).day(u64::MAX), "some day");
    }

    #[test]
    fn times_are_local() {
        let noon = 12 * 3_600_000;
        for (zone, time) in [
            ("+0000", "12:00"),
            ("+0545", "17:45"),
            ("-1230", "23:30"),
            ("+1400", "02:00"),
        ] {
            assert_eq!(
                Zone::parse(zone).map(|zone| zone.time(noon)).as_deref(),
                Some(time),
                "{zone}"
            );
        }
        for nonsense in ["", "x", "UTC", "+1", "+é1"] {
            assert_eq!(Zone::parse(nonsense), None, "{nonsense}");
        }
    }
}
