//! What cargo knows of the workspace.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// The workspace's own packages and what they name as dependencies.
pub fn workspace() -> Metadata {
    let mut command = MetadataCommand::new();
    command
        .manifest_path(crate::files::repository().join("Cargo.toml"))
        .no_deps();
    command.exec().unwrap()
}

/// Who uses whom: every dependency of every package, by name. Dev-dependencies are told apart: tests may reach where
/// the code may not.
pub fn arrows(metadata: &Metadata) -> Vec<Arrow> {
    let arrows_of = |package: &Package| {
        let from = package.name.to_string();
        let dependencies = package.dependencies.iter();
        let arrows = dependencies.map(move |dependency| Arrow {
            from: from.clone(),
            to: dependency.name.clone(),
            for_tests: dependency.kind == DependencyKind::Development,
        });
        arrows.collect::<Vec<_>>()
    };
    metadata.packages.iter().flat_map(arrows_of).collect()
}

/// One package uses another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    pub from: String,
    pub to: String,
    pub for_tests: bool,
}
