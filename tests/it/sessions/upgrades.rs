//! Twenty upgrades and five killed workers with two thousand sessions inside: nobody notices.

use std::time::Duration;

use rookery_tests::{Sequence, Upgrades};

/// The same with 10,000 sessions is a command: docs/performance.md.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upgrades_and_killed_workers_close_lose_double_and_reorder_nothing() {
    let plan = Upgrades {
        sessions: 2_000,
        rooms: 20,
        upgrades: 20,
        kills: 5,
        pace: Duration::from_millis(250),
    };
    let report = plan.run().await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.moves, plan.sessions * plan.upgrades, "{report}");
    assert_eq!(report.went_back, 0, "{report}");
    assert!(report.deliveries > 20_000, "{report}");
}

/// What the test above stands on.
#[test]
fn a_number_that_is_lost_doubled_or_out_of_order_is_seen() {
    let mut sequence = Sequence::default();
    for number in [0, 1, 3, 3, 2, 5] {
        sequence.take(number);
    }
    let seen = (sequence.heard(), sequence.doubled, sequence.disordered);
    assert_eq!(seen, (5, 1, 1));
    assert_eq!(sequence.lost(8), 3, "4, 6 and 7");
}
