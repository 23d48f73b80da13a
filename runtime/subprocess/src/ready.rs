//! Whether a server that knows nothing of us can answer: its port or its socket is open, and its health page does not
//! say that it is not well yet.
//!
//! **Invariant:** a port counts only if the process itself, or what it started, listens there, in which ways ever.
//! **Absent on purpose:** the deadline, and the process' end; whoever waits here waits for those, too.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use rookery_bundle::Health;
use rookery_upstream::{Target, Timeouts, Upstreams};
use tokio::net::{TcpStream, UnixStream};

use crate::error::StartError;
use crate::kin;

/// The pause between two looks, at first and at last.
const PAUSE_FIRST: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// How long one health page may take.
const HEALTH_WITHIN: Duration = Duration::from_secs(2);

/// Where a server may listen.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    /// On loopback; absent behind walls, where that is another one.
    pub port: Option<u16>,
    pub socket: PathBuf,
}

/// A port of loopback that nobody uses now.
pub(crate) fn free_port() -> Result<u16, StartError> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(StartError::Guard)?;
    let address = listener.local_addr().map_err(StartError::Guard)?;
    Ok(address.port())
}

/// Waits until the process answers, and says where.
pub(crate) async fn ready(
    upstreams: &Upstreams,
    doors: &Doors,
    (pid, guard): (u32, Option<u32>),
    health: &Health,
) -> Result<Target, StartError> {
    let mut pause = PAUSE_FIRST;
    loop {
        if let Some(target) = open(doors, (pid, guard)).await? {
            if is_well(upstreams, &target, health).await {
                return Ok(target);
            }
            upstreams.forget(&target);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn open(
    doors: &Doors,
    (pid, guard): (u32, Option<u32>),
) -> Result<Option<Target>, StartError> {
    if UnixStream::connect(&doors.socket).await.is_ok() {
        return Ok(Some(Target::Unix(doors.socket.as_path().into())));
    }
    let Some(port) = doors.port else {
        return Ok(None);
    };
    for host in ["127.0.0.1", "::1"] {
        if TcpStream::connect((host, port)).await.is_err() {
            continue;
        }
        // Between our look for a free port and its start somebody else may have taken it.
        if kin::listens(&kin::household_of(pid, guard), port) == Some(false) {
            return Err(StartError::PortTaken { port });
        }
        let host = Arc::from(host);
        return Ok(Some(Target::Tcp { host, port }));
    }
    Ok(None)
}

/// A server that answers anything but a failure of its own is well: not every one has the page.
async fn is_well(upstreams: &Upstreams, target: &Target, health: &Health) -> bool {
    let Health::Path(path) = health else {
        return true;
    };
    let body = Empty::new().map_err(|never| match never {});
    let mut request = Request::new(body.boxed_unsync());
    let Ok(uri) = path.parse() else {
        return true;
    };
    *request.uri_mut() = uri;
    let timeouts = Timeouts {
        connect: HEALTH_WITHIN,
        answer: HEALTH_WITHIN,
        idle: HEALTH_WITHIN,
    };
    let answer = upstreams.send(target, request, timeouts).await;
    answer.is_ok_and(|answer| answer.status() < StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn a_port_that_somebody_else_took_is_no_door() {
        let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = stranger.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let doors = Doors {
            port: Some(port),
            socket: folder.path().join("none.sock"),
        };
        // No process has this number.
        let nobody = u32::MAX >> 2;
        assert!(matches!(
            open(&doors, (nobody, None)).await,
            Err(StartError::PortTaken { .. })
        ));
        let me = std::process::id();
        assert!(matches!(
            open(&doors, (me, None)).await,
            Ok(Some(Target::Tcp { .. }))
        ));
        drop(stranger);
        assert!(matches!(open(&doors, (me, None)).await, Ok(None)));
    }
}
