//! The end of a site's sessions, when its revision is taken out of use.

use std::sync::Arc;
use std::time::Duration;

use crate::site::Site;

/// How often a queue that empties is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Asks the clients to come again, and lets the guest hear that they left, within the grace.
pub(crate) async fn retire(site: Arc<Site>, grace: Duration) {
    site.retired.request();
    let Some(ready) = site.close_to_sessions() else {
        return;
    };
    let all_told = async {
        site.attached.wait().await;
        // The sessions are gone; their last events are on their way to the guest.
        while !ready.is_empty() {
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
