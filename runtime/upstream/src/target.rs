//! Where an upstream is.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Whether a certificate is checked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verify {
    /// Against the system's roots and the host's name.
    Roots,
    /// Not at all: whoever answers is believed.
    Nobody,
}

/// One server to dial. Connections are pooled per target. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// HTTP/1.1 over TCP.
    Tcp {
        /// A name or an address, IPv6 without brackets.
        host: Arc<str>,
        /// Its port.
        port: u16,
    },
    /// HTTP/1.1 or HTTP/2 over TLS, as the server chooses by ALPN.
    Tls {
        /// A name or an address, IPv6 without brackets. The certificate has to be for it.
        host: Arc<str>,
        /// Its port.
        port: u16,
        /// Whether the certificate is checked.
        verify: Verify,
    },
    /// HTTP/1.1 over a Unix socket.
    Unix(Arc<Path>),
}

impl Target {
    /// What stands in `Host` when nobody says otherwise: without the port where it is the scheme's own.
    pub fn authority(&self) -> String {
        let (host, port, usual) = match self {
            Target::Tcp { host, port } => (host, *port, 80),
            Target::Tls { host, port, .. } => (host, *port, 443),
            Target::Unix(_) => return "localhost".to_owned(),
        };
        match (host.contains(':'), port == usual) {
            (false, true) => host.to_string(),
            (false, false) => format!("{host}:{port}"),
            (true, true) => format!("[{host}]"),
            (true, false) => format!("[{host}]:{port}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Tcp { .. } => write!(f, "http://{}", self.authority()),
            Target::Tls { .. } => write!(f, "https://{}", self.authority()),
            Target::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_names_a_port_only_where_it_is_unusual() {
        let tcp = |host: &str, port| Target::Tcp {
            host: host.into(),
            port,
        };
        let tls = |host: &str, port| Target::Tls {
            host: host.into(),
            port,
            verify: Verify::Roots,
        };
        assert_eq!(tcp("b", 80).authority(), "b");
        assert_eq!(tcp("b", 443).authority(), "b:443");
        assert_eq!(tls("b", 443).authority(), "b");
        assert_eq!(tls("::1", 8443).authority(), "[::1]:8443");
        assert_eq!(tcp("::1", 80).to_string(), "http://[::1]");
        assert_eq!(
            Target::Unix(Path::new("/run/app").into()).to_string(),
            "unix:/run/app"
        );
    }
}
