//! The client's side of TLS.
//!
//! **Invariant:** whether a certificate is checked is a property of the target, so one that is not checked cannot be
//! reached over a connection, or with a session, of one that is, nor the other way.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::target::Verify;

/// What is to be spoken inside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Inside {
    /// HTTP/2 or HTTP/1.1, as the server likes.
    Requests,
    /// HTTP/1.1, since only there a connection changes over to a WebSocket.
    Tunnel,
}

/// The configurations, each made when it is first needed: reading the system's roots takes milliseconds.
#[derive(Default)]
pub(crate) struct Tls {
    verified: OnceLock<Alike>,
    unverified: OnceLock<Alike>,
}

/// Two configurations that differ in nothing but what they offer by ALPN.
struct Alike {
    requests: Arc<ClientConfig>,
    tunnel: Arc<ClientConfig>,
}

impl Tls {
    pub fn config(&self, verify: Verify, inside: Inside) -> Arc<ClientConfig> {
        let alike = match verify {
            Verify::Roots => self.verified.get_or_init(|| alike(verified())),
            Verify::Nobody => self.unverified.get_or_init(|| alike(unverified())),
        };
        match inside {
            Inside::Requests => Arc::clone(&alike.requests),
            Inside::Tunnel => Arc::clone(&alike.tunnel),
        }
    }
}

fn alike(config: ClientConfig) -> Alike {
    let offering = |protocols: &[&[u8]]| {
        let mut config = config.clone();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Arc::new(config)
    };
    Alike {
        requests: offering(&[b"h2", b"http/1.1"]),
        tunnel: offering(&[b"http/1.1"]),
    }
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    // Named rather than taken from the process, where another crate may have put another one.
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider knows the default versions of TLS")
}

fn verified() -> ClientConfig {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // One that cannot be read is for whoever keeps the roots; the others count.
    let (taken, passed_over) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        tracing::error!(
            passed_over,
            errors = ?found.errors,
            "the system has no root certificates, so no upstream's certificate can be verified"
        );
    }
    builder()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn unverified() -> ClientConfig {
    builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Credulous(ring::default_provider())))
        .with_no_client_auth()
}

/// Believes every certificate, and still wants its holder to prove that it is theirs.
#[derive(Debug)]
struct Credulous(CryptoProvider);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
