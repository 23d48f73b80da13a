//! For tests: a driver whose thread ends.

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tracing::Instrument as _;
use tracing::span::Id;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// Ends the driver's thread, which enters the span of whoever asks it for something.
struct Crash;

impl<S: tracing::Subscriber> Layer<S> for Crash {
    fn on_enter(&self, _: &Id, _: Context<'_, S>) {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        assert!(!name.starts_with("sqlite "), "as the test wants it");
    }
}

/// Nothing answers on this connection from now on.
pub(super) async fn crash(connection: &mut SqliteConnection) {
    let subscriber = tracing_subscriber::registry().with(Crash);
    let guard = tracing::subscriber::set_default(subscriber);
    let pinged = connection.ping().instrument(tracing::info_span!("crash"));
    assert!(pinged.await.is_err());
    drop(guard);
    // What is asked while the thread ends has no answer at all; once it has ended, asking fails.
    while tokio::time::timeout(Duration::from_millis(100), connection.ping())
        .await
        .is_err()
    {}
}
