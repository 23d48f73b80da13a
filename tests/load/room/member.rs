//! One member of the room: says its messages and hears everybody's.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::time::{Instant, sleep_until, timeout};

use super::heard::{self, Heard, Piece};
use crate::session::open;

/// How long a member may hear nothing before the run has failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much is read at once.
const READ_BYTES: usize = 256 * 1024;

/// All members read into the same place: a thousand of their own would not fit the processor's caches.
static PLACE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// What all members do.
pub struct Plan {
    pub members: usize,
    pub messages: u32,
    pub bytes: usize,
    pub pace: Pace,
}

/// When a member says its next message.
#[derive(Clone, Copy)]
pub enum Pace {
    /// As soon as fewer than so many of its own are under way.
    Window(u32),
    /// So long after the one before. Members begin one after the other.
    Every(Duration),
}

/// One member.
pub struct Member {
    stream: TcpStream,
    nth: usize,
    plan: Arc<Plan>,
    heard: Heard,
    rest: Vec<u8>,
    said: u32,
    under_way: VecDeque<Instant>,
    round_trips: Vec<Duration>,
}

impl Member {
    /// Comes in, and waits until it hears itself: then it hears the others, too.
    pub async fn enter(
        address: SocketAddr,
        path: &str,
        nth: usize,
        plan: Arc<Plan>,
    ) -> std::io::Result<Member> {
        let path = format!("{path}?name={}", heard::name(nth));
        let mut member = Member {
            stream: open(address, &path).await?,
            heard: Heard::new(nth, plan.members, plan.bytes),
            rest: Vec::new(),
            said: 0,
            under_way: VecDeque::new(),
            round_trips: Vec::new(),
            nth,
            plan,
        };
        let knock = masked(&heard::said(nth, heard::KNOCK, member.plan.bytes));
        member.stream.write_all(&knock).await?;
        while !member.read().await.map_err(std::io::Error::other)?.knocked {}
        Ok(member)
    }

    /// Says all and hears all. Gives its socket, still open, and how long its own messages took to come back.
    pub async fn converse(
        mut self,
        start: Arc<Barrier>,
    ) -> Result<(TcpStream, Vec<Duration>), String> {
        start.wait().await;
        let mut missing = self.plan.members as u64 * u64::from(self.plan.messages);
        let mut due = Instant::now() + self.first_after();
        while missing > 0 {
            let is_due = async {
                match self.plan.pace {
                    Pace::Every(_) if self.said < self.plan.messages => sleep_until(due).await,
                    _ => std::future::pending().await,
                }
            };
            let readable = timeout(PATIENCE, self.stream.readable());
            tokio::select! {
                () = is_due => {
                    if let Pace::Every(every) = self.plan.pace {
                        due += every;
                    }
                    self.say(1).await?;
                }
                readable = readable => {
                    let readable = readable.map_err(|_| format!("{missing} messages never came"))?;
                    readable.map_err(|error| error.to_string())?;
                    let piece = self.take()?;
                    missing = missing.checked_sub(piece.messages).ok_or("too many messages came")?;
                }
            }
            if let Pace::Window(window) = self.plan.pace {
                self.say(window - self.under_way.len() as u32).await?;
            }
        }
        Ok((self.stream, self.round_trips))
    }

    fn first_after(&self) -> Duration {
        match self.plan.pace {
            Pace::Window(_) => Duration::ZERO,
            Pace::Every(every) => every.mul_f64(self.nth as f64 / self.plan.members as f64),
        }
    }

    /// Says so many more, in one write, as far as there are.
    async fn say(&mut self, count: u32) -> Result<(), String> {
        let count = count.min(self.plan.messages - self.said);
        if count == 0 {
            return Ok(());
        }
        let now = Instant::now();
        let mut frames = Vec::new();
        for message in self.said..self.said + count {
            frames.extend(masked(&heard::said(self.nth, message, self.plan.bytes)));
            self.under_way.push_back(now);
        }
        self.said += count;
        let said = self.stream.write_all(&frames).await;
        said.map_err(|error| error.to_string())
    }

    async fn read(&mut self) -> Result<Piece, String> {
        let readable = timeout(PATIENCE, self.stream.readable()).await;
        readable
            .map_err(|_| "nothing came".to_owned())?
            .map_err(|error| error.to_string())?;
        self.take()
    }

    /// Takes what is there.
    fn take(&mut self) -> Result<Piece, String> {
        let mut place = PLACE
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        place.resize(READ_BYTES, 0);
        let before = self.rest.len();
        place[..before].copy_from_slice(&self.rest);
        let end = match self.stream.try_read(&mut place[before..]) {
            Ok(0) => return Err("the server hung up".to_owned()),
            Ok(read) => before + read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Piece::default()),
            Err(error) => return Err(error.to_string()),
        };
        let piece = self.heard.take(&place[..end])?;
        self.rest.clear();
        self.rest.extend_from_slice(&place[piece.taken..end]);
        let now = Instant::now();
        for said in self.under_way.drain(..piece.own as usize) {
            self.round_trips.push(now - said);
        }
        Ok(piece)
    }
}

/// A text frame under a mask, as a browser sends it: unmasking is a part of the work.
fn masked(text: &str) -> Vec<u8> {
    const MASK: [u8; 4] = [0x1f, 0x2e, 0x3d, 0x4c];
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(
        text.bytes()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}
