//! Static files over a real directory. What is said of a row is what the row proves.
#![allow(clippy::unwrap_used)]

mod forms;
mod freshness;
mod parts;
mod serving;
mod traversal;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use tempfile::TempDir;

use super::{FileCache, Found, StaticFiles, StaticOptions};

/// A directory with files, and what serves them.
struct Site {
    dir: TempDir,
    files: StaticFiles,
}

/// A response with its whole body.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Site {
    /// The files lie in `root`, below a directory that holds a secret beside it.
    fn new(files: &[(&str, &str)], options: StaticOptions) -> Site {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("secret.txt"), "SECRET").unwrap();
        fs::create_dir(dir.path().join("public-of-another")).unwrap();
        fs::write(dir.path().join("public-of-another/secret.txt"), "SECRET").unwrap();
        let root = dir.path().join("public");
        fs::create_dir(&root).unwrap();
        let files_served = StaticFiles::new(root, options, Arc::new(FileCache::default()));
        let site = Site {
            dir,
            files: files_served,
        };
        for (name, content) in files {
            site.write(name, content);
        }
        site
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("public").join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[cfg(unix)]
    fn link(&self, name: &str, target: impl AsRef<Path>) {
        std::os::unix::fs::symlink(target, self.path(name)).unwrap();
    }

    /// The answer to a line like `GET /a.txt?x=1` with headers like `range: bytes=0-1`.
    async fn respond(&self, line: &str, headers: &[&str]) -> Option<Response<rookery_pool::Body>> {
        let (method, target) = line.split_once(' ').unwrap();
        let (tail, query) = target
            .split_once('?')
            .map_or((target, ""), |(tail, query)| (tail, query));
        let uri = if query.is_empty() {
            "/site@1/".to_owned()
        } else {
            format!("/site@1/?{query}")
        };
        let mut request = Request::builder().method(method).uri(uri);
        for header in headers {
            let (name, value) = header.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        match self.files.serve(&parts, tail, "/site@1/").await {
            Found::Response(response) => Some(response),
            Found::Missing => None,
        }
    }

    async fn ask(&self, line: &str, headers: &[&str]) -> Option<Answer> {
        let (parts, body) = self.respond(line, headers).await?.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Some(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    async fn get(&self, tail: &str) -> Option<Answer> {
        self.ask(&format!("GET {tail}"), &[]).await
    }

    /// Asks, and compares with a status (0 when nothing answers), headers (`!name` for one that is absent), and the
    /// body unless it is `None`.
    async fn check(&self, row: &Row<'_>) {
        let Row(claim, line, headers, status, expected, body) = row;
        let answer = self.ask(line, headers).await;
        assert_eq!(
            answer.as_ref().map_or(0, |answer| answer.status.as_u16()),
            *status,
            "{claim}: {line}"
        );
        let Some(answer) = answer else { return };
        for header in *expected {
            match header.split_once(": ") {
                None => assert_eq!(answer.header(&header[1..]), None, "{claim}"),
                Some((name, value)) => {
                    assert_eq!(answer.header(name), Some(value), "{claim}: {name}")
                }
            }
        }
        if let Some(body) = body {
            assert_eq!(answer.text(), *body, "{claim}");
        }
    }
}

/// Claim, request line, request headers, status, response headers, body.
struct Row<'a>(
    &'a str,
    &'a str,
    &'a [&'a str],
    u16,
    &'a [&'a str],
    Option<&'a str>,
);

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn etag(&self) -> String {
        self.header("etag").unwrap().to_owned()
    }
}

/// Bytes of which no stretch looks like another.
fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32)
        .flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes())
        .take(len)
        .collect()
}
