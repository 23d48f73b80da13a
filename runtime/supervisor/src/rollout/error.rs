//! Why a rollout was not changed, or not for good.

use rookery_routing::WeightsError;
use semver::Version;

/// Why a rollout was not changed. What was in force still is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RolloutError {
    /// Nothing of this app serves.
    #[error("there is no app {app} that serves")]
    NoSuchApp {
        /// Its name.
        app: String,
    },
    /// The version does not serve, so nothing can be sent to it.
    #[error("{app}@{version} does not serve; what does: {}", listed(.serving))]
    NoSuchVersion {
        /// The app.
        app: String,
        /// The version.
        version: Version,
        /// Those that do, the highest first.
        serving: Vec<Version>,
    },
    /// Neither a canary runs nor was a version named.
    #[error("{app} has no canary to promote; name a version")]
    NothingToPromote {
        /// The app.
        app: String,
    },
    /// Neither a canary runs nor is anything known of before.
    #[error("{app} has nothing to go back to; promote a version instead")]
    NothingBefore {
        /// The app.
        app: String,
    },
    /// There is no other version that a canary could be compared with.
    #[error("{app}@{version} is the only version that serves, so it can be no canary")]
    NoStable {
        /// The app.
        app: String,
        /// The version.
        version: Version,
    },
    /// Another canary runs.
    #[error("{app}@{version} is a canary already; promote it or roll it back first")]
    CanaryRuns {
        /// The app.
        app: String,
        /// The version that is judged.
        version: Version,
    },
    /// Not the name of a tag.
    #[error(
        "`{name}` is no tag: a letter, then letters, digits, `.`, `_` and `-`, and nothing that is a version or a range"
    )]
    TagName {
        /// As it came.
        name: String,
    },
    /// There is no such tag in the rollout's file.
    #[error("{app} has no tag `{name}` that was set by a command")]
    NoSuchTag {
        /// The app.
        app: String,
        /// The tag.
        name: String,
    },
    /// A field that is out of its bounds.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which one, as the file has it.
        field: &'static str,
        /// Why.
        reason: String,
    },
    /// Weights that are none.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The bundles are served from where they lie, so there is no place for a rollout's file.
    #[error("rollouts are kept in the apps directory, and this server has none")]
    NoPlace,
    /// The file was edited by hand a moment ago, and that counts.
    #[error("{file} was changed by somebody else a moment ago; look at it and try again")]
    ChangedMeanwhile {
        /// Its name.
        file: String,
    },
    /// The file could not be written. The change is in force; the file is tried again.
    #[error(
        "{file} could not be written, so this is in force only until the server restarts: {reason}"
    )]
    NotWritten {
        /// Its name.
        file: String,
        /// Why.
        reason: String,
    },
    /// Too many changes are under way.
    #[error("too many changes of rollouts are under way")]
    Busy,
    /// The server is going down.
    #[error("the server is shutting down")]
    Stopped,
}

fn listed(versions: &[Version]) -> String {
    if versions.is_empty() {
        return "nothing".to_owned();
    }
    let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
    versions.join(", ")
}
