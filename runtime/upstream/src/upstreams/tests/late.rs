//! Upstreams that never come to take a connection. The clock stands still and goes on when nothing else happens.

use std::os::fd::AsFd;

use tokio::net::UnixStream;

use super::*;
use crate::Verify;

/// What becomes of a request to a target that takes nobody.
async fn is_late(target: Target) {
    let (upstreams, ..) = upstreams(UpstreamConfig::default());
    let outcome = upstreams.send(&target, get(), TIMEOUTS).await;
    let outcome = outcome.map_err(|unanswered| unanswered.error);
    let after = TIMEOUTS.connect;
    match outcome {
        Err(UpstreamError::ConnectTimeout {
            target: of,
            after: it,
        }) if of == target.to_string() && it == after => {}
        other => panic!("{target}: {other:?}"),
    }
}

/// Has it take one connection that nobody accepts, and no second one.
fn without_backlog(listener: impl AsFd) {
    rustix::net::listen(listener, 0).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_takes_is_given_up_at_its_deadline() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    without_backlog(&listener);
    let address = listener.local_addr().unwrap();
    let moment = Duration::from_millis(100);
    let mut before_us = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, moment) {
        before_us.push(stream);
    }
    let (host, port) = ("127.0.0.1".into(), address.port());
    is_late(Target::Tcp { host, port }).await;
}

#[tokio::test(start_paused = true)]
async fn a_unix_socket_that_nobody_takes_is_given_up_at_its_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    without_backlog(&listener);
    let mut before_us = Vec::new();
    while let Ok(stream) = UnixStream::connect(&path).await {
        before_us.push(stream);
    }
    is_late(Target::Unix(path.as_path().into())).await;
}

#[tokio::test(start_paused = true)]
async fn a_tls_server_that_says_nothing_is_given_up_at_its_deadline() {
    let (listener, _) = server().await;
    let (host, port) = ("127.0.0.1".into(), listener.local_addr().unwrap().port());
    let verify = Verify::Nobody;
    is_late(Target::Tls { host, port, verify }).await;
}
