//! Numbers as people read them. Pure.

/// What nobody knows, or nothing did.
pub const NONE: &str = "–";

/// A rate: small ones with their tenths.
pub fn rate(value: Option<f64>) -> String {
    match value {
        None => NONE.to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(value) if value < 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.0}"),
    }
}

/// A time in milliseconds, with three digits that mean something.
pub fn millis(value: Option<f64>) -> String {
    match value {
        None => NONE.to_owned(),
        Some(value) if value >= 1000.0 => format!("{:.1} s", value / 1000.0),
        Some(value) if value >= 100.0 => format!("{value:.0} ms"),
        Some(value) if value >= 10.0 => format!("{value:.1} ms"),
        Some(value) if value >= 1.0 => format!("{value:.2} ms"),
        Some(value) => format!("{:.0} µs", value * 1000.0),
    }
}

/// So many bytes, in a unit that fits.
pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let (mut value, mut unit) = (value as f64, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(value < 100.0 && unit > 0);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// A stretch of time, in its largest units.
pub fn span(ms: u64) -> String {
    match ms / 1000 {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_unit_that_fits() {
        let said = [0, 1023, 1024, 3 << 20, 500 << 20, 5 << 40].map(bytes);
        let expected = ["0 B", "1023 B", "1.0 KiB", "3.0 MiB", "500 MiB", "5120 GiB"];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_stretch_of_time_is_in_its_largest_units() {
        let said = [59_400, 61_000, 3_700_000, 200_000_000].map(span);
        assert_eq!(said, ["59 s", "1 min", "1 h 1 min", "2 d"]);
    }
}
