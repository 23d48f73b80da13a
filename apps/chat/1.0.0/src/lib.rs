//! Chat 1.0.0: rooms and messages, and no memory of what was said.

use chat_protocol::{Edition, History};
use rookery_sdk::App;

fn app() -> App {
    chat_protocol::app(Edition {
        version: env!("CARGO_PKG_VERSION"),
        history: History::Forgotten,
    })
}

rookery_sdk::export!(app, sessions);

#[cfg(test)]
mod tests;
