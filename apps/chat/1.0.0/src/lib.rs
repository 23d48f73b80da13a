//! Chat 1.0.0: what the seed offers, without its defects.

use chat_protocol::{Edition, Extras};
use rookery_sdk::App;

fn app() -> App {
    chat_protocol::app(Edition {
        version: env!("CARGO_PKG_VERSION"),
        extras: Extras::None,
    })
}

rookery_sdk::export!(app, sessions);

#[cfg(test)]
mod tests;
