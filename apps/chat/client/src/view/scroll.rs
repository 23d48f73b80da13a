//! Where the reader stands in a log.
//!
//! **Invariant:** who reads back stays at the row that he reads, whatever is said meanwhile and whatever older is loaded.

use super::rows::{Place, Row};

/// The reader's place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Scroll {
    /// At the newest, which follows.
    #[default]
    Newest,
    /// The last row that is seen is this one.
    At(Place),
}

impl Scroll {
    /// The rows that are seen in this height.
    pub fn seen(self, rows: &[Row], height: usize) -> &[Row] {
        let end = self.end(rows, height);
        &rows[end.saturating_sub(height)..end]
    }

    /// Up by so many rows. Whether that is beyond the first.
    #[must_use]
    pub fn up(&mut self, rows: &[Row], height: usize, by: usize) -> bool {
        let end = self.end(rows, height);
        let least = height.min(rows.len());
        let wanted = end.saturating_sub(by);
        self.stand(rows, wanted.max(least));
        wanted < least
    }

    /// Down by so many rows, and following the newest from the last one on.
    pub fn down(&mut self, rows: &[Row], height: usize, by: usize) {
        let end = self.end(rows, height) + by;
        self.stand(rows, end);
    }

    fn stand(&mut self, rows: &[Row], end: usize) {
        *self = match rows.get(end.wrapping_sub(1)) {
            Some(row) if end < rows.len() => Scroll::At(row.place),
            _ => Scroll::Newest,
        };
    }

    /// How many rows stand up to the last that is seen. A place that is gone is the nearest before it.
    fn end(self, rows: &[Row], height: usize) -> usize {
        let end = match self {
            Scroll::Newest => rows.len(),
            Scroll::At(place) => rows.partition_point(|row| row.place <= place),
        };
        end.max(height.min(rows.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::rows::Look;

    fn rows(times: std::ops::Range<u64>) -> Vec<Row> {
        let row = |time| Row {
            place: ((time, 0), 0),
            text: time.to_string(),
            look: Look::Theirs,
        };
        times.map(row).collect()
    }

    fn texts(rows: &[Row]) -> Vec<&str> {
        rows.iter().map(|row| row.text.as_str()).collect()
    }

    #[test]
    fn the_newest_is_followed() {
        assert_eq!(texts(Scroll::Newest.seen(&rows(0..5), 2)), ["3", "4"]);
        assert_eq!(texts(Scroll::Newest.seen(&rows(0..6), 2)), ["4", "5"]);
        assert_eq!(texts(Scroll::Newest.seen(&rows(0..1), 2)), ["0"]);
    }

    #[test]
    fn who_reads_back_stays_where_he_is() {
        let mut scroll = Scroll::Newest;
        assert!(!scroll.up(&rows(10..20), 3, 4));
        assert_eq!(texts(scroll.seen(&rows(10..20), 3)), ["13", "14", "15"]);
        // Newer rows come, and older ones are loaded.
        assert_eq!(texts(scroll.seen(&rows(5..30), 3)), ["13", "14", "15"]);
    }

    #[test]
    fn beyond_the_first_row_there_may_be_more_and_below_the_last_one_follows() {
        let mut scroll = Scroll::Newest;
        assert!(scroll.up(&rows(0..10), 3, 100));
        assert_eq!(texts(scroll.seen(&rows(0..10), 3)), ["0", "1", "2"]);
        scroll.down(&rows(0..10), 3, 100);
        assert_eq!(scroll, Scroll::Newest);
    }
}
