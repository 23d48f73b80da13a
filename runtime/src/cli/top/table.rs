//! The rows of the table: filtered, sorted, and as text. Pure.

use std::cmp::Reverse;

use serde::Serialize;

use super::board::{Board, Revision, Worker};
use super::words::{NONE, millis, rate};
use crate::cli::safe;

/// The columns.
pub const HEADS: [&str; 12] = [
    "APP", "VERSION", "STATE", "SHARE", "REQ/S", "P50", "P95", "P99", "QUEUE", "WORKERS",
    "SESSIONS", "FAULTS",
];
/// How many of them are words, and stand at the left.
pub const WORDS: usize = 3;

/// What comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum Sort {
    /// By app, and the highest version first.
    Name,
    /// Who is asked most.
    #[default]
    Requests,
    /// Who is slowest.
    P99,
    /// Where most wait.
    Queue,
    /// Who has most workers.
    Workers,
    /// Who has most sessions.
    Sessions,
    /// Who failed most.
    Faults,
}

/// Which way round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// As the sort says.
    #[default]
    Natural,
    /// The other way.
    Reversed,
}

/// What of it somebody wants to see.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// What comes first.
    pub sort: Sort,
    /// Which way round.
    pub order: Order,
    /// Words that a row must have, all of them.
    pub filter: String,
}

/// One revision.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub app: String,
    pub version: String,
    pub state: String,
    /// Of what asks for no version, in percent; none when it gets nothing of it.
    pub share: Option<f64>,
    pub is_canary: bool,
    pub requests_per_second: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub queue: u64,
    pub workers: Option<u64>,
    pub busy: u64,
    pub sessions: u64,
    pub faults: u64,
    /// Why it does not serve, or does not start.
    pub why: Option<String>,
    /// Those that were started first.
    pub worker_list: Vec<Worker>,
    /// How many there are besides.
    pub workers_more: u64,
}

impl Sort {
    const ALL: [Sort; 7] = [
        Sort::Name,
        Sort::Requests,
        Sort::P99,
        Sort::Queue,
        Sort::Workers,
        Sort::Sessions,
        Sort::Faults,
    ];

    /// The next one.
    pub fn next(self) -> Sort {
        let at = Sort::ALL.iter().position(|one| *one == self);
        Sort::ALL[(at.unwrap_or_default() + 1) % Sort::ALL.len()]
    }

    /// Which column it sorts by.
    pub fn column(self) -> usize {
        match self {
            Sort::Name => 0,
            Sort::Requests => 4,
            Sort::P99 => 7,
            Sort::Queue => 8,
            Sort::Workers => 9,
            Sort::Sessions => 10,
            Sort::Faults => 11,
        }
    }
}

/// The rows that are wanted, in order.
pub fn rows(board: &Board, view: &View) -> Vec<Row> {
    let words = view.filter.to_lowercase();
    let words: Vec<&str> = words.split_whitespace().collect();
    let rows = board.revisions.values().map(|one| row(board, one));
    let mut rows: Vec<Row> = rows.filter(|row| row.has(&words)).collect();
    // By name first; those that are equal in what is asked for stay in that order.
    rows.sort_by(|one, other| (&one.app, versions(other)).cmp(&(&other.app, versions(one))));
    let thousandths = |value: Option<f64>| Reverse((value.unwrap_or_default() * 1e3) as u64);
    match view.sort {
        Sort::Name => {}
        Sort::Requests => rows.sort_by_key(|row| thousandths(row.requests_per_second)),
        Sort::P99 => rows.sort_by_key(|row| thousandths(row.p99_ms)),
        Sort::Queue => rows.sort_by_key(|row| Reverse(row.queue)),
        Sort::Workers => rows.sort_by_key(|row| Reverse(row.workers)),
        Sort::Sessions => rows.sort_by_key(|row| Reverse(row.sessions)),
        Sort::Faults => rows.sort_by_key(|row| Reverse(row.faults)),
    }
    if view.order == Order::Reversed {
        rows.reverse();
    }
    rows
}

fn versions(row: &Row) -> (Option<semver::Version>, &str) {
    (semver::Version::parse(&row.version).ok(), &row.version)
}

fn row(board: &Board, one: &Revision) -> Row {
    let app = board.apps.get(&one.app);
    let rollout = app.and_then(|app| app.rollout.as_ref());
    // One that has nothing but tags spreads nothing.
    let weights = rollout.map(|rollout| &rollout.weights);
    let weights = weights.filter(|weights| !weights.is_empty());
    let is_live = one.state == "live";
    let share = match (weights, app) {
        (Some(weights), _) => weights.get(&one.version).copied(),
        (None, Some(app)) => (app.unpinned.as_ref() == Some(&one.version)).then_some(100.0),
        (None, None) => None,
    };
    let canary = rollout.and_then(|rollout| rollout.canary.as_ref());
    let recent = one.recent.filter(|_| one.workers.is_some());
    // Quantiles of nothing are zeros.
    let times = recent.filter(|recent| recent.requests_per_second > 0.0);
    let times = times.map(|recent| recent.response_time_ms);
    let why = one.start_failure.as_ref();
    Row {
        app: safe::line(&one.app),
        version: safe::line(&one.version),
        state: match (is_live, why) {
            (true, Some(_)) => "failing".to_owned(),
            _ => safe::line(&one.state),
        },
        share: share.filter(|_| is_live),
        is_canary: canary.is_some_and(|canary| canary.version == one.version),
        requests_per_second: recent.map(|recent| recent.requests_per_second),
        p50_ms: times.map(|times| times.p50),
        p95_ms: times.map(|times| times.p95),
        p99_ms: times.map(|times| times.p99),
        queue: one.queue_depth,
        workers: one.workers,
        busy: one.busy,
        sessions: one.sessions,
        faults: one.workers_failed,
        why: why.map(|why| safe::line(&why.reason)),
        worker_list: one.worker_list.clone(),
        workers_more: one.workers_more,
    }
}

impl Row {
    fn has(&self, words: &[&str]) -> bool {
        let all = format!("{}@{} {}", self.app, self.version, self.state).to_lowercase();
        words.iter().all(|word| all.contains(word))
    }

    /// As text, a cell for each column.
    pub fn cells(&self) -> [String; HEADS.len()] {
        let mark = if self.is_canary { " ◂" } else { "" };
        let some = |number: u64| number.to_string();
        [
            self.app.clone(),
            format!("{}{mark}", self.version),
            self.state.clone(),
            self.share
                .map_or_else(|| NONE.to_owned(), |share| format!("{share:.0} %")),
            rate(self.requests_per_second),
            millis(self.p50_ms),
            millis(self.p95_ms),
            millis(self.p99_ms),
            some(self.queue),
            match (self.workers, self.busy) {
                (None, _) => NONE.to_owned(),
                (Some(workers), 0) => some(workers),
                (Some(workers), busy) => format!("{busy}/{workers}"),
            },
            some(self.sessions),
            some(self.faults),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::around::{Canary, Rollout};
    use super::super::board::{App, Recent, StartFailure, Times};
    use super::*;

    fn board() -> Board {
        let revision = |id, app: &str, version: &str, rate, p99, faults| Revision {
            id,
            app: app.to_owned(),
            version: version.to_owned(),
            state: "live".to_owned(),
            workers: Some(1),
            workers_failed: faults,
            recent: Some(Recent {
                requests_per_second: rate,
                response_time_ms: Times {
                    p99,
                    ..Times::default()
                },
            }),
            ..Revision::default()
        };
        let mut board = Board::default();
        for one in [
            revision(1, "chat", "1.9.0", 5.0, 1.0, 0),
            revision(2, "chat", "1.10.0", 50.0, 2.0, 7),
            revision(3, "api", "1.0.0", 7.25, 900.0, 1),
        ] {
            board.revisions.insert(one.id, one);
        }
        let chat = App {
            name: "chat".to_owned(),
            unpinned: Some("1.10.0".to_owned()),
            rollout: None,
        };
        board.apps.insert("chat".to_owned(), chat);
        board
    }

    fn order(view: View) -> Vec<String> {
        let rows = rows(&board(), &view).into_iter();
        rows.map(|row| format!("{}@{}", row.app, row.version))
            .collect()
    }

    #[test]
    fn rows_are_sorted_by_what_is_asked_for() {
        let by = |sort| {
            order(View {
                sort,
                ..View::default()
            })
        };
        assert_eq!(by(Sort::Name), ["api@1.0.0", "chat@1.10.0", "chat@1.9.0"]);
        assert_eq!(
            by(Sort::Requests),
            ["chat@1.10.0", "api@1.0.0", "chat@1.9.0"]
        );
        assert_eq!(by(Sort::P99), ["api@1.0.0", "chat@1.10.0", "chat@1.9.0"]);
        assert_eq!(by(Sort::Faults), ["chat@1.10.0", "api@1.0.0", "chat@1.9.0"]);
        let reversed = View {
            sort: Sort::Name,
            order: Order::Reversed,
            ..View::default()
        };
        assert_eq!(order(reversed), ["chat@1.9.0", "chat@1.10.0", "api@1.0.0"]);
    }

    #[test]
    fn a_row_has_every_word_of_the_filter() {
        let filter = "LIVE chat@1.9".to_owned();
        assert_eq!(
            order(View {
                filter,
                ..View::default()
            }),
            ["chat@1.9.0"]
        );
    }

    #[test]
    fn the_version_of_paths_without_one_has_all_of_them() {
        let rows = rows(&board(), &View::default());
        let shares: Vec<Option<f64>> = rows.iter().map(|row| row.share).collect();
        assert_eq!(shares, [Some(100.0), None, None]);
        assert_eq!(rows[1].cells()[4..8], ["7.2", "0 µs", "0 µs", "900 ms"]);
    }

    #[test]
    fn a_rollout_says_who_gets_how_much_unless_it_has_tags_alone() {
        let mut board = board();
        let shares = |board: &Board| -> Vec<(Option<f64>, bool)> {
            let view = View {
                filter: "chat".to_owned(),
                ..View::default()
            };
            let rows = rows(board, &view).into_iter();
            rows.map(|row| (row.share, row.is_canary)).collect()
        };
        let mut rollout = Rollout::default();
        let roll = |board: &mut Board, rollout: &Rollout| {
            let chat = board.apps.get_mut("chat");
            chat.expect("it is there").rollout = Some(rollout.clone());
        };
        roll(&mut board, &rollout);
        assert_eq!(shares(&board), [(Some(100.0), false), (None, false)]);
        let weights = [("1.9.0", 95.0), ("1.10.0", 5.0)];
        rollout.weights = weights
            .map(|(version, share)| (version.to_owned(), share))
            .into();
        rollout.canary = Some(Canary {
            version: "1.10.0".to_owned(),
            ..Canary::default()
        });
        roll(&mut board, &rollout);
        assert_eq!(shares(&board), [(Some(5.0), true), (Some(95.0), false)]);
    }

    #[test]
    fn no_name_of_a_bundle_reaches_the_terminal_as_a_command() {
        let mut board = board();
        let chat = board.revisions.get_mut(&1);
        let failure = StartFailure {
            reason: "\u{1b}]0;pwned\u{7}".to_owned(),
        };
        if let Some(chat) = chat {
            chat.start_failure = Some(failure);
        }
        let rows = rows(&board, &View::default());
        let why = rows.iter().find_map(|row| row.why.as_deref());
        assert_eq!(why, Some("\u{fffd}]0;pwned\u{fffd}"));
    }

    #[test]
    fn every_sort_is_reached_and_has_a_column() {
        let mut sort = Sort::default();
        for _ in 0..Sort::ALL.len() {
            sort = sort.next();
            assert!(sort.column() < HEADS.len());
        }
        assert_eq!(sort, Sort::default());
    }
}
