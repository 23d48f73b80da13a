//! What makes root more than other users: given up, so that the walls hold for it, too.

use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

/// Gives up every capability. Landlock has seen to it that no program brings one back.
pub(super) fn give_up() -> Result<(), String> {
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none)
        .map_err(|error| format!("isolation \"strict\" needs to give up capabilities: {error}"))
}
