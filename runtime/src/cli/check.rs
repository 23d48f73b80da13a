//! `rookery check`: what a server would refuse, without serving.
//!
//! **Absent on purpose:** a judgement of its own. A bundle is opened as the catalog opens it, and its component is prepared
//! as the supervisor has it prepared.

mod inspect;

use std::path::PathBuf;
use std::process::ExitCode;

use rookery_bundle::{Bundle, BundleError, open};
use serde_json::json;

use super::Failure;
use super::build::roots;
use super::discover::{Found, discover};
use inspect::Inspector;

use crate::style::{BAD, DIM, GOOD, WARN, paint};
pub use inspect::is_of_a_served_kind;

const EXAMPLES: &str = "\
Examples:
  rookery check                     everything below apps/
  rookery check apps/chat/1.1.0     one bundle
  rookery check --json apps | jq    for scripts";

/// Arguments of `check`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Folders to search for bundles, or bundles [default: the apps folder]
    dirs: Vec<PathBuf>,
    /// Print the verdicts as JSON
    #[arg(long)]
    json: bool,
}

const MISNAMED: &str =
    "its folder is not named after an app: app/1.2.3, app@1.2.3 or app, each also below @scope";

/// What a server would say of one bundle.
#[derive(Debug)]
pub struct Verdict {
    /// `chat@1.0.0`.
    pub label: String,
    /// The bundle's folder.
    pub dir: PathBuf,
    /// Why it is refused; empty when it is not. A line each.
    pub faults: Vec<String>,
    /// What is accepted, but odd. A line each.
    pub warnings: Vec<String>,
}

/// Looks further than a bundle's files: whether what they hold can be run.
pub type Inspect<'a> = &'a dyn Fn(&Bundle) -> Result<(), String>;

/// Checks what the arguments name.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let found = discover(&roots(args.dirs)?)?;
    let inspector = Inspector::start()?;
    let inspect = |bundle: &Bundle| inspector.inspect(bundle);
    let verdicts: Vec<Verdict> = found.iter().map(|bundle| check(bundle, &inspect)).collect();
    let refused = verdicts
        .iter()
        .filter(|verdict| !verdict.faults.is_empty())
        .count();
    if args.json {
        super::print_json(&verdicts.iter().map(to_json).collect());
    } else {
        verdicts.iter().for_each(show);
        let accepted = verdicts.len() - refused;
        anstream::println!("{accepted} accepted, {refused} refused");
    }
    Ok(if refused == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Opens one bundle and inspects it.
pub fn check(found: &Found, inspect: Inspect<'_>) -> Verdict {
    let mut verdict = Verdict {
        label: found.label(),
        dir: found.dir.clone(),
        faults: Vec::new(),
        warnings: Vec::new(),
    };
    let Some(expect) = found.expect.clone() else {
        verdict.faults.push(MISNAMED.to_owned());
        return verdict;
    };
    match open(&found.dir, expect) {
        Ok(bundle) => {
            verdict.label = bundle.label();
            verdict.faults.extend(inspect(&bundle).err());
            verdict.warnings = bundle.warnings;
        }
        Err(BundleError::Invalid { file, faults }) => {
            verdict.faults = faults
                .iter()
                .map(|fault| format!("{file}: {fault}"))
                .collect();
        }
        Err(error) => verdict.faults.push(error.to_string()),
    }
    verdict
}

fn show(verdict: &Verdict) {
    let mark = if verdict.faults.is_empty() {
        paint(GOOD, "✓")
    } else {
        paint(BAD, "✗")
    };
    anstream::println!(
        "{mark} {} {}",
        verdict.label,
        paint(DIM, verdict.dir.display())
    );
    for fault in &verdict.faults {
        anstream::println!("    {} {}", paint(BAD, "error:"), indented(fault));
    }
    for warning in &verdict.warnings {
        anstream::println!("    {} {}", paint(WARN, "warning:"), indented(warning));
    }
}

fn indented(lines: &str) -> String {
    lines.replace('\n', "\n      ")
}

fn to_json(verdict: &Verdict) -> serde_json::Value {
    json!({
        "bundle": verdict.label,
        "dir": verdict.dir,
        "accepted": verdict.faults.is_empty(),
        "errors": verdict.faults,
        "warnings": verdict.warnings,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    fn verdict(manifest: &str, inspect: Inspect<'_>) -> Verdict {
        let root = tempfile::tempdir().unwrap();
        let bundle = root.path().join("chat/1.0.0");
        fs::create_dir_all(&bundle).unwrap();
        fs::write(bundle.join("worker.config.json"), manifest).unwrap();
        fs::write(bundle.join("index.html"), "hello").unwrap();
        check(&discover(&[bundle]).unwrap()[0], inspect)
    }

    #[test]
    fn every_fault_has_its_line() {
        let verdict = verdict(r#"{"timeout": "soon", "maxRequest": 5}"#, &|_| Ok(()));
        assert_eq!(verdict.faults.len(), 2, "{verdict:?}");
        assert!(
            verdict
                .faults
                .iter()
                .all(|fault| fault.starts_with("worker.config.json: ")),
            "{verdict:?}"
        );
    }

    #[test]
    fn an_inspection_can_refuse_what_is_valid_on_disk() {
        assert!(verdict("{}", &|_| Ok(())).faults.is_empty());
        assert_eq!(
            verdict("{}", &|_| Err("exports nothing".into())).faults,
            ["exports nothing"]
        );
    }
}
