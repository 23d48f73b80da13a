//! From a target to a connection.
//!
//! **Invariant:** a dial ends within its deadline, whatever the resolver, the network or the server does.

use std::future::Future;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use crate::error::UpstreamError;
use crate::stream::Stream;
use crate::target::{Target, Verify};
use crate::tls::{Inside, Tls};

/// What is spoken on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Spoken {
    Http1,
    Http2,
}

/// How long a peer may be silent before the system asks whether it is still there, how often it asks, and how many times.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
const KEEPALIVE_TRIES: u32 = 4;
/// How long to leave a Unix socket alone whose backlog is full.
const BACKLOG_PAUSE: Duration = Duration::from_millis(1);

/// When a dial has to be done.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    after: Duration,
}

impl Deadline {
    pub fn within(after: Duration) -> Self {
        // A century stands for ever, and can be added to now.
        let bounded = after.min(Duration::from_secs(100 * 365 * 24 * 3600));
        Deadline {
            at: Instant::now() + bounded,
            after,
        }
    }

    /// The outcome, or that it came too late.
    pub async fn keep<T>(
        self,
        target: &Target,
        work: impl Future<Output = io::Result<T>>,
    ) -> Result<T, UpstreamError> {
        match timeout_at(self.at, work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(source)) => Err(UpstreamError::Connect {
                target: target.to_string(),
                source,
            }),
            Err(_) => Err(self.missed(target)),
        }
    }

    pub fn missed(self, target: &Target) -> UpstreamError {
        UpstreamError::ConnectTimeout {
            target: target.to_string(),
            after: self.after,
        }
    }

    pub fn instant(self) -> Instant {
        self.at
    }
}

/// Connects, and finds out what is spoken.
pub(crate) async fn dial(
    target: &Target,
    tls: &Tls,
    inside: Inside,
    deadline: Deadline,
) -> Result<(Stream, Spoken), UpstreamError> {
    deadline
        .keep(target, async {
            match target {
                Target::Tcp { host, port } => {
                    let stream = connect(host, *port, deadline.at).await?;
                    Ok((Stream::Tcp(stream), Spoken::Http1))
                }
                Target::Tls { host, port, verify } => {
                    secure(host, *port, *verify, tls, inside, deadline.at).await
                }
                Target::Unix(path) => Ok((connect_unix(path).await?, Spoken::Http1)),
            }
        })
        .await
}

/// Tries the host's addresses in turn; each has its share of what is left of the time, so that one that drops packets does
/// not take all of it. The last one has the rest, whose end is the deadline.
async fn connect(host: &str, port: u16, until: Instant) -> io::Result<TcpStream> {
    let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await?.collect();
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let mut left = addresses.len();
    for address in addresses {
        let share =
            until.saturating_duration_since(Instant::now()) / u32::try_from(left).unwrap_or(1);
        left -= 1;
        let connected = match left {
            // The dial's own deadline ends it, and says that it came too late.
            0 => Ok(TcpStream::connect(address).await),
            _ => tokio::time::timeout(share, TcpStream::connect(address)).await,
        };
        match connected {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                keep_alive(&stream);
                return Ok(stream);
            }
            Ok(Err(error)) => failed = error,
            Err(_) => failed = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(failed)
}

async fn secure(
    host: &str,
    port: u16,
    verify: Verify,
    tls: &Tls,
    inside: Inside,
    until: Instant,
) -> io::Result<(Stream, Spoken)> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let stream = connect(host, port, until).await?;
    let connector = TlsConnector::from(tls.config(verify, inside));
    let stream = connector.connect(name, stream).await?;
    let spoken = match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Spoken::Http2,
        _ => Spoken::Http1,
    };
    Ok((Stream::Tls(Box::new(stream)), spoken))
}

async fn connect_unix(path: &Path) -> io::Result<Stream> {
    loop {
        match UnixStream::connect(path).await {
            // Its backlog is full: there a Unix socket does not wait by itself, as TCP does. The deadline is outside.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(BACKLOG_PAUSE).await;
            }
            connected => return connected.map(Stream::Unix),
        }
    }
}

/// Lets the system find out that a silent peer is gone: a tunnel may say nothing for hours and has no other bound.
pub(crate) fn keep_alive(stream: &TcpStream) {
    // Refused options leave the system's own, which are slower and right, too.
    let _ = sockopt::set_socket_keepalive(stream, true);
    let _ = sockopt::set_tcp_keepidle(stream, KEEPALIVE_IDLE);
    let _ = sockopt::set_tcp_keepintvl(stream, KEEPALIVE_EVERY);
    let _ = sockopt::set_tcp_keepcnt(stream, KEEPALIVE_TRIES);
}
