//! Chat 1.1.0: rooms, messages, and what was said before one came.

use chat_protocol::{Edition, History};
use rookery_sdk::App;

fn app() -> App {
    chat_protocol::app(Edition {
        version: env!("CARGO_PKG_VERSION"),
        history: History::Kept,
    })
}

rookery_sdk::export!(app, sessions);

#[cfg(test)]
mod tests;
