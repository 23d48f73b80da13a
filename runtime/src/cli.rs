//! What a person types: one file a subcommand.
//!
//! **Invariant:** results go to standard output, everything else to standard error.
//! **Invariant:** an error that ends a command says what to do next.

mod server_args;

mod discover;

pub mod up;

pub mod dev;

pub mod serve;

pub mod new;

pub mod build;

pub mod check;

pub mod schema;

pub mod migrate;

mod remote;

mod safe;

pub mod deploy;

pub mod list;

pub mod remove;

mod rollout;

pub mod promote;

pub mod canary;

pub mod rollback;

pub mod tag;

pub mod top;

pub mod logs;

pub mod completions;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::config::ConfigErrors;
use crate::style::{BAD, HELP, paint};

/// The arguments or the configuration are wrong; nothing was begun. `EX_USAGE` of sysexits.h.
pub const EXIT_USAGE: u8 = 64;

const EXAMPLES: &str = "\
Examples:
  rookery new hello            make a first app in apps/hello/0.1.0
  rookery up                   build everything below apps/, serve it, rebuild on change
  rookery dev apps/hello/0.1.0 the same for one bundle
  rookery build apps           build for production
  rookery check apps           see what would be refused, without serving
  rookery serve --port 80      serve what is built
  rookery deploy apps/hello/0.1.0   put it up on a running server
  rookery canary hello@0.1.0   try it out on a part of everybody
  rookery top                  watch a running server

Exit codes:
  0    done
  1    it failed: a bundle does not build, is refused, or the server could not run
  64   the arguments or the configuration are wrong; nothing was begun
  130  interrupted";

/// Serves many versions of many realtime apps from one folder.
#[derive(Parser, Debug)]
#[command(name = "rookery", version, styles = HELP, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Build the bundles, serve them, and rebuild on change
    Up(up::Args),
    /// Build one bundle, serve it, and rebuild it on change
    Dev(dev::Args),
    /// Serve bundles that are built already
    Serve(serve::Args),
    /// Make a new app
    New(new::Args),
    /// Build bundles that have a Cargo.toml
    Build(build::Args),
    /// Say what would be refused, without serving
    Check(check::Args),
    /// Print the JSON Schema of worker.config.json
    Schema,
    /// Run a bundle's SQL migrations, take them back, or say how they stand
    Migrate(migrate::Args),
    /// Put bundles up on a running server
    Deploy(deploy::Args),
    /// Say what is deployed on a running server
    List(list::Args),
    /// Take a version down on a running server
    Remove(remove::Args),
    /// Send what asks for no version to one, or to several in shares
    Promote(promote::Args),
    /// Try a version out on a part of everybody, and take it back when it is bad
    Canary(canary::Args),
    /// Take a canary back, or the last change of shares
    Rollback(rollback::Args),
    /// Give a version a name that paths can ask for
    Tag(tag::Args),
    /// Watch a running server in the terminal
    Top(top::Args),
    /// Print a running server's log
    Logs(logs::Args),
    /// Print what makes a shell complete these commands
    Completions(completions::Args),
}

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The arguments are wrong.
    #[error("{0}")]
    Usage(String),
    /// It was tried, and failed.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Config(_) | Failure::Usage(_) => ExitCode::from(EXIT_USAGE),
            Failure::Failed(_) => ExitCode::FAILURE,
        }
    }
}

/// Runs what the arguments say.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let outcome = match cli.command {
        Command::Up(args) => up::execute(args),
        Command::Dev(args) => dev::execute(args),
        Command::Serve(args) => serve::execute(args),
        Command::New(args) => new::execute(args),
        Command::Build(args) => build::execute(args),
        Command::Check(args) => check::execute(args),
        Command::Schema => schema::execute(),
        Command::Migrate(args) => migrate::execute(args),
        Command::Deploy(args) => deploy::execute(args),
        Command::List(args) => list::execute(args),
        Command::Remove(args) => remove::execute(args),
        Command::Promote(args) => promote::execute(args),
        Command::Canary(args) => canary::execute(args),
        Command::Rollback(args) => rollback::execute(args),
        Command::Tag(args) => tag::execute(args),
        Command::Top(args) => top::execute(args),
        Command::Logs(args) => logs::execute(args),
        Command::Completions(args) => completions::execute(args, Cli::command()),
    };
    outcome.unwrap_or_else(|failure| {
        anstream::eprintln!("{} {failure}", paint(BAD, "error:"));
        failure.exit_code()
    })
}

/// Says what clap has to say.
fn refuse(error: &clap::Error) -> ExitCode {
    // Nothing can be done when not even this can be written.
    let _ = error.print();
    ExitCode::from(exit_of(error))
}

/// Help and version are answers; anything else is a mistake in the arguments.
fn exit_of(error: &clap::Error) -> u8 {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => 0,
        _ => EXIT_USAGE,
    }
}

/// Prints a result for a program to read.
fn print_json(value: &serde_json::Value) {
    println!("{value:#}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_arguments_are_told_from_questions() {
        let exit = |args: &[&str]| Cli::try_parse_from(args).err().map(|error| exit_of(&error));
        assert_eq!(exit(&["rookery", "fly"]), Some(EXIT_USAGE));
        assert_eq!(exit(&["rookery"]), Some(EXIT_USAGE));
        assert_eq!(exit(&["rookery", "serve", "--loud"]), Some(EXIT_USAGE));
        assert_eq!(exit(&["rookery", "--version"]), Some(0));
        assert_eq!(exit(&["rookery", "up", "--help"]), Some(0));
        assert_eq!(
            exit(&["rookery", "up", "--port", "http"]),
            None,
            "judged with all the other settings"
        );
    }
}
