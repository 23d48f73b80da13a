//! `rookery serve`: production. Serves what is built, builds nothing.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use rookery_supervisor::Supervisor;

use super::Failure;
use super::server_args::ServerArgs;
use crate::config::{Mode, ServerConfig};
use crate::wire;

const EXAMPLES: &str = "\
Examples:
  rookery serve                               ./apps on 127.0.0.1:8080
  ROOKERY_ADMIN_TOKEN=… rookery serve --host 0.0.0.0 --port 80
  rookery serve --host 0.0.0.0 --admin-addr 127.0.0.1:9090   /_/ for this machine alone
  APPS_DIR=/srv/apps rookery serve --log-format json";

/// Arguments of `serve`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    server: ServerArgs,
}

/// Serves until a signal.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let config = args.server.load(Mode::Production)?;
    start_logging(&config)?;
    run(
        config,
        |_| async {},
        |Addresses { apps, admin }| {
            // For whoever started us with port 0. Nothing can be done when nobody reads it.
            let _ = writeln!(std::io::stdout(), "listening on http://{apps}");
            if let Some(admin) = admin {
                let _ = writeln!(std::io::stdout(), "admin on http://{admin}");
            }
        },
    )
}

/// Sends the log where the configuration says. Once, before [`run`].
pub fn start_logging(config: &ServerConfig) -> Result<(), Failure> {
    rookery_telemetry::trace::init(&config.log).map_err(|error| Failure::Usage(error.to_string()))
}

/// Where a server is reached.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// The apps.
    pub apps: SocketAddr,
    /// The operator's routes, when they are elsewhere.
    pub admin: Option<SocketAddr>,
}

/// Serves until a signal. `watch` sees the supervisor at work from the start; `ready` is told the addresses when the
/// bundles that are there at the start are live or refused.
pub fn run<W: Future<Output = ()> + Send + 'static>(
    config: ServerConfig,
    watch: impl FnOnce(Arc<Supervisor>) -> W,
    ready: impl FnOnce(Addresses) + Send + 'static,
) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_park(rookery_gateway::thread_rests)
        .on_thread_unpark(rookery_gateway::thread_wakes)
        .build()
        .map_err(|error| Failure::Failed(format!("the runtime cannot start: {error}")))?;
    runtime.block_on(async {
        let server = wire::start(config).await;
        let server = server.map_err(|error| Failure::Failed(error.to_string()))?;
        let supervisor = Arc::clone(&server.supervisor);
        let addresses = Addresses {
            apps: server.address,
            admin: server.side_door.as_ref().map(|door| door.address),
        };
        tokio::spawn(watch(Arc::clone(&supervisor)));
        tokio::spawn(async move {
            supervisor.settled().await;
            ready(addresses);
        });
        let unfinished = server.run().await;
        if unfinished.is_empty() {
            tracing::info!("stopped");
        } else {
            tracing::warn!(
                ?unfinished,
                "stopped with work left when the grace was over"
            );
        }
        Ok(ExitCode::SUCCESS)
    })
}
