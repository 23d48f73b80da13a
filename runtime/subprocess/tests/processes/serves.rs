//! What goes between a client and a process.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use rookery_pool::{Fault, InvokeError, Pool, Worker};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::house::{House, ask, echo, get, is_known, is_running, text, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_a_port_and_one_on_a_socket_answer() {
    let house = House::new();
    for words in [vec!["serve"], vec!["serve", "--socket"]] {
        let command = [vec![crate::house::FIXTURE], words].concat();
        let pool = house.pool(json!({ "command": command })).await;
        let pid: u32 = ask(&pool, "/answer").await.unwrap().parse().unwrap();
        assert!(is_running(pid));
        assert_eq!(ask(&pool, "/answer").await.unwrap(), pid.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_cookies_stay_many() {
    let house = House::new();
    let pool = house.pool(json!({})).await;
    let response = pool.request(get("/cookies")).await.unwrap();
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2; path=/", "c=3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_streams_in_and_is_never_held_whole() {
    const PIECE_BYTES: usize = 64 * 1024;
    const PIECES: u64 = 4096;
    let house = House::new();
    let pool = house.pool(json!({})).await;
    let pieces = (0..PIECES).map(|_| Ok(Frame::data(Bytes::from_static(&[7; PIECE_BYTES]))));
    let body = StreamBody::new(futures_util::stream::iter(pieces)).boxed_unsync();
    let mut request = get("/upload").map(|_| body);
    *request.method_mut() = http::Method::POST;
    let before = memory_peak_bytes();
    let answer = text(pool.request(request).await.unwrap()).await;
    assert_eq!(answer, (PIECES * PIECE_BYTES as u64).to_string());
    let more = memory_peak_bytes() - before;
    assert!(more < 64 << 20, "{more} bytes more for {answer}");
}

fn memory_peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim()
        .strip_suffix(" kB")
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_comes_as_it_is_written_and_ends_with_its_reader() {
    let house = House::new();
    let pool = house.pool(json!({})).await;
    let mut body = pool.request(get("/endless")).await.unwrap().into_body();
    for number in 0..3 {
        let frame = body.frame().await.unwrap().unwrap();
        let text = frame.into_data().unwrap();
        assert!(
            text.starts_with(format!("data: {number}\n").as_bytes()),
            "{text:?}"
        );
    }
    drop(body);
    gone(&pool, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_is_seen_by_the_app_and_by_nobody_else() {
    let house = House::new();
    let pool = house.pool(json!({})).await;
    let pid = ask(&pool, "/answer").await.unwrap();
    let waits = tokio::time::timeout(Duration::from_millis(100), pool.request(get("/hang")));
    assert!(waits.await.is_err());
    gone(&pool, 1).await;
    assert_eq!(ask(&pool, "/answer").await.unwrap(), pid);
}

async fn gone(pool: &Arc<Pool>, clients: usize) {
    let clients = clients.to_string();
    until("the app sees that its client left", async || {
        ask(pool, "/gone").await.unwrap() == clients
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_hangs_up_fails_that_request_alone() {
    let house = House::new();
    let pool = house.pool(json!({})).await;
    let pid = ask(&pool, "/answer").await.unwrap();
    let failed = ask(&pool, "/close").await.unwrap_err();
    assert!(
        matches!(
            &failed,
            InvokeError::Fault {
                fault: Fault::Gone(_),
                ..
            }
        ),
        "{failed}"
    );
    assert_eq!(ask(&pool, "/answer").await.unwrap(), pid);
    assert_eq!(house.totals.failed.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_carries_bytes_both_ways_until_a_side_ends_it() {
    let house = House::new();
    let pool = house.pool(json!({})).await;
    let mut io = echo(&pool).await;
    for text in ["ping", "pong"] {
        io.write_all(text.as_bytes()).await.unwrap();
        let mut back = [0; 4];
        io.read_exact(&mut back).await.unwrap();
        assert_eq!(back, text.as_bytes());
    }
    drop(io);
    gone(&pool, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_that_an_app_computes_is_counted_and_never_taken_back() {
    let house = House::with(|config| config.measure_every = Duration::from_millis(20));
    let spawn = house.prepare(json!({})).await.unwrap();
    assert_eq!(spawn.cpu_time(), Some(Duration::ZERO));
    let worker = spawn.spawn().await.unwrap();
    let mut handle = worker.share().unwrap();
    let mut seen = Duration::ZERO;
    until("it has computed", async || {
        compute(&mut *handle).await;
        seen = seen.max(spawn.cpu_time().unwrap());
        seen > Duration::from_millis(50)
    })
    .await;
    let pid = worker.process().unwrap();
    drop((handle, worker));
    until("it is gone", async || {
        assert!(spawn.cpu_time().unwrap() >= seen);
        seen = spawn.cpu_time().unwrap();
        !is_known(pid)
    })
    .await;
    assert!(spawn.cpu_time().unwrap() >= seen);
}

/// Nobody looks at it while it runs, so what is counted is what its guard said at its end.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_computed_that_served_one_request_is_counted_at_its_end() {
    const NEVER: Duration = Duration::from_secs(3600);
    let house = House::with(|config| config.measure_every = NEVER);
    let spawn = house.prepare(json!({ "ttl": 0 })).await.unwrap();
    let mut worker = spawn.spawn().await.unwrap();
    compute(&mut *worker).await;
    let before = spawn.cpu_time().unwrap();
    drop(worker);
    until("what it computed is counted", async || {
        spawn.cpu_time().unwrap() >= before + Duration::from_millis(1)
    })
    .await;
}

/// Has it compute for some milliseconds.
async fn compute(worker: &mut dyn Worker) {
    let (reply, answer) = rookery_pool::reply();
    let invocation = rookery_pool::Invocation {
        request: get("/compute"),
        reply,
        deadline: rookery_pool::Deadline::after(crate::house::PATIENCE),
    };
    let dropped = async { drop(answer.wait().await) };
    tokio::join!(worker.request(invocation), dropped);
}
