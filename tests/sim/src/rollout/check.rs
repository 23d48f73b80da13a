//! What has to be true of a canary that is bad, by what its visitors saw alone.

use std::time::Duration;

use super::plan::{Build, Plan};
use super::world::{End, Lived};

/// How many may suffer before a canary is gone: far more than chance needs.
const SUFFERED_MAX: u64 = 120;

/// Everything that is wrong.
pub fn all(plan: &Plan, lived: &Lived) -> Vec<String> {
    let mut wrong = Vec::new();
    match (&lived.end, plan.build) {
        (End::Reversed(_), _) => {}
        (end, build) => wrong.push(format!("{build:?}, and it came to {end:?}")),
    }
    if lived.left_on_it > 0 {
        wrong.push(format!("{} sessions are still on it", lived.left_on_it));
    }
    if lived.deserters > 0 {
        let deserters = lived.deserters;
        wrong.push(format!("{deserters} sessions left it before it ended"));
    }
    if lived.suffered > SUFFERED_MAX {
        wrong.push(format!("{} suffered", lived.suffered));
    }
    if matches!(plan.build, Build::Errors(1.0) | Build::Late(1.0, _))
        && lived.took > Duration::from_secs(10)
    {
        let took = lived.took;
        wrong.push(format!(
            "nothing worked for {took:?}, and it was not reversed"
        ));
    }
    wrong.extend(shares(lived));
    wrong
}

/// Whether each step got the share that it should, within six standard deviations.
pub fn shares(lived: &Lived) -> Option<String> {
    lived.shares.iter().find_map(|(share, all, on_it)| {
        let expected = share.percent() / 100.0 * *all as f64;
        let deviation = (expected * (1.0 - share.percent() / 100.0)).sqrt();
        // What 65,536 lots cannot divide more finely is added.
        let most = 6.0 * deviation + 0.005 * *all as f64 + 1.0;
        let is_off = (*on_it as f64 - expected).abs() > most;
        is_off.then(|| format!("{share} was {on_it} of {all}"))
    })
}
