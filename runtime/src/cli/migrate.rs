//! `rookery migrate`: a bundle's SQL migrations, on the database of its namespace, without a server.
//!
//! **Invariant:** a step is what the server takes when it prepares the bundle: one transaction with its row in the history,
//! and the row is the lock. So a server may run meanwhile, and of two who want the same step one takes it.
//! **Absent on purpose:** asking a running server. The database is a file, and this opens it.

mod show;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use rookery_bundle::{Bundle, BundleError, Migration, open, read_migrations};
use rookery_lifecycle::Tasks;
use rookery_storage::migrate::{self, MigrateError, Status, TableName};
use rookery_storage::{Databases, SqlLimits};

use super::Failure;
use super::discover::discover;
use crate::config::{self, Flag, Sources};

const EXAMPLES: &str = "\
Examples:
  rookery migrate status apps/chat/1.1.0             what was run, and what was not
  rookery migrate up apps/chat/1.1.0                 run what was not
  rookery migrate down --steps 1 apps/chat/1.1.0     take the last one back
  rookery migrate status --json apps/chat/1.1.0 | jq '.migrations[].state'

A server runs the migrations of a bundle by itself before the bundle gets any traffic.";

/// How long the database may take to close.
const CLOSE_GRACE: Duration = Duration::from_secs(10);

/// Arguments of `migrate`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Run the migrations that were not run, in order
    Up(Target),
    /// Say how each migration stands; changes nothing
    Status(Target),
    /// Take back the last migrations that were run, the latest first
    Down {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
        steps: u16,
        #[command(flatten)]
        target: Target,
    },
}

/// Whose migrations, and where.
#[derive(clap::Args, Debug)]
struct Target {
    /// The bundle, such as apps/chat/1.1.0
    bundle: PathBuf,
    /// Where the apps' databases are kept [env: ROOKERY_DATA_DIR] [default: .rookery/data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// The file to read settings from [default: ./rookery.toml when it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The table that remembers what was run; servers use the default
    #[arg(long, value_name = "NAME", default_value = "rookery_migrations")]
    table: String,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

/// What was done, or how it stands.
enum Outcome {
    Ran(Vec<String>),
    TakenBack(Vec<String>),
    Stands(Vec<Status>),
}

/// Runs what the arguments say.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let target = match &args.action {
        Action::Up(target) | Action::Status(target) | Action::Down { target, .. } => target,
    };
    let usage = |error: MigrateError| Failure::Usage(format!("--table: {error}"));
    let table = TableName::parse(&target.table).map_err(usage)?;
    let bundle = target.bundle()?;
    let migrations = read(&bundle)?;
    let folder = target.data_dir()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("the runtime cannot start: {error}")))?;
    let work = async {
        let databases = Databases::in_folder(folder, limits(), &Tasks::new());
        let outcome = act(&args.action, &databases, &bundle, &migrations, &table).await;
        if !databases.close(CLOSE_GRACE).await {
            return Err(Failure::Failed("the database does not close".to_owned()));
        }
        outcome
    };
    let outcome = runtime.block_on(work)?;
    show::show(&bundle, &outcome, target.json);
    Ok(ExitCode::SUCCESS)
}

/// The operator is at work here: how large a database may grow is said to guests.
fn limits() -> SqlLimits {
    SqlLimits {
        database_bytes_max: u64::MAX,
        ..SqlLimits::default()
    }
}

async fn act(
    action: &Action,
    databases: &Databases,
    bundle: &Bundle,
    migrations: &[Migration],
    table: &TableName,
) -> Result<Outcome, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::Failed(format!("{}: {error}", bundle.namespace().as_str()))
    };
    let url = bundle.manifest.database.url.as_deref();
    if url == Some("sqlite::memory:") {
        let why = "its database is in memory, and every server begins with an empty one";
        return Err(failed(&why));
    }
    let namespace = bundle.namespace();
    let there = databases.is_there(namespace.as_str(), url);
    let there = there.map_err(|error| failed(&error))?;
    match action {
        Action::Status(_) if !there => return Ok(Outcome::Stands(all_pending(migrations))),
        Action::Down { .. } if !there => return Ok(Outcome::TakenBack(Vec::new())),
        _ => {}
    }
    let database = databases.open(namespace.as_str(), url).await;
    let database = database.map_err(|error| failed(&error))?;
    let outcome = match action {
        Action::Up(_) => migrate::up(&*database, migrations, table)
            .await
            .map(Outcome::Ran),
        Action::Status(_) => migrate::status(&*database, migrations, table)
            .await
            .map(Outcome::Stands),
        Action::Down { steps, .. } => {
            migrate::down(&*database, migrations, table, usize::from(*steps))
                .await
                .map(Outcome::TakenBack)
        }
    };
    outcome.map_err(|error| failed(&error))
}

impl Target {
    /// The bundle as a server opens it.
    fn bundle(&self) -> Result<Bundle, Failure> {
        let found = discover(std::slice::from_ref(&self.bundle))?;
        let [found] = &found[..] else {
            return Err(Failure::Usage(format!(
                "there are {} bundles below {}; which one is meant?",
                found.len(),
                self.bundle.display()
            )));
        };
        let expect = found.expect.clone().ok_or_else(|| {
            let dir = self.bundle.display();
            Failure::Usage(format!(
                "{dir} is not named after an app, such as chat/1.1.0"
            ))
        })?;
        open(&found.dir, expect).map_err(|error| match error {
            BundleError::Invalid { file, faults } => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                Failure::Failed(format!("{file}: {}", faults.join("\n  ")))
            }
            error => Failure::Failed(format!("{}: {error}", found.label())),
        })
    }

    fn data_dir(&self) -> Result<PathBuf, Failure> {
        let value = self.data_dir.clone();
        let flag = value.map(|value| Flag {
            key: "data_dir",
            value,
        });
        let sources = Sources::from_process(self.config.clone(), flag.into_iter().collect());
        Ok(config::data_dir(&sources)?)
    }
}

fn read(bundle: &Bundle) -> Result<Vec<Migration>, Failure> {
    read_migrations(&bundle.dir).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Failure::Failed(faults.join("\n  "))
    })
}

fn all_pending(migrations: &[Migration]) -> Vec<Status> {
    let pending = |migration: &Migration| Status::Pending {
        label: migration.label(),
    };
    migrations.iter().map(pending).collect()
}
