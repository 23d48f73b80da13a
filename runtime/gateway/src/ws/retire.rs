//! The end of a site's sessions, when its revision is taken out of use and they could not be moved.

use std::sync::Arc;
use std::time::Duration;

use rookery_hub::CloseCode;

use crate::site::Site;

/// How often a site that empties is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Tells the clients why they are closed, and lets the guest hear that they left, within the grace.
pub(crate) async fn retire(site: Arc<Site>, why: CloseCode, grace: Duration) {
    for berth in site.members.close() {
        berth.session().close(why);
    }
    let Some(ready) = site.ready_if_any() else {
        return;
    };
    let all_told = async {
        // When the sessions are gone, their last events are still on their way to the guest.
        while !(site.members.is_empty() && ready.is_empty()) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    if tokio::time::timeout(grace, all_told).await.is_err() {
        tracing::warn!(
            app = %site.revision.bundle.label(),
            "the app was not told of all its sessions' ends within the grace"
        );
    }
    ready.close();
}
