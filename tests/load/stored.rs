//! Measures stored messages: how many a second are taken by the server, checked and kept by its guest with a durable
//! commit, and told to everybody in a room. `cargo run --release -p rookery-tests --bin stored`; `tests/load/stored.sh`
//! starts the server, too.
//!
//! **Invariant:** a message counts when the client who said it heard it back: the server says nothing before it is durable.
//! **Absent on purpose:** checking masks, fragments and control frames. The server is not what is tested here.

mod session;
mod spent;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use session::open;
use spent::processor_time;

/// Rooms full of clients who say one thing after the other, on an app like `examples/notes`.
#[derive(Parser)]
#[command(name = "stored")]
struct Options {
    /// The server, such as 127.0.0.1:8080.
    address: SocketAddr,
    /// The path of the app's sessions; `room` and `name` are added.
    #[arg(long, default_value = "/notes/ws")]
    path: String,
    /// Rooms.
    #[arg(long, default_value_t = 1)]
    rooms: usize,
    /// Clients in each.
    #[arg(long, default_value_t = 10)]
    members: usize,
    /// Messages that each client has under way.
    #[arg(long, default_value_t = 64)]
    window: usize,
    /// The length of a message's text, in bytes.
    #[arg(long, default_value_t = 100)]
    bytes: usize,
    /// For how long, in seconds, after a second to get going.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// The server's process, whose processor time is told then.
    #[arg(long)]
    pid: Option<u32>,
}

/// What one client saw within the time that counts.
#[derive(Default)]
struct Seen {
    own: u64,
    all: u64,
    latencies: Vec<Duration>,
}

/// The time that counts.
#[derive(Clone, Copy)]
struct Span {
    begin: Instant,
    end: Instant,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        eprintln!("stored: the system gives no runtime");
        return ExitCode::FAILURE;
    };
    match runtime.block_on(run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stored: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> std::io::Result<()> {
    let begin = Instant::now() + Duration::from_secs(1);
    let span = Span {
        begin,
        end: begin + Duration::from_secs(options.seconds.max(1)),
    };
    let mut clients = JoinSet::new();
    for room in 0..options.rooms {
        for member in 0..options.members {
            let name = format!("m{member}");
            let path = format!("{}?room=r{room}&name={name}", options.path);
            let socket = open(options.address, &path).await?;
            let text = "x".repeat(options.bytes);
            clients.spawn(client(socket, name, text, options.window, span));
        }
    }
    tokio::time::sleep_until(span.begin.into()).await;
    let before = options.pid.and_then(processor_time);
    tokio::time::sleep_until(span.end.into()).await;
    let after = options.pid.and_then(processor_time);
    let mut seen = Seen::default();
    while let Some(client) = clients.join_next().await {
        let client = client.expect("a client does not panic")?;
        seen.own += client.own;
        seen.all += client.all;
        seen.latencies.extend(client.latencies);
    }
    report(
        options,
        seen,
        before.zip(after).map(|(before, after)| after - before),
    );
    Ok(())
}

fn report(options: &Options, mut seen: Seen, cpu: Option<Duration>) {
    let seconds = options.seconds.max(1) as f64;
    seen.latencies.sort_unstable();
    let percentile = |share: f64| {
        let at = (seen.latencies.len() as f64 * share) as usize;
        let latency = seen.latencies.get(at).or(seen.latencies.last());
        latency.map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    };
    println!(
        "{} rooms of {}: {:.0} messages/s stored and told, {:.0} deliveries/s",
        options.rooms,
        options.members,
        seen.own as f64 / seconds,
        seen.all as f64 / seconds
    );
    println!(
        "heard back after p50 {:.1} ms, p99 {:.1} ms",
        percentile(0.5),
        percentile(0.99)
    );
    if let Some(cpu) = cpu {
        let each = cpu.as_secs_f64() * 1e6 / (seen.own.max(1) as f64);
        println!("{each:.1} µs of the server's processor time for each message");
    }
}

/// Keeps a window of messages under way until the end, and counts what comes.
async fn client(
    mut socket: TcpStream,
    name: String,
    text: String,
    window: usize,
    span: Span,
) -> std::io::Result<Seen> {
    let message = masked(&format!("{{\"text\":\"{text}\"}}"));
    let own = format!("\"name\":\"{name}\"");
    let mut seen = Seen::default();
    let mut under_way: VecDeque<Instant> = VecDeque::new();
    let mut buffer = Vec::with_capacity(256 * 1024);
    loop {
        let now = Instant::now();
        if now >= span.end {
            return Ok(seen);
        }
        let missing = window - under_way.len();
        if missing > 0 {
            socket.write_all(&message.repeat(missing)).await?;
            under_way.extend(std::iter::repeat_n(now, missing));
        }
        let read = tokio::time::timeout_at(span.end.into(), socket.read_buf(&mut buffer));
        match read.await {
            Err(_) => return Ok(seen),
            Ok(Ok(1..)) => {}
            Ok(read) => {
                read?;
                return Err(std::io::Error::other("the server closed a session"));
            }
        }
        let now = Instant::now();
        let counts = now >= span.begin && now < span.end;
        let mut at = 0;
        while let Some((payload, next)) = frame(&buffer, at)? {
            let is_own = holds(&buffer[payload], own.as_bytes());
            at = next;
            let said = if is_own { under_way.pop_front() } else { None };
            if counts {
                seen.all += 1;
                if let Some(said) = said {
                    seen.own += 1;
                    seen.latencies.push(now - said);
                }
            }
        }
        buffer.drain(..at);
    }
}

/// A text frame with a mask of zeros: what is said is then what is sent.
fn masked(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// The payload of the text frame that begins here and where the next one begins, if all of it is there.
fn frame(bytes: &[u8], at: usize) -> std::io::Result<Option<(std::ops::Range<usize>, usize)>> {
    let rest = &bytes[at..];
    let (head, length) = match rest {
        [_, length @ 0..126, ..] => (2, usize::from(*length)),
        [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        _ => return Ok(None),
    };
    if rest[0] == 0x88 {
        let code = rest
            .get(2..4)
            .map_or(0, |code| u16::from_be_bytes([code[0], code[1]]));
        return Err(std::io::Error::other(format!(
            "a session was closed with {code}"
        )));
    }
    let begin = at + head;
    Ok((rest.len() >= head + length).then(|| (begin..begin + length, begin + length)))
}

fn holds(payload: &[u8], own: &[u8]) -> bool {
    // The name comes before the text.
    let begin = &payload[..payload.len().min(64)];
    begin.windows(own.len()).any(|window| window == own)
}
