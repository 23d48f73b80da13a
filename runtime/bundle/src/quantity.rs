//! Durations and sizes as people write them: `30`, `"45"`, `"500ms"`, `"2m"`; `65536`, `"512kb"`, `"16mb"`.
//!
//! **Invariant:** what is written here is read here: `duration(&show_duration(d)) == d` to the millisecond.

use std::time::Duration;

const DURATION_UNITS: [(&str, f64); 4] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
const SIZE_UNITS: [(&str, f64); 4] = [
    ("b", 1.0),
    ("kb", 1024.0),
    ("mb", 1048576.0),
    ("gb", 1073741824.0),
];

/// Reads a duration; a bare number is seconds. None for anything else, a negative one too.
pub fn duration(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(quantity(text, &DURATION_UNITS, 1.0)?).ok()
}

/// Reads a size in bytes; units are powers of 1024 and may be upper case.
pub(crate) fn size(text: &str) -> Option<u64> {
    whole(quantity(&text.to_ascii_lowercase(), &SIZE_UNITS, 1.0)?)
}

/// The number of whole things in a JSON number; None for a fraction, a negative or one too large to count exactly.
pub(crate) fn whole(number: f64) -> Option<u64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && (0.0..=EXACT_MAX).contains(&number)).then_some(number as u64)
}

/// Writes a duration in the largest unit that divides it, to the millisecond.
pub fn show_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let (unit, length) = [("h", 3_600_000), ("m", 60_000), ("s", 1000)]
        .into_iter()
        .find(|(_, length)| millis > 0 && millis.is_multiple_of(*length))
        .unwrap_or(if millis == 0 { ("s", 1) } else { ("ms", 1) });
    format!("{}{unit}", millis / length)
}

/// Writes a size in the largest unit that divides it.
pub(crate) fn show_size(bytes: u64) -> String {
    let (unit, length) = [("gb", 1 << 30), ("mb", 1 << 20), ("kb", 1 << 10)]
        .into_iter()
        .find(|(_, length)| bytes > 0 && bytes.is_multiple_of(*length))
        .unwrap_or(("b", 1));
    format!("{}{unit}", bytes / length)
}

fn quantity(text: &str, units: &[(&str, f64)], bare: f64) -> Option<f64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    // Rust reads "." as nothing and "1." as one; a person who writes either made a mistake.
    if number.starts_with('.') || number.ends_with('.') {
        return None;
    }
    let unit = unit.trim_start();
    let factor = match unit {
        "" => bare,
        _ => units.iter().find(|(name, _)| *name == unit)?.1,
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_or_have_a_unit() {
        let check = |text, millis: Option<u64>| {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}")
        };
        check("45", Some(45_000));
        check("0.5", Some(500));
        check("0", Some(0));
        check("500ms", Some(500));
        check("45s", Some(45_000));
        check(" 2 m ", Some(120_000));
        check("1h", Some(3_600_000));
        check("1.5s", Some(1500));
        for text in [
            "", "abc", "-5", "-5s", "1d", "1e3", "5 s s", "s", ".", ".5", "1.", "1.2.3", "NaN",
            "inf", "5S",
        ] {
            check(text, None);
        }
        check(&"9".repeat(400), None);
    }

    #[test]
    fn sizes_are_bytes_or_have_a_unit() {
        let check = |text: &str, bytes: Option<u64>| assert_eq!(size(text), bytes, "{text}");
        check("0", Some(0));
        check("65536", Some(65_536));
        check("512kb", Some(524_288));
        check("16MB", Some(16_777_216));
        check("1gb", Some(1 << 30));
        check("1.5kb", Some(1536));
        for text in ["", "1.5", "0.3b", "1tb", "-1", "kb", "1 k b"] {
            check(text, None);
        }
        check(&"9".repeat(30), None);
    }

    #[test]
    fn what_is_shown_reads_back() {
        for millis in [0, 1, 999, 1000, 1500, 60_000, 90_000, 3_600_000, 86_400_000] {
            let span = Duration::from_millis(millis);
            assert_eq!(duration(&show_duration(span)), Some(span));
        }
        for bytes in [0, 1, 1023, 1024, 1 << 20, (1 << 20) + 1, 3 << 30] {
            assert_eq!(size(&show_size(bytes)), Some(bytes));
        }
        assert_eq!(show_duration(Duration::from_secs(90)), "90s");
        assert_eq!(show_size(64 << 20), "64mb");
    }
}
