//! Putting a version up, and taking one down.
//!
//! An archive is written to the staging folder, unpacked there, opened as the catalog opens it and prepared as the
//! supervisor prepares it. Only then is it moved to its place by one rename.
//!
//! **Invariant:** what is refused leaves nothing behind, and what serves goes on serving.
//! **Invariant:** of two deploys of one version, one is published and the other finds it there.

mod steps;

mod publish;

mod remove;

mod same;

mod take;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;
use rookery_bundle::{AppName, Bundle, Digest, Kind, parse_version};
use rookery_pool::{Body, Watch};
use rookery_supervisor::rollout::{Change, RolloutError, RolloutStatus};
use semver::Version;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::audit::Audit;
use crate::body::Incoming;
use crate::folder::{Folder, blocking};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::respond;
use crate::turns::Turns;

pub(crate) use steps::Steps;

/// How long a bundle may take to be prepared before it is published.
pub const PREPARE_DEADLINE: Duration = Duration::from_secs(120);
/// How long a deploy waits for what it published to be live.
pub const LIVE_DEADLINE: Duration = Duration::from_secs(30);

/// What the rest of the server does for a deploy.
#[async_trait::async_trait]
pub trait Stage: Send + Sync + 'static {
    /// Does for a bundle what is done before it serves, tells how far it came, and lets go of it again.
    ///
    /// # Errors
    /// Why it could not serve.
    async fn rehearse(&self, bundle: Arc<Bundle>, watch: Arc<dyn Watch>) -> Result<(), String>;

    /// Looks at the apps directory, and waits until this build is live or refused.
    async fn live(&self, label: &Label, digest: Digest) -> Fate;

    /// Looks at the apps directory, and waits until nothing of this version serves new requests.
    async fn gone(&self, label: &Label);

    /// What a version is used for now, each in a few words. Nothing when it can go.
    fn uses(&self, label: &Label) -> Vec<String>;

    /// Where a version lies, relative to the apps directory, when that is known.
    fn folder(&self, label: &Label) -> Option<String>;

    /// How an app's requests are spread; none where nobody said anything about that.
    fn rollout(&self, app: &AppName) -> Option<RolloutStatus>;

    /// Changes that, and says how it is now.
    ///
    /// # Errors
    /// Why it stays as it is.
    async fn roll(&self, app: &AppName, change: Change) -> Result<RolloutStatus, RolloutError>;

    /// The port where the apps are, when it is not the one where this is asked.
    fn apps_port(&self) -> Option<u16> {
        None
    }
}

/// What became of a build that was published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It serves.
    Live,
    /// It does not, for this reason.
    Refused(String),
}

/// One version of one app.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The app.
    pub app: AppName,
    /// The version.
    pub version: Version,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.app, self.version)
    }
}

impl Label {
    /// Reads what stands behind `/_/deployments/`: `app/1.2.3` or `@scope/app/1.2.3`, percent-encoded.
    pub(crate) fn parse(path: &str) -> Option<Label> {
        let path = percent_decode_str(path).decode_utf8().ok()?;
        let (app, version) = path.rsplit_once('/')?;
        Some(Label {
            app: AppName::parse(app).ok()?,
            version: parse_version(version)?,
        })
    }
}

/// Puts versions up and takes them down.
pub(crate) struct Deploys {
    pub(crate) stage: Arc<dyn Stage>,
    /// Held from the look at what is there to the rename.
    publishing: Arc<Mutex<()>>,
}

/// What becomes of a version that is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Used {
    /// It stays.
    Kept,
    /// It goes, and finishes what it began.
    Removed,
}

/// What becomes of a version that is there with other content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Existing {
    /// It stays as it is.
    Kept,
    /// It gives way.
    Replaced,
}

impl Deploys {
    /// The port where the apps are, when it is not the one where this is asked.
    pub fn apps_port(&self) -> Option<u16> {
        self.stage.apps_port()
    }

    pub fn new(stage: Arc<dyn Stage>) -> Deploys {
        Deploys {
            stage,
            publishing: Arc::default(),
        }
    }

    /// Answers `DELETE` of a version.
    pub async fn take_down(
        &self,
        label: &Label,
        folder: Arc<Folder>,
        query: &Query,
    ) -> Result<Response<Body>, Refusal> {
        let used = if query.wishes("force") {
            Used::Removed
        } else {
            Used::Kept
        };
        self.remove(folder, label, used).await?;
        Ok(respond::json(
            &json!({ "label": label.to_string(), "removed": true }),
        ))
    }

    /// Answers `PUT` of a version: what became of it, and with which status that is told at the end.
    pub async fn put_up<B: Incoming>(
        &self,
        label: Label,
        folder: Arc<Folder>,
        turns: &Turns,
        request: Request<B>,
        told: Told<'_>,
    ) -> Result<(StatusCode, Value), Refusal> {
        let query = Query::of(request.uri());
        let _turn = turns.take()?;
        let existing = if query.wishes("replace") {
            Existing::Replaced
        } else {
            Existing::Kept
        };
        self.put(folder, label, existing, request.into_body(), told)
            .await
    }

    async fn put(
        &self,
        folder: Arc<Folder>,
        label: Label,
        existing: Existing,
        body: impl Incoming,
        Told { audit, steps }: Told<'_>,
    ) -> Result<(StatusCode, Value), Refusal> {
        let taken = take::take(&folder, &label, body, steps).await?;
        audit.about(format_args!("digest {}", taken.bundle.digest));
        if let Some(place) = publish::find_same(&folder, &label, existing, &taken).await? {
            let shown = self.shown(&label, &taken, &place, "unchanged");
            return Ok((StatusCode::OK, shown));
        }
        let watch = Arc::new(steps.clone());
        let rehearsal = self.stage.rehearse(Arc::clone(&taken.bundle), watch);
        match timeout(PREPARE_DEADLINE, rehearsal).await {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => return Err(Refusal::Bundle(vec![reason])),
            Err(_elapsed) => {
                let reason = format!("it was not ready within {PREPARE_DEADLINE:?}");
                return Err(Refusal::Bundle(vec![reason]));
            }
        }
        let published = self.publish(folder, &label, existing, &taken).await?;
        let Some(published) = published else {
            let folder = publish::usual_folder(&label);
            let shown = self.shown(&label, &taken, &folder, "unchanged");
            return Ok((StatusCode::OK, shown));
        };
        let live = self.stage.live(&label, taken.bundle.digest);
        let state = match timeout(LIVE_DEADLINE, live).await {
            Ok(Fate::Live) => "live",
            Ok(Fate::Refused(reason)) => {
                let folder = published.folder.clone();
                blocking(move || published.undo()).await?;
                tracing::warn!(%label, folder, reason, "a deploy was taken back");
                return Err(Refusal::Bundle(vec![reason]));
            }
            // It is whole and in its place; the supervisor has much to do and will come to it.
            Err(_elapsed) => "published",
        };
        let shown = self.shown(&label, &taken, &published.folder, state);
        Ok((StatusCode::CREATED, shown))
    }

    fn shown(&self, label: &Label, taken: &take::Taken, folder: &str, state: &str) -> Value {
        let mut shown = json!({
            "label": label.to_string(),
            "app": label.app.as_str(),
            "version": label.version.to_string(),
            "state": state,
            "address": format!("/{label}/"),
            "digest": taken.bundle.digest.to_string(),
            "folder": folder,
            "files": taken.unpacked.files,
            "bytes": taken.unpacked.bytes,
            "warnings": taken.bundle.warnings,
        });
        if let Some(port) = self.stage.apps_port() {
            shown["port"] = port.into();
        }
        shown
    }
}

/// Who hears of a deploy, besides its client at the end.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    /// The log.
    pub audit: &'a Audit,
    /// The client, on the way.
    pub steps: &'a Steps,
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Static => "static",
        Kind::Wasm => "wasm",
        Kind::Process => "process",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_an_app_and_a_version() {
        let parsed = |path| Label::parse(path).map(|label| label.to_string());
        for (path, expected) in [
            ("chat/1.2.3", Some("chat@1.2.3")),
            ("chat/v1.2.3-rc.1", Some("chat@1.2.3-rc.1")),
            ("@team/chat/1.0.0", Some("@team/chat@1.0.0")),
            ("%40team%2Fchat/1.0.0", Some("@team/chat@1.0.0")),
            ("chat/1", None),
            ("chat", None),
            ("chat/", None),
            ("../chat/1.0.0", None),
            ("%2e%2e/1.0.0", None),
            (".hidden/1.0.0", None),
            ("a/b/1.0.0", None),
            ("chat/1.0.0/", None),
        ] {
            assert_eq!(parsed(path).as_deref(), expected, "{path}");
        }
    }
}
