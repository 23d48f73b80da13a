//! `load idle`: what a silent session costs.

use std::process::ExitCode;

use clap::Args;

/// Memory of the server's own for each silent session.
#[derive(Args)]
pub struct Idle {
    /// How many. A process may open only so many files, and each is one here and one there.
    #[arg(long, default_value_t = 15_000)]
    sessions: usize,
}

impl Idle {
    /// Opens them and tells what the system says about the server.
    pub async fn run(self) -> ExitCode {
        let sessions = self.sessions.max(1);
        let report = rookery_tests::idle_sessions(sessions).await;
        let mib = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
        println!(
            "{sessions} silent sessions: {} bytes each ({:.1} MiB before, {:.1} MiB with them), {} isolates",
            report.bytes_each(),
            mib(report.before_bytes),
            mib(report.with_bytes),
            report.isolates,
        );
        ExitCode::SUCCESS
    }
}
