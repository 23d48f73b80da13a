//! Chat 1.1.0: the same, and answers that name their requests.

use chat_protocol::{Edition, Extras};
use rookery_sdk::App;

fn app() -> App {
    chat_protocol::app(Edition {
        version: env!("CARGO_PKG_VERSION"),
        extras: Extras::Offered,
    })
}

rookery_sdk::export!(app, sessions);

#[cfg(test)]
mod tests;
