//! `rookery new`: the first version of an app, ready for `up`.
//!
//! **Invariant:** nothing that exists is written over, and a server that watches never sees half of it: the bundle is
//! made under another name and renamed.

mod sdk;

mod template;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use rookery_bundle::AppName;

use super::Failure;
use crate::style::{DIM, GOOD, KEY, WARN, paint};

pub use sdk::refresh as refresh_sdk;

/// The version that a new app begins with.
const FIRST_VERSION: &str = "0.1.0";

const EXAMPLES: &str = "\
Examples:
  rookery new hello                     a Rust app, compiled to a wasm component
  rookery new site --kind static        files, served by the host
  rookery new @acme/api --kind typescript --dir bundles";

/// Arguments of `new`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The app's name: hello, or @scope/hello
    name: String,
    /// What it is made of
    #[arg(long, value_enum, default_value_t = Kind::Wasm)]
    kind: Kind,
    /// The apps folder
    #[arg(long, default_value = "apps")]
    dir: PathBuf,
}

/// What a bundle is made of.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Rust with the SDK
    Wasm,
    /// Pages and other files
    Static,
    /// A script that Bun runs
    Typescript,
}

/// Makes the bundle, and says how to go on.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let name =
        AppName::parse(&args.name).map_err(|error| Failure::Usage(format!("NAME {error}")))?;
    let bundle = create(&name, args.kind, &args.dir)?;
    anstream::println!("{} {}", paint(GOOD, "made"), bundle.display());
    match args.kind {
        Kind::Typescript => anstream::println!(
            "\n{} this server runs no processes yet and will refuse it; one that does will serve it as it is",
            paint(WARN, "note:")
        ),
        Kind::Wasm | Kind::Static => say_next(&args, &name, &bundle),
    }
    Ok(ExitCode::SUCCESS)
}

fn say_next(args: &Args, name: &AppName, bundle: &Path) {
    let step = |command: String, what: String| {
        anstream::println!("  {}  {}", paint(KEY, command), paint(DIM, what));
    };
    anstream::println!("\nNext:");
    if args.kind == Kind::Wasm {
        let manifest = bundle.join("Cargo.toml");
        let command = format!("cargo test --manifest-path {}", manifest.display());
        step(command, "test it without a server".to_owned());
    }
    let apps = match args.dir == Path::new("apps") {
        true => String::new(),
        false => format!(" --apps-dir {}", args.dir.display()),
    };
    let serves = format!("build it, and serve it at /{name}/");
    step(format!("rookery up{apps}"), serves);
}

/// Makes `DIR/NAME/0.1.0`, and gives its path as it would be typed.
pub fn create(name: &AppName, kind: Kind, apps_dir: &Path) -> Result<PathBuf, Failure> {
    let app_dir = apps_dir.join(name.as_str());
    let bundle = app_dir.join(FIRST_VERSION);
    if bundle.symlink_metadata().is_ok() {
        return Err(Failure::Failed(format!(
            "{} is there already; a new version is a copy of it under a higher number",
            bundle.display()
        )));
    }
    let failed =
        |error: io::Error| Failure::Failed(format!("{} cannot be made: {error}", bundle.display()));
    fs::create_dir_all(&app_dir).map_err(failed)?;
    let sdk = match kind {
        Kind::Wasm => sdk::provide(apps_dir, &bundle).map_err(failed)?,
        Kind::Static | Kind::Typescript => String::new(),
    };
    let staged = app_dir.join(format!(".{FIRST_VERSION}.{}.tmp", std::process::id()));
    let made = template::write(kind, &staged, &template::Words { name, sdk: &sdk });
    let made = made.and_then(|()| fs::rename(&staged, &bundle));
    if made.is_err() {
        // Half a bundle is of no use; that it cannot be removed either is not worth a second error.
        let _ = fs::remove_dir_all(&staged);
    }
    made.map_err(failed)?;
    Ok(bundle)
}

#[cfg(test)]
mod tests;
