//! Taking a version down.

use std::sync::Arc;

use tokio::time::timeout;

use super::{Deploys, LIVE_DEADLINE, Label, Used, publish};
use crate::folder::{Folder, blocking};
use crate::refusal::Refusal;

impl Deploys {
    /// Moves a version out of sight, and waits until it takes no new requests. What it began, it finishes.
    pub(super) async fn remove(
        &self,
        folder: Arc<Folder>,
        label: &Label,
        used: Used,
    ) -> Result<(), Refusal> {
        let reasons = self.stage.uses(label);
        if used == Used::Kept && !reasons.is_empty() {
            return Err(Refusal::InUse {
                label: label.to_string(),
                reasons,
            });
        }
        let publishing = Arc::clone(&self.publishing);
        let (known, name) = (self.stage.folder(label), label.clone());
        let removed = blocking(move || {
            let _guard = publishing.lock();
            publish::withdraw(&folder, &name, known)
        });
        if removed.await?.is_none() {
            return Err(Refusal::NotFound(label.to_string()));
        }
        // Its folder is gone in any case; the supervisor may be slow to see it.
        let _ = timeout(LIVE_DEADLINE, self.stage.gone(label)).await;
        Ok(())
    }
}
