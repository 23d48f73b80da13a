//! What came of it all.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::Upgrades;
use super::member::Heard;

/// What became of all sessions together.
#[derive(Debug)]
pub struct UpgradesReport {
    plan: Upgrades,
    elapsed: Duration,
    /// Messages that came: of rooms, and echoes.
    pub deliveries: u64,
    /// Messages that did not come.
    pub lost: u64,
    /// Messages that came twice.
    pub doubled: u64,
    /// Messages that came after one that was said later.
    pub disordered: u64,
    /// Sessions that were closed.
    pub closed: u64,
    /// How often a session was told that it was moved.
    pub moves: usize,
    /// How often the server moved one.
    pub server_moves: u64,
    /// How often the server sent one back.
    pub went_back: u64,
    spoken: HashMap<String, u64>,
    waiting: Vec<Heard>,
}

impl UpgradesReport {
    pub(super) fn new(plan: Upgrades, elapsed: Duration, moves: usize) -> UpgradesReport {
        UpgradesReport {
            plan,
            elapsed,
            deliveries: 0,
            lost: 0,
            doubled: 0,
            disordered: 0,
            closed: 0,
            moves,
            server_moves: 0,
            went_back: 0,
            spoken: HashMap::new(),
            waiting: Vec::new(),
        }
    }

    /// Adds what one session came to. Those whose speaker is not known yet wait.
    pub(super) fn take(&mut self, heard: Heard) {
        if let Some(spoken) = heard.spoken {
            self.spoken.insert(heard.room.clone(), spoken);
        }
        self.waiting.push(heard);
        if self.waiting.len() == self.plan.sessions {
            for heard in std::mem::take(&mut self.waiting) {
                self.judge(&heard);
            }
        }
    }

    pub(super) fn server(&mut self, hub: &Value) {
        self.server_moves = hub["moved"].as_u64().unwrap();
        self.went_back = hub["wentBack"].as_u64().unwrap();
    }

    fn judge(&mut self, heard: &Heard) {
        let spoken = self.spoken[&heard.room];
        for (sequence, said) in [(&heard.of_room, spoken), (&heard.of_echo, heard.asked)] {
            self.deliveries += sequence.heard();
            self.lost += sequence.lost(said);
            self.doubled += sequence.doubled;
            self.disordered += sequence.disordered;
        }
        self.closed += u64::from(heard.closed);
    }

    /// Whether nobody noticed anything.
    pub fn is_clean(&self) -> bool {
        [self.lost, self.doubled, self.disordered, self.closed] == [0; 4]
    }
}

impl fmt::Display for UpgradesReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Upgrades {
            sessions,
            rooms,
            upgrades,
            kills,
            ..
        } = self.plan;
        let seconds = self.elapsed.as_secs_f64();
        writeln!(
            f,
            "{sessions} sessions in {rooms} rooms, {upgrades} upgrades and {kills} killed workers in {seconds:.1} s"
        )?;
        let (moves, back) = (self.server_moves, self.went_back);
        writeln!(
            f,
            "{moves} moves, {back} of them back; {} messages heard",
            self.deliveries
        )?;
        write!(
            f,
            "closed {}  lost {}  doubled {}  out of order {}",
            self.closed, self.lost, self.doubled, self.disordered
        )
    }
}
