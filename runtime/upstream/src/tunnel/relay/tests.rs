//! Both directions over pipes in memory.

#![allow(clippy::unwrap_used)]

use std::future::{pending, ready};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;

const RESTART: Close = Close {
    code: 1012,
    reason: "restart",
};

fn text(payload: &str) -> Vec<u8> {
    let mut frame = vec![0x81, payload.len() as u8];
    frame.extend_from_slice(payload.as_bytes());
    frame
}

fn relay(
    buffer: usize,
    stop: impl Future<Output = Close> + Send + 'static,
) -> (DuplexStream, DuplexStream, JoinHandle<Ended>) {
    let (client, near) = duplex(buffer);
    let (upstream, far) = duplex(buffer);
    (client, upstream, tokio::spawn(run(near, far, stop)))
}

async fn take(stream: &mut DuplexStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

async fn rest(stream: &mut DuplexStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn bytes_pass_both_ways_and_so_do_both_ends() {
    let (mut client, mut upstream, relay) = relay(64, pending());
    client.write_all(b"up").await.unwrap();
    assert_eq!(take(&mut upstream, 2).await, b"up");
    let close = encode(RESTART);
    upstream.write_all(&text("down")).await.unwrap();
    upstream.write_all(&close).await.unwrap();
    assert_eq!(take(&mut client, 6).await, text("down"));
    assert_eq!(take(&mut client, close.len()).await, close);
    // The client answers, and then closes its side: the upstream sees both.
    client.write_all(b"bye").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut upstream).await, b"bye");
    drop(upstream);
    assert_eq!(rest(&mut client).await, b"", "no second close frame");
    assert_eq!(relay.await.unwrap(), Ended::Done);
}

#[tokio::test]
async fn a_side_that_does_not_read_stops_the_other() {
    let (mut client, mut upstream, relay) = relay(1024, pending());
    let payload = vec![7; 4 * 1024 * 1024];
    let expected = payload.clone();
    let (sent, mut is_sent) = oneshot::channel();
    let sending = tokio::spawn(async move {
        upstream.write_all(&[0x82, 127]).await.unwrap();
        let length = payload.len() as u64;
        upstream.write_all(&length.to_be_bytes()).await.unwrap();
        upstream.write_all(&payload).await.unwrap();
        sent.send(()).unwrap();
        upstream.shutdown().await.unwrap();
        upstream
    });
    // Everything that can happen while nobody reads has happened after so many turns.
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    assert!(is_sent.try_recv().is_err(), "megabytes are held somewhere");
    let mut received = rest(&mut client).await;
    let received = received.split_off(10);
    assert!(received[..expected.len()] == expected);
    assert_eq!(received[expected.len()..][..4], encode(DIED)[..4]);
    drop(client);
    let _upstream = sending.await.unwrap();
    assert_eq!(relay.await.unwrap(), Ended::UpstreamGone);
}

#[tokio::test]
async fn an_upstream_that_dies_between_frames_is_a_1011() {
    let (mut client, mut upstream, relay) = relay(64, pending());
    upstream.write_all(&text("last")).await.unwrap();
    drop(upstream);
    let mut expected = text("last");
    expected.extend_from_slice(&encode(DIED));
    assert_eq!(rest(&mut client).await, expected);
    assert_eq!(expected[8..10], 1011_u16.to_be_bytes());
    drop(client);
    assert_eq!(relay.await.unwrap(), Ended::UpstreamGone);
}

#[tokio::test]
async fn an_upstream_that_dies_within_a_frame_is_a_cut() {
    let (mut client, mut upstream, relay) = relay(64, pending());
    upstream.write_all(&text("half")[..4]).await.unwrap();
    drop(upstream);
    assert_eq!(rest(&mut client).await, text("half")[..4]);
    drop(client);
    assert_eq!(relay.await.unwrap(), Ended::UpstreamGone);
}

#[tokio::test]
async fn a_stop_waits_for_the_end_of_a_frame_and_passes_no_other() {
    let (stop, stopped) = oneshot::channel();
    let (mut client, mut upstream, relay) = relay(64, async { stopped.await.unwrap() });
    let frame = text("whole");
    upstream.write_all(&frame[..3]).await.unwrap();
    assert_eq!(take(&mut client, 3).await, frame[..3]);
    stop.send(RESTART).unwrap();
    tokio::task::yield_now().await;
    upstream.write_all(&frame[3..]).await.unwrap();
    upstream.write_all(&text("too late")).await.unwrap();
    let mut expected = frame[3..].to_vec();
    expected.extend_from_slice(&encode(RESTART));
    assert_eq!(rest(&mut client).await, expected);
    // What the client answers still reaches the upstream, which then knows why.
    client.write_all(b"answer").await.unwrap();
    drop(client);
    assert_eq!(rest(&mut upstream).await, b"answer");
    drop(upstream);
    assert_eq!(relay.await.unwrap(), Ended::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_in_time_though_nobody_answers() {
    let (_client, mut upstream, relay) = relay(64, ready(RESTART));
    upstream.write_all(&text("x")).await.unwrap();
    let begun = tokio::time::Instant::now();
    assert_eq!(relay.await.unwrap(), Ended::Stopped);
    assert_eq!(begun.elapsed(), CLOSE_GRACE);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_ignores_a_client_that_left_is_left_in_time() {
    let (client, mut upstream, relay) = relay(64, pending());
    drop(client);
    assert_eq!(rest(&mut upstream).await, b"");
    assert_eq!(relay.await.unwrap(), Ended::Done);
}
