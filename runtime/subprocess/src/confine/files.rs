//! The wall around files, which Landlock builds.

use std::error::Error;
use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope,
};

use super::Strict;

/// Linux 6.2: the first that also walls in renaming across folders and truncating.
const LEAST: ABI = ABI::V3;

/// What programs read to find their libraries, names and times, and nothing that is secret.
const SYSTEM_READ: [&str; 20] = [
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr",
    "/opt",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/ssl",
    "/etc/ca-certificates",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/localtime",
    "/etc/passwd",
    "/etc/group",
    "/etc/mime.types",
    "/proc",
    "/sys/fs/cgroup",
];

/// Devices that are no door to anything.
const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// Leaves this process, and all that it becomes and starts, only what is named.
pub(super) fn restrict(strict: &Strict) -> Result<(), String> {
    build(strict).map_err(|error| {
        format!("isolation \"strict\" needs Landlock, as Linux has it since 6.2: {error}")
    })
}

fn build(strict: &Strict) -> Result<(), Box<dyn Error>> {
    let (all, read) = (AccessFs::from_all(LEAST), AccessFs::from_read(LEAST));
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(all)?
        // Newer kernels can do more.
        .set_compatibility(CompatLevel::BestEffort)
        .scope(Scope::AbstractUnixSocket)?
        .scope(Scope::Signal)?
        .create()?;
    let system = SYSTEM_READ.iter().map(PathBuf::from);
    for path in system.chain(strict.read.iter().cloned()) {
        if let Ok(opened) = PathFd::new(&path) {
            ruleset = ruleset.add_rule(PathBeneath::new(opened, read))?;
        }
    }
    for path in &strict.write {
        ruleset = ruleset.add_rule(PathBeneath::new(PathFd::new(path)?, all))?;
    }
    let device = AccessFs::ReadFile | AccessFs::WriteFile;
    for path in DEVICES {
        if let Ok(opened) = PathFd::new(path) {
            ruleset = ruleset.add_rule(PathBeneath::new(opened, device))?;
        }
    }
    ruleset.restrict_self()?;
    Ok(())
}
