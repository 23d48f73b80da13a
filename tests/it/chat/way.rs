//! Ways to a server that a test can break: cut, so that every connection ends, or stalled, so that none does and nothing
//! comes through; and one in TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use rookery_tests::Server;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// A port that stays, before servers that come and go.
pub struct Way {
    port: SocketAddr,
    open: Option<JoinHandle<()>>,
    flow: watch::Sender<Flow>,
}

/// Whether bytes go through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Off,
}

impl Way {
    /// Leads to a server.
    pub async fn to(server: &Server) -> Way {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap();
        let (flow, seen) = watch::channel(Flow::On);
        let open = Some(tokio::spawn(relay(listener, server.address(), seen)));
        Way { port, open, flow }
    }

    /// Breaks every connection, and takes no new one.
    pub async fn cut(&mut self) {
        let open = self.open.take().unwrap();
        open.abort();
        assert!(open.await.unwrap_err().is_cancelled());
    }

    /// Leads to a server again, by the same port.
    pub async fn mend(&mut self, server: &Server) {
        let listener = TcpListener::bind(self.port).await.unwrap();
        let seen = self.flow.subscribe();
        self.open = Some(tokio::spawn(relay(listener, server.address(), seen)));
    }

    /// Swallows everything in silence, from now on: connections stay, and new ones are taken.
    pub fn stall(&self) {
        self.flow.send_replace(Flow::Off);
    }

    /// Ends what was stalled, as a router does that forgot its connections, and lets new ones through.
    pub fn unstall(&self) {
        self.flow.send_replace(Flow::On);
    }

    /// The chat's address at this end.
    pub fn url(&self, app: &str) -> String {
        format!("ws://{}/{app}/ws", self.port)
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            open.abort();
        }
    }
}

/// Ends with all its connections.
async fn relay(listener: TcpListener, server: SocketAddr, flow: watch::Receiver<Flow>) {
    let mut connections = JoinSet::new();
    loop {
        let (near, _) = listener.accept().await.unwrap();
        connections.spawn(pass(near, server, flow.clone()));
    }
}

async fn pass(mut near: TcpStream, server: SocketAddr, mut flow: watch::Receiver<Flow>) {
    let on = |flow: &Flow| *flow == Flow::On;
    // An error here is the end of the test.
    let _ = flow.wait_for(on).await;
    let Ok(mut far) = TcpStream::connect(server).await else {
        return;
    };
    tokio::select! {
        // Either end may break it: that is what it is for.
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = flow.wait_for(|flow| *flow == Flow::Off) => {}
    }
    let _ = flow.wait_for(on).await;
}

/// A way in TLS.
pub struct Secret {
    port: u16,
    /// Its certificate, in PEM: no system vouches for it.
    pub certificate: tempfile::TempPath,
    open: JoinHandle<()>,
}

impl Secret {
    /// Leads to a server.
    pub async fn to(server: &Server) -> Secret {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        let certificate = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::write(&certificate, own.cert.pem()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Secret {
            port: listener.local_addr().unwrap().port(),
            certificate,
            open: tokio::spawn(unwrap(
                listener,
                TlsAcceptor::from(Arc::new(config)),
                server.address(),
            )),
        }
    }

    /// The chat's address at this end.
    pub fn url(&self) -> String {
        format!("wss://localhost:{}/chat/ws", self.port)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.open.abort();
    }
}

async fn unwrap(listener: TcpListener, acceptor: TlsAcceptor, server: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        let (near, _) = listener.accept().await.unwrap();
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            // A client that does not believe us goes away here.
            if let Ok(mut near) = acceptor.accept(near).await
                && let Ok(mut far) = TcpStream::connect(server).await
            {
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}
