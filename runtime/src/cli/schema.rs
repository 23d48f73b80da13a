//! `rookery schema`: the JSON Schema of `worker.config.json`, for editors.

use std::process::ExitCode;

use super::Failure;

/// Prints it.
pub fn execute() -> Result<ExitCode, Failure> {
    super::print_json(&rookery_bundle::schema());
    Ok(ExitCode::SUCCESS)
}
