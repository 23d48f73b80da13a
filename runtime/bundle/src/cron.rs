//! Five cron fields, read into sets.
//!
//! **Invariant:** every set has a member, and some day of some year is in them.
//! **Absent on purpose:** the calendar and the clock. A scheduler brings the date, in UTC.

/// When a job runs: minute, hour, day of the month, month, day of the week.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Vixie's rule: a day is either of the two fields when both are restricted, and both of them otherwise.
    days_are_either: bool,
}

/// A minute of a calendar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 1 to 31.
    pub day: u8,
    /// 1 to 12.
    pub month: u8,
    /// 0 is Sunday, 6 is Saturday.
    pub weekday: u8,
}

struct Range {
    name: &'static str,
    min: u8,
    max: u8,
    words: &'static [&'static str],
}

const MINUTE: Range = Range {
    name: "minute",
    min: 0,
    max: 59,
    words: &[],
};
const HOUR: Range = Range {
    name: "hour",
    min: 0,
    max: 23,
    words: &[],
};
const DAY: Range = Range {
    name: "day",
    min: 1,
    max: 31,
    words: &[],
};
const MONTH: Range = Range {
    name: "month",
    min: 1,
    max: 12,
    words: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
};
/// 7 is Sunday too.
const WEEKDAY: Range = Range {
    name: "weekday",
    min: 0,
    max: 7,
    words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};
const DAYS_OF_MONTHS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Cron {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!("has {} cron fields, five are needed", fields.len()));
        };
        let weekdays = WEEKDAY.set(weekday)?;
        let cron = Self {
            minutes: MINUTE.set(minute)?,
            hours: HOUR.set(hour)?,
            days: DAY.set(day)?,
            months: MONTH.set(month)?,
            weekdays: weekdays & 0x7f | weekdays >> 7,
            days_are_either: !day.starts_with('*') && !weekday.starts_with('*'),
        };
        if cron.ever_runs() {
            Ok(cron)
        } else {
            Err("never runs: no such month has that day".to_owned())
        }
    }

    /// Whether the job is due in this minute.
    pub fn matches(&self, slot: Slot) -> bool {
        let day = has(self.days, slot.day);
        let weekday = has(self.weekdays, slot.weekday);
        let is_day = if self.days_are_either {
            day || weekday
        } else {
            day && weekday
        };
        is_day
            && has(self.minutes, slot.minute)
            && has(self.hours, slot.hour)
            && has(self.months, slot.month)
    }

    fn ever_runs(&self) -> bool {
        // Every weekday comes in every month, so only the day of the month can miss.
        let first_day = self.days.trailing_zeros() as u8;
        let longest = (1..=12)
            .filter(|month| has(self.months, *month))
            .map(|month| DAYS_OF_MONTHS[month as usize - 1]);
        self.days_are_either || longest.max().is_some_and(|days| first_day <= days)
    }
}

fn has(set: u64, member: u8) -> bool {
    set.checked_shr(member.into())
        .is_some_and(|rest| rest & 1 == 1)
}

impl Range {
    /// A list of `*`, `n`, `a-b`, each with `/step` or not.
    fn set(&self, field: &str) -> Result<u64, String> {
        let mut set = 0;
        for part in field.split(',') {
            set |= self.part(part).ok_or_else(|| {
                format!(
                    "the {} must be from {} to {}: *, n, a-b, a list, or with /step",
                    self.name, self.min, self.max
                )
            })?;
        }
        Ok(set)
    }

    fn part(&self, part: &str) -> Option<u64> {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, Some(number(step).filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (first, last) = match span.split_once('-') {
            _ if span == "*" => (self.min, self.max),
            Some((first, last)) => (self.value(first)?, self.value(last)?),
            // As in Vixie's cron, `5/10` is "from 5 on".
            None => (
                self.value(span)?,
                if step.is_some() {
                    self.max
                } else {
                    self.value(span)?
                },
            ),
        };
        let members = (first..=last).step_by(step.unwrap_or(1).into());
        let set = members.fold(0, |set, member| set | 1_u64 << member);
        (set != 0).then_some(set)
    }

    fn value(&self, text: &str) -> Option<u8> {
        let word = self
            .words
            .iter()
            .position(|word| word.eq_ignore_ascii_case(text));
        let value = match word {
            Some(index) => u8::try_from(index).ok()? + self.min,
            None => number(text)?,
        };
        (self.min..=self.max).contains(&value).then_some(value)
    }
}

/// Digits only: `parse` would take a sign.
fn number(text: &str) -> Option<u8> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// `minute hour day month weekday`, as in the expression.
    #[track_caller]
    fn check(text: &str, slot: [u8; 5], expected: bool) {
        let [minute, hour, day, month, weekday] = slot;
        let slot = Slot {
            minute,
            hour,
            day,
            month,
            weekday,
        };
        assert_eq!(
            Cron::parse(text).unwrap().matches(slot),
            expected,
            "{text} at {slot:?}"
        );
    }

    #[test]
    fn each_field_is_compared() {
        check("* * * * *", [59, 23, 31, 12, 6], true);
        check("5 4 * * *", [5, 4, 1, 1, 0], true);
        check("5 4 * * *", [4, 4, 1, 1, 0], false);
        check("*/15 * * * *", [45, 0, 1, 1, 0], true);
        check("*/15 * * * *", [46, 0, 1, 1, 0], false);
        check("10-20/5 * * * *", [15, 0, 1, 1, 0], true);
        check("50/5 * * * *", [55, 0, 1, 1, 0], true);
        check("0 0 1 JAN,jul *", [0, 0, 1, 7, 3], true);
        check("0 0 * * mon-fri", [0, 0, 9, 9, 6], false);
        check("0 0 * * 7", [0, 0, 9, 9, 0], true);
        check("0 0 * * 5-7", [0, 0, 9, 9, 0], true);
    }

    #[test]
    fn a_day_is_either_field_when_both_are_restricted() {
        check("0 0 13 * 5", [0, 0, 13, 1, 2], true);
        check("0 0 13 * 5", [0, 0, 14, 1, 5], true);
        check("0 0 13 * 5", [0, 0, 14, 1, 2], false);
        check("0 0 */2 * 5", [0, 0, 1, 1, 4], false);
    }

    #[track_caller]
    fn refuse(text: &str, reason: &str) {
        assert!(
            Cron::parse(text).is_err_and(|found| found.contains(reason)),
            "{text}"
        );
    }

    #[test]
    fn what_cannot_run_is_refused() {
        refuse("99 99 99 99 99", "weekday");
        refuse("60 * * * *", "minute must be from 0 to 59");
        refuse("* 24 * * *", "hour");
        refuse("* * 0 * *", "day");
        refuse("* * * 13 *", "month");
        refuse("* * * * 8", "weekday");
        refuse("*/0 * * * *", "minute");
        refuse("5-1 * * * *", "minute");
        refuse("1,,2 * * * *", "minute");
        refuse("+1 * * * *", "minute");
        refuse("* * * *", "has 4 cron fields");
        refuse("* * * * * *", "has 6 cron fields");
        refuse("* * L * *", "day");
        refuse("* * ? * *", "day");
        refuse("0 0 31 2 *", "never runs");
        refuse("0 0 31 2,4 *", "never runs");
        check("0 0 29 2 *", [0, 0, 29, 2, 0], true);
        check("0 0 31 2 1", [0, 0, 4, 2, 1], true);
    }
}
