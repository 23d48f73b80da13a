//! `rookery deploy`: packs a bundle, sends it to a running server, and says what became of it.
//!
//! **Invariant:** a bundle that this program can tell to be wrong is not sent.

mod steps;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use http::Method;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use rookery_bundle::{Bundle, Expect, archive};
use rookery_upstream::{Body, BodyError};
use serde_json::{Value, json};

use super::Failure;
use super::discover::{Found, discover};
use super::remote::{Remote, RemoteArgs, asking};
use super::safe;
use crate::progress::{Progress, Sending};
use crate::style::{BAD, DIM, GOOD, KEY, WARN, paint};

const EXAMPLES: &str = "\
Examples:
  rookery deploy apps/chat/1.1.0
  rookery deploy apps                         every bundle below it
  ROOKERY_ADMIN_TOKEN=… rookery deploy apps/chat/1.1.0 --server https://rookery.example
  rookery deploy apps/chat/1.1.0 --replace    in the place of another build of this version";

/// How much is sent at once.
const PIECE_BYTES: usize = 64 << 10;

/// Arguments of `deploy`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Bundles, or folders of bundles
    #[arg(required = true)]
    dirs: Vec<PathBuf>,
    /// Put it in the place of another build of the same version
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// What became of a bundle.
struct Outcome {
    label: String,
    took: Duration,
    /// How far it came on the server.
    steps: Vec<Value>,
    /// What the server says; or why it was not asked, or would not have it.
    end: End,
}

type End = Result<Value, Vec<String>>;

/// Deploys what the arguments name.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let found = discover(&args.dirs)?;
    let progress = if args.remote.json {
        Progress::quiet()
    } else {
        Progress::auto()
    };
    let outcomes = asking(&args.remote, async |remote| {
        // Whoever may not deploy learns it before much is sent: a refusal in the middle of an upload is easily lost.
        // This is answered to who may deploy, and to nobody else.
        remote
            .ask(Method::GET, "/_/deployments/list")
            .await?
            .done()?;
        let mut outcomes = Vec::new();
        for bundle in &found {
            let outcome = deploy(bundle, args.replace, &remote, &progress).await?;
            if !args.remote.json {
                show(&outcome, &remote);
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    })?;
    if args.remote.json {
        super::print_json(&outcomes.iter().map(to_json).collect());
    }
    let has_failed = outcomes.iter().any(|outcome| outcome.end.is_err());
    Ok(if has_failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// One bundle, as far as it comes. Only what would fail for the others, too, is an error.
async fn deploy(
    found: &Found,
    replace: bool,
    remote: &Remote,
    progress: &Progress,
) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let mut steps = Vec::new();
    let (label, end) = match ready(found, progress) {
        Ok(ready) => {
            let label = ready.label.clone();
            let end = send(ready, replace, remote, progress, &mut steps).await?;
            (label, end)
        }
        Err((label, reasons)) => (label, Err(reasons)),
    };
    Ok(Outcome {
        label,
        took: begun.elapsed(),
        steps,
        end,
    })
}

/// A bundle as it is sent.
struct Ready {
    label: String,
    path: String,
    file: File,
    length: u64,
}

/// Opens and packs it; or says whose it is, and what is wrong with it.
fn ready(found: &Found, progress: &Progress) -> Result<Ready, (String, Vec<String>)> {
    let bundle = open(found).map_err(|reasons| (found.label(), reasons))?;
    let label = bundle.label();
    let step = progress.step(&label, "packing");
    let packed = pack(&bundle);
    drop(step);
    let (file, length) = packed.map_err(|reason| (label.clone(), vec![reason]))?;
    let path = format!("/_/deployments/{}/{}", bundle.name, bundle.version);
    Ok(Ready {
        label,
        path,
        file,
        length,
    })
}

/// Sends it, and shows each step that the server tells.
async fn send(
    ready: Ready,
    replace: bool,
    remote: &Remote,
    progress: &Progress,
    steps: &mut Vec<Value>,
) -> Result<End, Failure> {
    let query = if replace { "?replace=true" } else { "" };
    let path = format!("{}{query}", ready.path);
    let sending = progress.sending(&ready.label, ready.length);
    let mut moving = None;
    let hear = |step: Value| {
        // The bar of the upload is gone when the first step comes.
        let moving = moving.get_or_insert_with(|| progress.waiting(&ready.label));
        if let Some(words) = steps::words(&step) {
            progress.remark(&format!("  {} {words}", paint(GOOD, "✓")));
        }
        moving.at(steps::next(&step));
        steps.push(step);
    };
    let body = pieces(ready.file, sending);
    let answer = remote.send_told(&path, ready.length, body, hear).await?;
    drop(moving);
    Ok(if answer.status.is_success() {
        Ok(answer.body)
    } else if answer.body["code"] == "VERSION_EXISTS" {
        let reason = "this version is deployed with other content: give it another version, or use --replace";
        Err(vec![reason.to_owned()])
    } else {
        Err(answer.reasons())
    })
}

fn open(found: &Found) -> Result<Bundle, Vec<String>> {
    let Some(Expect { name, version }) = found.expect.clone() else {
        let reason = "its folder is not named after an app: app/1.2.3, app@1.2.3 or app, each also below @scope";
        return Err(vec![reason.to_owned()]);
    };
    let bundle = rookery_bundle::open(&found.dir, Expect { name, version });
    bundle.map_err(|error| vec![error.to_string()])
}

/// The archive, in a file without a name, and its length.
fn pack(bundle: &Bundle) -> Result<(File, u64), String> {
    let mut file = tempfile::tempfile().map_err(|error| format!("no temporary file: {error}"))?;
    archive::pack(&bundle.dir, io::BufWriter::new(&file)).map_err(|error| error.to_string())?;
    let length = file.seek(SeekFrom::End(0));
    let length = length.and_then(|length| file.rewind().map(|()| length));
    let length = length.map_err(|error| format!("the temporary file: {error}"))?;
    Ok((file, length))
}

/// Reads on this thread: nothing else waits for it, and the file is in the system's cache.
fn pieces(file: File, sending: Sending) -> Body {
    let pieces = stream::try_unfold((file, sending), async |(mut file, sending)| {
        let mut piece = vec![0; PIECE_BYTES];
        let read = file.read(&mut piece)?;
        piece.truncate(read);
        sending.sent(read as u64);
        let next = (read > 0).then(|| (Frame::data(Bytes::from(piece)), (file, sending)));
        Ok::<_, BodyError>(next)
    });
    StreamBody::new(pieces).boxed_unsync()
}

fn show(outcome: &Outcome, remote: &Remote) {
    let label = &outcome.label;
    let told = match &outcome.end {
        Ok(told) => told,
        Err(reasons) => {
            let reasons = indented(reasons);
            anstream::eprintln!("{} {label}\n  {reasons}", paint(BAD, "✗"));
            return;
        }
    };
    let warnings = told["warnings"].as_array();
    for warning in warnings.into_iter().flatten().filter_map(Value::as_str) {
        let warning = safe::line(warning);
        anstream::eprintln!("{} {label}: {warning}", paint(WARN, "warning:"));
    }
    let state = told["state"].as_str().unwrap_or_default();
    let port = told["port"].as_u64().and_then(|port| port.try_into().ok());
    let path = told["address"].as_str().unwrap_or_default();
    let address = remote.app_address(path, port);
    let took = format!("{:.1} s", outcome.took.as_secs_f64());
    anstream::println!(
        "{} {label} {state} at {} {}",
        paint(GOOD, "✓"),
        paint(KEY, address),
        paint(DIM, took)
    );
}

/// Reasons below a headline. They quote manifests and what guests say.
fn indented(reasons: &[String]) -> String {
    safe::lines(&reasons.join("\n")).replace('\n', "\n  ")
}

fn to_json(outcome: &Outcome) -> Value {
    let mut shown = match &outcome.end {
        Ok(told) => told.clone(),
        Err(reasons) => {
            json!({ "label": outcome.label, "state": "refused", "reasons": reasons })
        }
    };
    shown["steps"] = outcome.steps.as_slice().into();
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_shown_in_its_lines_and_moves_no_cursor() {
        let reasons = ["one\nof two\u{1b}[2J".to_owned(), "three\r".to_owned()];
        let shown = "one\n  of two\u{fffd}[2J\n  three\u{fffd}";
        assert_eq!(indented(&reasons), shown);
    }
}
