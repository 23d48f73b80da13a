//! `rookery completions`: what makes a shell complete our commands.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap_complete::Shell;

use super::Failure;

const EXAMPLES: &str = "\
Examples:
  rookery completions bash > /etc/bash_completion.d/rookery
  rookery completions zsh > ~/.zfunc/_rookery        (with ~/.zfunc in fpath)
  rookery completions fish > ~/.config/fish/completions/rookery.fish";

/// Arguments of `completions`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which shell's
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub fn execute(args: Args, mut command: clap::Command) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "rookery", &mut script);
    // A reader that has seen enough is no failure.
    let _ = io::stdout().write_all(&script);
    Ok(ExitCode::SUCCESS)
}
