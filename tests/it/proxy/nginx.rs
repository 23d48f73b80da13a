//! nginx as the upstream: what a grown server does with what we send it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rookery_tests::{Versions, installed, until};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::{TcpListener, UnixStream};

use super::stage::server;
use super::tls::certificate;

/// nginx on a Unix socket, and a port of ours that leads there: it cannot be asked to choose a port itself.
struct Nginx {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("error.log"));
            eprintln!("--- nginx's log\n{}\n---", log.unwrap_or_default());
        }
    }
}

/// How its one server listens.
enum Listens {
    Plain,
    Tls,
}

const LOCATIONS: &str = r#"
    gzip on; gzip_min_length 1; gzip_types *;
    location /protocol { return 200 "$server_protocol $scheme $request_uri"; }
    location /redirect { return 302 /elsewhere; }
    location /large { root files; }
    location /error { return 418 "short and stout"; }
"#;

impl Nginx {
    async fn start(listens: Listens) -> Nginx {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        std::fs::create_dir(at.join("files")).unwrap();
        std::fs::write(at.join("files/large"), "line of text\n".repeat(100_000)).unwrap();
        let listen = match listens {
            Listens::Plain => "listen unix:nginx.sock;".to_owned(),
            Listens::Tls => {
                let own = certificate();
                std::fs::write(at.join("cert.pem"), own.cert.pem()).unwrap();
                std::fs::write(at.join("key.pem"), own.signing_key.serialize_pem()).unwrap();
                "listen unix:nginx.sock ssl http2; ssl_certificate cert.pem; ssl_certificate_key key.pem;".to_owned()
            }
        };
        let listen = listen.replace("nginx.sock", at.join("nginx.sock").to_str().unwrap());
        let config = format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log;\n\
             events {{ }}\n\
             http {{ access_log off; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;\n\
             uwsgi_temp_path tmp; scgi_temp_path tmp; server {{ {listen} {LOCATIONS} }} }}\n"
        );
        let config = config
            .replace("cert.pem", at.join("cert.pem").to_str().unwrap())
            .replace("key.pem", at.join("key.pem").to_str().unwrap())
            .replace(
                "root files",
                &format!("root {}", at.join("files").display()),
            );
        std::fs::write(at.join("nginx.conf"), config).unwrap();
        let child = Command::new(installed("nginx"))
            .args(["-e", "error.log", "-c", "nginx.conf", "-p"])
            .arg(at)
            .current_dir(at)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let address = lead_to(&at.join("nginx.sock")).await;
        Nginx {
            child,
            address,
            folder,
        }
    }
}

/// A port that leads to a Unix socket, once there is one.
async fn lead_to(socket: &Path) -> SocketAddr {
    let socket = socket.to_owned();
    until("nginx listens", async || {
        UnixStream::connect(&socket).await.ok()
    })
    .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = UnixStream::connect(&socket).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    address
}

/// Buntime 60.
#[tokio::test]
async fn what_nginx_answers_passes_as_it_is() {
    let nginx = Nginx::start(Listens::Plain).await;
    let server =
        server(json!({ "^/(.*)": { "target": format!("http://{}", nginx.address) } })).await;
    for version in [Versions::Http1, Versions::Http2] {
        let get = |path: &str| server.call("GET", path).version(version);
        let plain = get("/px/large/").send().await;
        assert_eq!(plain.status, 404);
        let plain = get("/px/large").send().await;
        assert_eq!(
            (plain.body.len(), plain.header("content-encoding")),
            (1_300_000, "")
        );
        // Made while it is sent, so in chunks of no known length; and not touched on the way.
        let gzip = get("/px/large")
            .header("accept-encoding", "gzip")
            .send()
            .await;
        assert_eq!(
            (gzip.status.as_u16(), gzip.header("content-encoding")),
            (200, "gzip")
        );
        assert_eq!(gzip.header("content-length"), "");
        assert!(gzip.body.len() < 100_000 && gzip.body.starts_with(&[0x1f, 0x8b]));
        let redirect = get("/px/redirect").send().await;
        assert_eq!(redirect.status, 302);
        assert!(redirect.header("location").ends_with("/elsewhere"));
        let part = get("/px/large").header("range", "bytes=5-8").send().await;
        assert_eq!((part.status.as_u16(), part.text()), (206, "of t"));
        let unchanged = get("/px/large")
            .header("if-none-match", plain.header("etag"))
            .send()
            .await;
        assert_eq!((unchanged.status.as_u16(), unchanged.body.len()), (304, 0));
        assert_eq!(get("/px/error").send().await.status, 418);
        let head = server
            .call("HEAD", "/px/large")
            .version(version)
            .send()
            .await;
        assert_eq!(
            (head.status.as_u16(), head.header("content-length")),
            (200, "1300000")
        );
    }
}

#[tokio::test]
async fn http2_is_spoken_where_the_upstream_offers_it() {
    let nginx = Nginx::start(Listens::Tls).await;
    let target = format!("https://localhost:{}", nginx.address.port());
    let server = server(json!({ "^/": { "target": target, "secure": false } })).await;
    let answer = server.get("/px/protocol?x=1").await;
    assert_eq!(answer.text(), "HTTP/2.0 https /protocol?x=1");
    let mut together = Vec::new();
    for _ in 0..20 {
        together.push(tokio::spawn(server.call("GET", "/px/large").send()));
    }
    for answer in together {
        assert_eq!(answer.await.unwrap().body.len(), 1_300_000);
    }
}
