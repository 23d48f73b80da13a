//! `rookery build`: every bundle with a `Cargo.toml` becomes a component where its manifest expects one.
//!
//! The way of a bundle: `discover` → `plan` (which cargo workspace it belongs to) → `target` (is there a compiler for
//! it) → `cargo` → `install`.
//!
//! **Invariant:** a bundle that fails stops no other.
//! **Absent on purpose:** deciding what is up to date. Cargo knows.

mod plan;

mod environment;

mod target;

mod cargo;

mod install;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::json;

use super::discover::{Found, discover};
use super::{Failure, new};
use crate::config::{self, Sources};
use crate::progress::Progress;
use crate::style::{BAD, DIM, GOOD, paint};

use plan::{Plan, plan};

const EXAMPLES: &str = "\
Examples:
  rookery build                     everything below apps/
  rookery build apps/chat/1.1.0     one bundle
  rookery build --json apps | jq    for scripts";

/// Arguments of `build`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Folders to search for bundles, or bundles [default: the apps folder]
    dirs: Vec<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
    /// Print nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

/// What became of one bundle.
#[derive(Debug)]
pub struct Outcome {
    /// `chat@1.0.0`.
    pub label: String,
    /// The bundle's folder.
    pub dir: PathBuf,
    /// The folders whose change makes it stale.
    pub sources: Vec<PathBuf>,
    /// How it ended.
    pub end: End,
}

/// How building a bundle ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// A new component is in place.
    Built,
    /// The component that was there is what the source makes.
    UpToDate,
    /// Cargo's or our own words for what is wrong. What was there is still there.
    Failed(String),
}

/// Builds what the arguments name.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let progress = if args.quiet || args.json {
        Progress::quiet()
    } else {
        Progress::auto()
    };
    let found = discover(&roots(args.dirs)?)?;
    let begun = Instant::now();
    let outcomes = build(&found, &progress);
    let has_failed = outcomes.iter().any(|outcome| is_failure(&outcome.end));
    if args.json {
        super::print_json(&outcomes.iter().map(to_json).collect());
    } else if !args.quiet || has_failed {
        summarise(&outcomes, begun);
    }
    Ok(if has_failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The folders that were named, else the apps folder of the configuration.
pub(super) fn roots(dirs: Vec<PathBuf>) -> Result<Vec<PathBuf>, Failure> {
    if !dirs.is_empty() {
        return Ok(dirs);
    }
    Ok(vec![config::apps_dir(&Sources::from_process(
        None,
        Vec::new(),
    ))?])
}

/// Builds those of the bundles that have something to build, and shows how it goes.
pub fn build(found: &[Found], progress: &Progress) -> Vec<Outcome> {
    for bundle in found {
        // A bundle that was made by another version of this program gets the SDK that fits this one.
        if let Err(error) = new::refresh_sdk(&bundle.dir) {
            progress.failed(bundle.label(), error);
        }
    }
    let Plan {
        workspaces,
        refused,
    } = plan(found);
    let mut outcomes: Vec<Outcome> = refused
        .into_iter()
        .map(|(bundle, reason)| {
            conclude(
                progress,
                &bundle,
                vec![bundle.dir.clone()],
                End::Failed(reason),
            )
        })
        .collect();
    for workspace in &workspaces {
        outcomes.extend(build_workspace(workspace, progress));
    }
    outcomes
}

fn build_workspace(workspace: &plan::Workspace, progress: &Progress) -> Vec<Outcome> {
    let step = progress.step(workspace.label(), "building");
    let built =
        target::ensure(&workspace.root, &step).and_then(|()| cargo::build(workspace, &step));
    let built = built.unwrap_or_else(|reason| {
        workspace
            .crates
            .iter()
            .map(|_| Err(reason.clone()))
            .collect()
    });
    drop(step);
    let one = |(from, built): (&plan::Crate, cargo::Built)| {
        let installed = built.and_then(|component| {
            let end = install::install(&component.path, &from.entry)?;
            if end == End::Built {
                progress.remark(component.warnings.trim_end());
            }
            Ok(end)
        });
        conclude(
            progress,
            &from.found,
            from.sources.clone(),
            installed.unwrap_or_else(End::Failed),
        )
    };
    workspace.crates.iter().zip(built).map(one).collect()
}

/// Shows how a bundle ended.
fn conclude(progress: &Progress, bundle: &Found, sources: Vec<PathBuf>, end: End) -> Outcome {
    match &end {
        End::Built => progress.done(bundle.label(), "built"),
        End::UpToDate => progress.done(bundle.label(), "is up to date"),
        End::Failed(reason) => progress.failed(
            bundle.label(),
            format_args!("does not build\n{}", reason.trim_end()),
        ),
    }
    Outcome {
        label: bundle.label(),
        dir: bundle.dir.clone(),
        sources,
        end,
    }
}

fn summarise(outcomes: &[Outcome], begun: Instant) {
    if outcomes.is_empty() {
        anstream::eprintln!("nothing to build: no bundle here has a Cargo.toml");
        return;
    }
    let count = |is_such: fn(&End) -> bool| {
        outcomes
            .iter()
            .filter(|outcome| is_such(&outcome.end))
            .count()
    };
    let (built, failed) = (count(|end| *end == End::Built), count(is_failure));
    anstream::eprintln!(
        "{} {built} built, {} up to date, {failed} failed {}",
        if failed == 0 {
            paint(GOOD, "done:")
        } else {
            paint(BAD, "failed:")
        },
        outcomes.len() - built - failed,
        paint(
            DIM,
            format_args!("in {:.1} s", begun.elapsed().as_secs_f32())
        ),
    );
}

fn is_failure(end: &End) -> bool {
    matches!(end, End::Failed(_))
}

fn to_json(outcome: &Outcome) -> serde_json::Value {
    let (status, error) = match &outcome.end {
        End::Built => ("built", None),
        End::UpToDate => ("up-to-date", None),
        End::Failed(reason) => (
            "failed",
            Some(anstream::adapter::strip_str(reason).to_string()),
        ),
    };
    json!({ "bundle": outcome.label, "dir": outcome.dir, "status": status, "error": error })
}
