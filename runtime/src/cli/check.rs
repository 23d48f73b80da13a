//! `rookery check`: what a server would refuse, without serving.
//!
//! **Absent on purpose:** a judgement of its own. A bundle is opened as the catalog opens it, and its component is prepared
//! as the supervisor has it prepared.

mod inspect;

mod rules;

mod explain;

use std::path::PathBuf;
use std::process::ExitCode;

use rookery_bundle::{Bundle, BundleError, open};
use serde_json::json;

use super::Failure;
use super::build::roots;
use super::discover::{Found, discover};
use explain::Explained;
use inspect::Inspector;
use rules::Unset;

use crate::style::{BAD, DIM, GOOD, WARN, paint};

const EXAMPLES: &str = "\
Examples:
  rookery check                     everything below apps/
  rookery check apps/chat/1.1.0     one bundle
  rookery check --explain /api/users apps/shop/2.0.0
                                    which proxy rule that path is for
  rookery check --json apps | jq    for scripts";

/// Arguments of `check`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Folders to search for bundles, or bundles [default: the apps folder]
    dirs: Vec<PathBuf>,
    /// Say which proxy rule a path is for, and what it would send: the path below the app, also with a query
    #[arg(long, value_name = "PATH")]
    explain: Option<String>,
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
    let reports: Vec<Report> = found
        .iter()
        .map(|bundle| report(bundle, &inspect, args.explain.as_deref()))
        .collect();
    let refused = reports
        .iter()
        .filter(|report| !report.verdict.faults.is_empty())
        .count();
    if args.json {
        super::print_json(&reports.iter().map(to_json).collect());
    } else {
        reports.iter().for_each(show);
        let accepted = reports.len() - refused;
        anstream::println!("{accepted} accepted, {refused} refused");
    }
    Ok(if refused == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A verdict, and what was asked beside it.
struct Report {
    verdict: Verdict,
    explained: Option<Explained>,
}

fn report(found: &Found, inspect: Inspect<'_>, path: Option<&str>) -> Report {
    // Without its variables there is nothing to explain, and that is what was asked for.
    let unset = match path {
        Some(_) => Unset::Refused,
        None => Unset::Warned,
    };
    let (verdict, bundle) = opened(found, inspect, unset);
    let explained = path.zip(bundle).and_then(|(path, bundle)| {
        let rules = rules::compiled(&bundle).ok()?;
        Some(Explained::of(&rules, path))
    });
    Report { verdict, explained }
}

/// Opens one bundle and inspects it.
pub fn check(found: &Found, inspect: Inspect<'_>) -> Verdict {
    opened(found, inspect, Unset::Warned).0
}

fn opened(found: &Found, inspect: Inspect<'_>, unset: Unset) -> (Verdict, Option<Bundle>) {
    let mut verdict = Verdict {
        label: found.label(),
        dir: found.dir.clone(),
        faults: Vec::new(),
        warnings: Vec::new(),
    };
    let Some(expect) = found.expect.clone() else {
        verdict.faults.push(MISNAMED.to_owned());
        return (verdict, None);
    };
    match open(&found.dir, expect) {
        Ok(bundle) => {
            verdict.label = bundle.label();
            verdict.faults.extend(inspect(&bundle).err());
            verdict.warnings.clone_from(&bundle.warnings);
            rules::judge(&bundle, unset, &mut verdict);
            return (verdict, Some(bundle));
        }
        Err(BundleError::Invalid { file, faults }) => {
            verdict.faults = faults
                .iter()
                .map(|fault| format!("{file}: {fault}"))
                .collect();
        }
        Err(error) => verdict.faults.push(error.to_string()),
    }
    (verdict, None)
}

fn show(report: &Report) {
    let verdict = &report.verdict;
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
    for line in report.explained.iter().flat_map(Explained::lines) {
        anstream::println!("    {line}");
    }
}

fn indented(lines: &str) -> String {
    lines.replace('\n', "\n      ")
}

fn to_json(report: &Report) -> serde_json::Value {
    let verdict = &report.verdict;
    let mut json = json!({
        "bundle": verdict.label,
        "dir": verdict.dir,
        "accepted": verdict.faults.is_empty(),
        "errors": verdict.faults,
        "warnings": verdict.warnings,
    });
    if let Some(explained) = &report.explained {
        json["explained"] = explained.to_json();
    }
    json
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

    const NO_INSPECTION: Inspect<'_> = &|_| Ok(());

    #[test]
    fn a_rule_needs_its_variables_granted_here_and_set_where_it_is_served() {
        let rule = r#""proxy": {"^/": {"target": "http://${SHOP_API_NOT_SET}"}}"#;
        let ungranted = verdict(&format!("{{{rule}}}"), NO_INSPECTION);
        assert_eq!(
            ungranted.faults,
            [r#"proxy["^/"].target: uses ${SHOP_API_NOT_SET}, which grants.env does not list"#]
        );
        let granted = format!(r#"{{{rule}, "grants": {{"env": ["SHOP_API_NOT_SET"]}}}}"#);
        let unset = verdict(&granted, NO_INSPECTION);
        assert!(unset.faults.is_empty(), "{unset:?}");
        assert!(
            unset
                .warnings
                .iter()
                .any(|warning| warning.contains("${SHOP_API_NOT_SET}, which is not set")),
            "{unset:?}"
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
