//! A native server, started by the manifest's `command`: whatever speaks HTTP on `$PORT` can be hosted. This one has only
//! the standard library and a thread for each connection; a real one has a framework, and is hosted in the same way.
//!
//! **Absent on purpose:** bodies of requests, and connections that are used twice.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Where it listens when nobody says.
const DEFAULT_PORT: u16 = 3000;
/// Longer heads are cut off, and then refused.
const HEAD_BYTES_MAX: u64 = 64 << 10;

/// Requests since the start.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

struct Answer {
    status: &'static str,
    content_type: &'static str,
    body: String,
}

fn main() -> io::Result<()> {
    let port = env::var("PORT").ok().and_then(|port| port.parse().ok());
    let port = port.unwrap_or(DEFAULT_PORT);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    println!("listening on {port}");
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || {
            // A client that goes away is no news.
            let _ = serve(&stream);
        });
    }
    Ok(())
}

fn serve(mut stream: &TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(stream.take(HEAD_BYTES_MAX)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // A connection that is closed before all was read from it is reset.
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let answer = answer(&request);
    write!(
        stream,
        "HTTP/1.1 {}\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.status,
        answer.content_type,
        answer.body.len()
    )?;
    if !request.starts_with("HEAD ") {
        stream.write_all(answer.body.as_bytes())?;
    }
    stream.flush()
}

fn answer(request: &str) -> Answer {
    let mut words = request.split(' ');
    let (method, target) = (words.next(), words.next().unwrap_or("/"));
    let path = target.split('?').next().unwrap_or("/");
    let json = |status, body| Answer {
        status,
        content_type: "application/json",
        body,
    };
    match (method, path) {
        (Some("GET" | "HEAD"), "/") => {
            let count = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
            let base = env::var("BASE_PATH").unwrap_or_default();
            let pid = std::process::id();
            json(
                "200 OK",
                format!("{{\"requests\":{count},\"base\":\"{base}\",\"pid\":{pid}}}\n"),
            )
        }
        (Some("GET" | "HEAD"), "/health") => Answer {
            status: "200 OK",
            content_type: "text/plain",
            body: "OK".to_owned(),
        },
        (Some("GET" | "HEAD"), _) => {
            json("404 Not Found", "{\"error\":\"nothing here\"}\n".to_owned())
        }
        _ => json(
            "405 Method Not Allowed",
            "{\"error\":\"only GET\"}\n".to_owned(),
        ),
    }
}
