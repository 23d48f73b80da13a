//! What the rest of the server does for a deploy: it prepares a bundle before it is published, and says what became of it
//! afterwards.
//!
//! **Absent on purpose:** files. The admin's routes move them; here it is only told what they mean to what runs.

use std::sync::Arc;

use rookery_admin::{Fate, Label, Source as _, Stage};
use rookery_bundle::{AppName, Bundle, Digest, Kind};
use rookery_lifecycle::Tasks;
use rookery_pool::Watch;
use rookery_supervisor::rollout::{Change, RolloutError, RolloutStatus};
use rookery_supervisor::{Kinds, RevisionStatus, Supervisor};
use tokio::runtime::Handle;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::oneshot;

use crate::figures::Figures;

/// Does it with what serves.
pub struct Rehearsals {
    /// What turns a bundle of each kind into workers: the same as the supervisor's.
    pub kinds: Kinds,
    /// Knows what serves.
    pub supervisor: Arc<Supervisor>,
    /// Knows what is asked of it.
    pub figures: Arc<Figures>,
    /// Where the apps run: a guest that computes must not hold up who answers the operator.
    pub runtime: Handle,
    /// Where a rehearsal is a task.
    pub tasks: Tasks,
    /// Where the apps are served, when the operator's routes are not there.
    pub apps_port: Option<u16>,
}

#[async_trait::async_trait]
impl Stage for Rehearsals {
    async fn rehearse(&self, bundle: Arc<Bundle>, watch: Arc<dyn Watch>) -> Result<(), String> {
        let kind = bundle.kind();
        if kind == Kind::Static {
            return Ok(());
        }
        let prepare = self.kinds.get(&kind).map(Arc::clone);
        let prepare = prepare.ok_or("this server does not run bundles of its kind")?;
        let (mut sender, prepared) = oneshot::channel();
        {
            let _there = self.runtime.enter();
            self.tasks.spawn("rehearsal", async move {
                tokio::select! {
                    // Nobody waits for it any more.
                    () = sender.closed() => {}
                    prepared = prepare.prepare_watched(bundle, watch) => {
                        // What was prepared is dropped; what it computed is in the compile cache when it is prepared to
                        // serve.
                        let _ = sender.send(prepared.map(drop).map_err(|error| error.to_string()));
                    }
                }
            });
        }
        let prepared = prepared.await;
        prepared.unwrap_or_else(|_stopped| Err("its preparation stopped".to_owned()))
    }

    async fn live(&self, label: &Label, digest: Digest) -> Fate {
        let digest = digest.to_string();
        self.until(label, |revisions| {
            let mut builds = revisions.iter();
            let build = builds.find(|revision| digest.starts_with(&revision.digest))?;
            match build.state {
                "live" => Some(Fate::Live),
                "refused" => Some(Fate::Refused(build.reason.clone().unwrap_or_default())),
                _ => None,
            }
        })
        .await
    }

    async fn gone(&self, label: &Label) {
        self.until(label, |revisions| {
            let serves = |state| matches!(state, "staged" | "warming" | "live");
            (!revisions.iter().any(|revision| serves(revision.state))).then_some(())
        })
        .await;
    }

    fn uses(&self, label: &Label) -> Vec<String> {
        let mut uses = self.leads(label);
        let lines = self.figures.revisions().into_iter();
        let version = label.version.to_string();
        let ours = lines.filter(|line| line.app == label.app.as_str() && line.version == version);
        let (mut busy, mut sessions) = (0, 0);
        for line in ours {
            sessions += line.sessions;
            if let Some(figures) = line.figures {
                busy += figures.busy + figures.waiting + figures.tunnels;
            }
        }
        if sessions > 0 {
            uses.push(format!("{sessions} sessions are attached"));
        }
        if busy > 0 {
            uses.push(format!("{busy} requests are under way"));
        }
        uses
    }

    fn folder(&self, label: &Label) -> Option<String> {
        let revisions = self.revisions(label);
        let last = revisions.into_iter().next()?;
        Some(last.folder)
    }

    fn rollout(&self, app: &AppName) -> Option<RolloutStatus> {
        self.supervisor.rollouts().remove(app.as_str())
    }

    async fn roll(&self, app: &AppName, change: Change) -> Result<RolloutStatus, RolloutError> {
        self.supervisor.roll(app, change).await
    }

    fn apps_port(&self) -> Option<u16> {
        self.apps_port
    }
}

impl Rehearsals {
    /// Looks at the disk, and then at the revisions of a version whenever something happens to any, until `found` finds
    /// what it looks for.
    async fn until<T>(
        &self,
        label: &Label,
        mut found: impl FnMut(&[RevisionStatus]) -> Option<T> + Send,
    ) -> T {
        let mut events = self.supervisor.events();
        self.supervisor.rescan();
        loop {
            if let Some(found) = found(&self.revisions(label)) {
                return found;
            }
            match events.recv().await {
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                // The supervisor is gone, and so is the server.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// What leads clients to a version that do not ask for it.
    fn leads(&self, label: &Label) -> Vec<String> {
        let (app, version) = (label.app.as_str(), label.version.to_string());
        let deployments = self.supervisor.deployments();
        let known = deployments.apps.iter().find(|known| known.name == app);
        let rollout = known.and_then(|known| known.rollout.as_ref());
        let mut leads = Vec::new();
        let weight = rollout.and_then(|rollout| rollout.weights.get(&version));
        match weight.filter(|weight| **weight > 0.0) {
            Some(weight) => leads.push(format!("{weight} % of /{app} lead to it")),
            // Also where a rollout is known that spreads nothing, as of a file that is wrong.
            None if known.and_then(|known| known.unpinned.as_deref()) == Some(&version) => {
                leads.push(format!("/{app} leads to it"));
            }
            None => {}
        }
        let tags = known.into_iter().flat_map(|known| &known.tags);
        let tags = tags.filter(|(_, tagged)| **tagged == version);
        leads.extend(tags.map(|(tag, _)| format!("the tag {tag} leads to it")));
        leads
    }

    /// The revisions of a version, the newest first.
    fn revisions(&self, label: &Label) -> Vec<RevisionStatus> {
        let version = label.version.to_string();
        let apps = self.supervisor.deployments().apps.into_iter();
        let ours = apps.filter(|app| app.name == label.app.as_str());
        ours.flat_map(|app| app.revisions)
            .filter(|revision| revision.version == version)
            .collect()
    }
}
