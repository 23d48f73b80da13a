//! The way to a server: TCP, TLS where the address asks for it, and the handshake of WebSocket.
//!
//! **Invariant:** a server whose certificate the system does not vouch for is not spoken to.
//! **Absent on purpose:** proxies, and a way to believe any certificate. `SSL_CERT_FILE` names other authorities.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::{Host, Url};

use crate::clean;
use crate::model::Event;

/// A page of a hundred of the longest messages is well below it.
const FRAME_BYTES_MAX: usize = 16 << 20;

/// Bytes in both directions, in TLS or not.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

/// An open WebSocket.
pub type Ws = WebSocketStream<Box<dyn Duplex>>;

/// Connects; what to tell the model if that fails.
pub async fn dial(url: Url) -> Result<Ws, Event> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let stream = match stream(&url).await {
        Ok(stream) => stream,
        Err(error) if is_distrust(&error) => return Err(refused(&error.to_string())),
        Err(error) => return Err(down(&error.to_string())),
    };
    match client_async_with_config(url.as_str(), stream, Some(config)).await {
        Ok((ws, _)) => Ok(ws),
        // Other answers pass: a server that drains says 503, a proxy before one that starts 502.
        Err(Error::Http(answer)) if answer.status().is_client_error() && answer.status() != 429 => {
            Err(refused(&answer.status().to_string()))
        }
        Err(error) => Err(down(&error.to_string())),
    }
}

/// The connection is gone, for a reason that may hold words of others.
pub fn down(why: &str) -> Event {
    Event::Down(clean::name(why))
}

fn refused(why: &str) -> Event {
    Event::Refused(clean::name(why))
}

async fn stream(url: &Url) -> io::Result<Box<dyn Duplex>> {
    let host = url.host().ok_or(io::ErrorKind::InvalidInput)?;
    let port = url.port_or_known_default().unwrap_or(80);
    let tcp = match host {
        Host::Domain(name) => TcpStream::connect((name, port)).await?,
        Host::Ipv4(address) => TcpStream::connect(SocketAddr::from((address, port))).await?,
        Host::Ipv6(address) => TcpStream::connect(SocketAddr::from((address, port))).await?,
    };
    // A key that is pressed is a small frame, and somebody waits for it.
    tcp.set_nodelay(true)?;
    if url.scheme() != "wss" {
        return Ok(Box::new(tcp));
    }
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?,
        Host::Ipv4(address) => ServerName::from(std::net::IpAddr::from(address)),
        Host::Ipv6(address) => ServerName::from(std::net::IpAddr::from(address)),
    };
    let tls = TlsConnector::from(Arc::new(trust()?));
    Ok(Box::new(tls.connect(name, tcp).await?))
}

/// Whom the system trusts. It is looked up for each connection: certificates change while a chat is open.
fn trust() -> io::Result<ClientConfig> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // One that cannot be read is for whoever keeps the roots; the others count.
    let (taken, _) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        return Err(io::Error::other("the system has no root certificates"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // Only there a connection changes over to a WebSocket.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Whether the other end is not who it has to be.
fn is_distrust(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}
