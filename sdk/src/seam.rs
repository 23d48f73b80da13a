//! Where the SDK meets whatever is on the other side: the server in a component, a scripted host in a native build.
//!
//! **Invariant:** both sides have the same functions, so the rest of the crate is compiled from one text.

#[cfg(target_arch = "wasm32")]
pub(crate) use crate::bindings::seam::{clock, config, hub, kv, log, password, random, sql};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::seam::{clock, config, hub, kv, log, password, random, sql};
