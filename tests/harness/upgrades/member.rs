//! One session: hears its room, says things in it when it is its speaker, and has echoes of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::Stage;
use super::sequence::Sequence;
use crate::Ws;

/// What is said in a room last.
pub const END: &str = "end";
/// How many paces apart the echoes are that every session has.
const ECHO_EVERY: u32 = 16;

/// One session before it begins.
pub struct Member {
    pub ws: Ws,
    pub room: String,
    pub speaks: bool,
    pub pace: Duration,
}

/// What one session came to.
#[derive(Debug)]
pub struct Heard {
    pub room: String,
    /// How much it said in the room, when it is the speaker.
    pub spoken: Option<u64>,
    /// How often it asked for an echo.
    pub asked: u64,
    pub of_room: Sequence,
    pub of_echo: Sequence,
    /// Whether it was closed before the end.
    pub closed: bool,
}

/// What is to be said next, and what was said and not heard yet.
struct Talk {
    number: u64,
    waits: bool,
    done: bool,
}

/// Lives until the end is said in its room, or it is closed.
pub async fn member(member: Member, stage: Arc<Stage>) -> Heard {
    let Member {
        mut ws,
        room,
        speaks,
        pace,
    } = member;
    let mut heard = Heard {
        room,
        spoken: None,
        asked: 0,
        of_room: Sequence::default(),
        of_echo: Sequence::default(),
        closed: false,
    };
    let mut quiet = stage.quiet.clone();
    let mut talk = Talk {
        number: 0,
        waits: false,
        done: false,
    };
    // A speaker hears what it says in its room; the others ask for an echo now and then.
    let mut tick = interval(if speaks { pace } else { pace * ECHO_EVERY });
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            text = ws.try_hear() => match text.as_deref() {
                None => {
                    heard.closed = true;
                    break;
                }
                Some(END) => break,
                Some(text) => note(text, speaks, &mut heard, &mut talk, &stage),
            },
            _ = tick.tick(), if !talk.waits && !talk.done => {
                let said = match speaks {
                    true => format!("say {} {}", heard.room, talk.number),
                    false => format!("echo e{}", talk.number),
                };
                talk.waits = ws.try_say(said).await;
                talk.number += 1;
            }
            // When it is asked for quiet in the middle of something, that is heard to its end.
            () = asked_for(&mut quiet), if !talk.waits && !talk.done => {
                talk.done = true;
                stage.busy.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }
    if !talk.done {
        stage.busy.fetch_sub(1, Ordering::AcqRel);
    }
    match speaks {
        true => heard.spoken = Some(talk.number),
        false => heard.asked = talk.number,
    }
    heard
}

async fn asked_for(quiet: &mut watch::Receiver<bool>) {
    // That nobody could ask any more is as good.
    let _ = quiet.wait_for(|quiet| *quiet).await;
}

fn note(text: &str, speaks: bool, heard: &mut Heard, talk: &mut Talk, stage: &Stage) {
    if text.starts_with("resumed from ") {
        stage.moves.fetch_add(1, Ordering::AcqRel);
    } else if let Some(echo) = text.strip_prefix('e') {
        heard.of_echo.take(echo.parse().unwrap());
        talk.waits = false;
    } else {
        heard.of_room.take(text.parse().unwrap());
        talk.waits &= !speaks;
    }
}
