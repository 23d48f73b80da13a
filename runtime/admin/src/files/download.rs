//! One file's bytes.
//!
//! **Invariant:** a file is read piece by piece, as the client takes it.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rookery_pool::{Body, BodyError};

use super::list::is_absent;
use crate::folder::{Folder, blocking};
use crate::place::Place;
use crate::refusal::Refusal;
use crate::respond;

/// How much is read at once.
const PIECE_BYTES: usize = 64 << 10;

/// What stands as it is in `filename*` (RFC 8187, `attr-char`).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// Answers with a file.
pub(super) async fn download(folder: Arc<Folder>, place: Place) -> Result<Response<Body>, Refusal> {
    let name = place.split().map(|(_, name)| name.to_owned());
    let opened = blocking(move || open(&folder, &place)).await?;
    let mut response = Response::new(pieces(opened.file));
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(opened.length));
    headers.insert(CONTENT_DISPOSITION, disposition(&name.unwrap_or_default()));
    Ok(respond::with(
        response,
        CONTENT_TYPE,
        // Never a type that a browser would show: what is uploaded must not run beside the dashboard.
        "application/octet-stream",
    ))
}

struct Opened {
    file: std::fs::File,
    length: u64,
}

fn open(folder: &Folder, place: &Place) -> Result<Opened, Refusal> {
    let absent = || Refusal::NotFound(place.to_string());
    let told = |error| {
        if is_absent(&error) {
            absent()
        } else {
            Refusal::of(error)
        }
    };
    // Looked at before it is opened: opening a pipe would wait for its writer.
    let metadata = folder.dir().metadata(place.as_path()).map_err(told)?;
    if !metadata.is_file() {
        return Err(absent());
    }
    let file = folder.dir().open(place.as_path()).map_err(told)?;
    Ok(Opened {
        length: file.metadata().map_err(Refusal::of)?.len(),
        file: file.into_std(),
    })
}

fn pieces(file: std::fs::File) -> Body {
    let pieces = stream::try_unfold(file, |mut file| async move {
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE_BYTES];
            let read = file.read(&mut piece)?;
            piece.truncate(read);
            std::io::Result::Ok((piece, file))
        });
        let (piece, file) = read.await??;
        if piece.is_empty() {
            return Ok(None);
        }
        Ok::<_, BodyError>(Some((Frame::data(Bytes::from(piece)), file)))
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// `attachment` with the name twice: for those who read plain ASCII, and as it is (RFC 6266 section 4.3).
fn disposition(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' => '_',
            c if c.is_ascii_graphic() || c == ' ' => c,
            _ => '_',
        })
        .collect();
    let text = if plain == name {
        format!("attachment; filename=\"{plain}\"")
    } else {
        let encoded = utf8_percent_encode(name, ENCODED);
        format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
    };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_its_header() {
        for (name, expected) in [
            ("app.wasm", "attachment; filename=\"app.wasm\""),
            ("a b.txt", "attachment; filename=\"a b.txt\""),
            (
                "a\"b",
                "attachment; filename=\"a_b\"; filename*=UTF-8''a%22b",
            ),
            (
                "ä.txt",
                "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A4.txt",
            ),
        ] {
            assert_eq!(disposition(name), expected, "{name}");
        }
    }
}
