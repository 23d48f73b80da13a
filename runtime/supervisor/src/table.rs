//! The table that requests are resolved with, made of what is live.

use std::sync::Arc;

use rookery_routing::{Fallback, Selector, Table};
use semver::Version;

use crate::config::Prerelease;
use crate::revision::Revision;
use crate::rollout::InForce;
use crate::tags::Tags;

/// Makes the table of what is live.
pub fn build<'a>(
    live: impl IntoIterator<Item = &'a Arc<Revision>>,
    tags: &Tags,
    rollouts: &[InForce],
    prerelease: Prerelease,
) -> Table<Arc<Revision>> {
    let mut table = Table::builder();
    for revision in live {
        let app = revision.bundle.name.as_str();
        let version = revision.bundle.version.clone();
        table.insert(app, version, Arc::clone(revision));
        if prerelease == Prerelease::Equal {
            table.prefer_prerelease(app);
        }
    }
    for ((app, tag), version) in tags {
        table.tag(app.as_str(), tag, version.clone());
    }
    for rollout in rollouts {
        let app = rollout.app.as_str();
        table.roll(app, rollout.weights.clone(), rollout.sessions);
        if let Some((version, without)) = &rollout.tried {
            table.try_out(app, version.clone(), without.clone());
        }
    }
    table.build()
}

/// The version that an app's unpinned path gets.
pub fn unpinned<'a>(table: &'a Table<Arc<Revision>>, app: &str) -> Option<&'a Version> {
    let resolved = table.resolve(app, &Selector::None, Fallback::None)?;
    Some(resolved.version)
}
