//! How processes end: with the last that holds them, with the server, and with all that they started.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use http_body_util::BodyExt;
use rookery_pool::{Fault, InvokeError};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::house::{FIXTURE, House, ask, echo, get, is_known, is_running, parent, signal, until};

async fn pid_of(pool: &std::sync::Arc<rookery_pool::Pool>, path: &str) -> u32 {
    ask(pool, path).await.unwrap().parse().unwrap()
}

/// Whoever asks in the moment in which nobody has been told of an end yet is told then; the next one is served.
async fn another_answers(pool: &std::sync::Arc<rookery_pool::Pool>, ended: u32) {
    until("another one answers", async || {
        let answered = ask(pool, "/answer").await;
        answered.is_ok_and(|pid| pid != ended.to_string())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_process_takes_its_children_with_it_and_leaves_nothing() {
    let house = House::new();
    let pool = house.pool(json!({})).await;
    let server = pid_of(&pool, "/answer").await;
    let guard = parent(server);
    let members = [
        server,
        pid_of(&pool, "/sleeper").await,
        pid_of(&pool, "/daemon").await,
        guard,
    ];
    assert!(members.iter().all(|pid| is_running(*pid)));
    pool.drain(Duration::from_secs(5)).await;
    drop(pool);
    until("all of them are gone, and reaped", async || {
        !members.iter().any(|pid| is_known(*pid))
    })
    .await;
    until("its folder is gone", async || house.workers().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_does_not_want_to_end_is_killed_after_the_grace() {
    let house = House::with(|config| config.stop_grace = Duration::from_millis(200));
    let deaf = format!("trap '' TERM; exec {FIXTURE} serve");
    let pool = house
        .pool(json!({"command": ["/bin/sh", "-c", deaf]}))
        .await;
    let server = pid_of(&pool, "/answer").await;
    drop(pool);
    until("it is gone", async || !is_known(server)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_ends_with_its_guard_whoever_kills_that() {
    let house = House::new();
    let pool = house.pool(json!({})).await;
    let server = pid_of(&pool, "/answer").await;
    let sleeper = pid_of(&pool, "/sleeper").await;
    signal(parent(server), "KILL");
    until("both are gone", async || {
        !is_running(server) && !is_running(sleeper)
    })
    .await;
    another_answers(&pool, server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_end_with_the_shutdown_when_nobody_uses_them() {
    let house = House::new();
    let pool = house.pool(json!({})).await;
    let server = pid_of(&pool, "/answer").await;
    house.shutdown.request();
    let left = house.tasks.drain(Duration::from_secs(30)).await;
    assert!(left.is_empty(), "{left:?}");
    assert!(!is_known(server));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_at_the_shutdown_is_waited_for() {
    let house = House::new();
    let pool = house.pool(json!({})).await;
    let server = pid_of(&pool, "/answer").await;
    let mut body = pool.request(get("/endless")).await.unwrap().into_body();
    let mut tunnel = echo(&pool).await;
    let unused = house.pool(json!({})).await;
    let other = pid_of(&unused, "/answer").await;
    house.shutdown.request();
    until("what nobody uses ends", async || !is_known(other)).await;
    body.frame().await.unwrap().unwrap();
    drop(body);
    tunnel.write_all(b"on").await.unwrap();
    let mut back = [0; 2];
    tunnel.read_exact(&mut back).await.unwrap();
    assert!(is_running(server));
    drop(tunnel);
    until("it ends when all is done", async || !is_known(server)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_server_that_was_killed() {
    // It does what the server does, which is to hold the other end of a guard's socket, and it ends as it would.
    let mut server = Command::new(FIXTURE)
        .arg("hold")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stdout.take().unwrap()).lines();
    let mut pid = || said.next().unwrap().unwrap().parse::<u32>().unwrap();
    let members = [pid(), pid()];
    assert!(members.iter().all(|pid| is_running(*pid)));
    server.kill().unwrap();
    server.wait().unwrap();
    until("all of them are gone", async || {
        !members.iter().any(|pid| is_known(*pid))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_uses_too_much_memory_is_ended() {
    let house = House::with(|config| config.measure_every = Duration::from_millis(20));
    let pool = house.pool(json!({"memory": "64mb"})).await;
    let server = pid_of(&pool, "/answer").await;
    let waits = tokio::spawn({
        let pool = std::sync::Arc::clone(&pool);
        async move { pool.request(get("/hang")).await.map(drop) }
    });
    until("it is in the process", async || {
        pool.stats().busy.get() == 1
    })
    .await;
    let _ = ask(&pool, "/memory/128").await;
    until("it is gone", async || !is_known(server)).await;
    let told = match waits.await.unwrap() {
        Err(InvokeError::Fault { fault, .. }) => fault,
        other => panic!("it has no answer: {other:?}"),
    };
    assert!(matches!(told, Fault::Memory(0x0400_0000)), "{told}");
    another_answers(&pool, server).await;
}

/// Whoever outgrows the machine before anybody has looked.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_ended_before_the_server_when_the_machine_has_no_memory_left() {
    let house = House::new();
    let pool = house.pool(json!({})).await;
    let score = ask(&pool, "/read/proc/self/oom_score_adj").await.unwrap();
    assert_eq!(score.trim(), "1000");
}

/// By themselves, or through a parent that ends: they have none of the family any more, and are not forgotten for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_starts_too_many_others_is_ended_and_cannot_hide_them() {
    for starts in ["/sleeper", "/orphan"] {
        let house = House::with(|config| {
            config.measure_every = Duration::from_millis(20);
            config.processes_max = 4;
        });
        let pool = house.pool(json!({})).await;
        let server = pid_of(&pool, "/answer").await;
        for _ in 0..4 {
            let _ = ask(&pool, starts).await;
        }
        until("it is gone", async || !is_known(server)).await;
    }
}
