//! WebSockets through the server, as bytes.
//!
//! dial (the handshake with the upstream) → io (the connection it left behind) → relay (bytes in both directions, with
//! frames to know where a frame of the upstream's ends).
//!
//! **Invariant:** a tunnel keeps no bytes but those that the slower side has not taken yet, at most [`BUFFER_BYTES`]
//! each way; a side that does not read is felt by the other as TCP lets it feel.
//! **Absent on purpose:** messages. Extensions were negotiated between the two ends, so only they know what the frames
//! hold.

mod dial;

mod frames;

mod io;

mod relay;

pub use dial::{Accepted, Dialled};
pub use io::{Early, TunnelIo};
pub use relay::{BUFFER_BYTES, CLOSE_GRACE, Close, Ended, keep_alive, run};
