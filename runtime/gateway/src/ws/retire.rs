//! The end of a site's sessions, when its revision is taken out of use and they could not be moved.
//!
//! **Invariant:** every site's queue is closed in the end, so that its deliverers end and its pool can drain.

use std::time::Duration;

use rookery_hub::CloseCode;
use tokio::time::{Instant, sleep_until};

use crate::site::Site;

/// How often a site that empties is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits until then, or until nobody is there.
pub(crate) async fn linger(site: &Site, until: Instant) {
    if !site.members.is_empty() {
        tokio::select! {
            () = sleep_until(until) => {}
            () = site.members.emptied() => {}
        }
    }
}

/// Waits until nobody needs the site any more: nobody is there, and nobody may come back. Those who are there are kept
/// until then at most.
pub(crate) async fn outlive(site: &Site, keep_until: Instant) {
    loop {
        let held = site.members.held_until();
        let until = match site.members.is_empty() {
            true => held,
            false => held.max(Some(keep_until)),
        };
        let Some(until) = until.filter(|until| Instant::now() < *until) else {
            return;
        };
        tokio::select! {
            () = sleep_until(until) => {}
            () = site.members.emptied() => {}
        }
    }
}

/// Tells the clients why they are closed, and lets the guest hear that they left, within the grace.
pub(crate) async fn retire(site: &Site, why: CloseCode, grace: Duration) {
    for berth in site.members.close() {
        // One that moves away at this moment is closed there, if at all.
        berth.close_at(site, why);
    }
    // Who was sent here before and comes only now finds it closed.
    let ready = site.ready_or_closed();
    let all_told = async {
        // When the sessions are gone, their last events are still on their way to the guest.
        while !(site.members.is_empty() && ready.is_done()) {
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
