//! `load upgrades`: the test of the same name with more sessions.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use rookery_tests::Upgrades;

/// Sessions that talk while their app is upgraded and its workers are killed. Fails when anybody notices.
#[derive(Args)]
pub struct Upgrade {
    /// How many sessions stay connected.
    #[arg(long, default_value_t = 10_000)]
    sessions: usize,
    /// How many rooms they share.
    #[arg(long, default_value_t = 100)]
    rooms: usize,
    /// How often another version takes over.
    #[arg(long, default_value_t = 20)]
    upgrades: usize,
    /// How often a worker is killed; every fourth upgrade has room for one.
    #[arg(long, default_value_t = 5)]
    kills: usize,
    /// Milliseconds between two messages of one room.
    #[arg(long, default_value_t = 250)]
    pace_ms: u64,
}

impl Upgrade {
    /// Lets it happen and tells what came of it.
    pub async fn run(self) -> ExitCode {
        let plan = Upgrades {
            sessions: self.sessions.max(self.rooms),
            rooms: self.rooms.max(1),
            upgrades: self.upgrades,
            kills: self.kills,
            pace: Duration::from_millis(self.pace_ms.max(1)),
        };
        let report = plan.run().await;
        println!("{report}");
        if report.is_clean() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
